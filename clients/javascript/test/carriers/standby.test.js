// What a client does where Synapses stand by for each other, over both carriers: docs/spec/12-failover.md. The standby
// here is a small one of this process; `test/failover` has real ones.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Synapse, SynapseUnreachable } from '../../src/index.js'
import { startStandby } from '../support/fake-standby.js'
import { recorder } from '../support/recorder.js'
import { freePorts, startSynapse } from '../support/synapse.js'

const OPEN_MS = 20_000
const RECEIVER = ['onTask', 'onReply', 'onCancel', 'onBounce', 'onLost', 'onHeard', 'onMissed', 'onRegistered', 'onWelcomed', 'onAway'] // prettier-ignore
const isAlone = (hello) => hello.alone
const listOf = (...ports) => `cosmo://${ports.map((each) => `127.0.0.1:${each}`).join(',')}`

function transportTo(t, url, carrier) {
  const logged = []
  const logger = { warn: (text) => logged.push(text) }
  const synapse = new Synapse(url, { carrier, logger, key: null })
  const events = recorder(...RECEIVER)
  const transport = synapse.transport({ namespace: 'default', name: 'test' }, events)
  t.after(() => synapse.close())
  return { transport, logged, ...events }
}

for (const carrier of ['zmtp', 'libzmq']) {
  test(`${carrier}: a list whose first places are dead and stand by leads to the one that leads`, async (t) => {
    const leader = await startSynapse(t)
    const standby = await startStandby(t)
    const url = listOf(await freePorts(), standby.port, leader.port)
    const { transport, logged } = transportTo(t, url, carrier)

    await transport.open(OPEN_MS)

    assert.deepEqual(transport.fabric.url, leader.url)
    assert.deepEqual(standby.alone, [false])
    assert.match(logged.at(-1), /knows no other one, so those of .* do not stand by for each other/)
  })

  test(`${carrier}: a standby that is named alone leads to the others of its fabric`, async (t) => {
    const leader = await startSynapse(t)
    const dead = `cosmo://127.0.0.1:${await freePorts()}`
    const standby = await startStandby(t, { fabric: [dead, leader.url] })
    const { transport, logged } = transportTo(t, standby.url, carrier)

    await transport.open(OPEN_MS)

    assert.equal(transport.fabric.url, leader.url)
    assert.deepEqual([standby.alone, logged], [[false], []])
    assert.equal(await transport.barrier(OPEN_MS), true)
  })

  test(`${carrier}: who reaches a standby only says alone, and is told both URLs`, async (t) => {
    const dead = `cosmo://127.0.0.1:${await freePorts()}`
    const standby = await startStandby(t, { fabric: [dead] })
    const { transport } = transportTo(t, standby.url, carrier)
    const opening = transport.open(3000)
    opening.catch(() => {}) // it may end while we wait for its HELLOs
    await standby.heard(3, isAlone)

    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof SynapseUnreachable)
      assert.ok(error.message.includes(`tcp://127.0.0.1:${standby.port} stands by and lets nobody`))
      assert.ok(
        error.message.includes(`the others of its fabric are ${dead}; no process listens at`),
      )
      assert.ok(error.message.includes('start the Synapse that led, or let this client reach it'))
      return true
    })
    assert.equal(standby.alone[0], false)
  })

  test(`${carrier}: a standby that holds a HELLO says WHO when it takes over`, async (t) => {
    const standby = await startStandby(t)
    standby.holds = true
    const { transport } = transportTo(t, listOf(await freePorts(), standby.port), carrier)
    const opening = transport.open(OPEN_MS)
    await standby.heard(1, isAlone)
    const other = transportTo(t, standby.url, carrier).transport.open(3000)
    other.catch(() => {}) // it may end while we wait for its HELLO
    await standby.heard(2, isAlone)
    await assert.rejects(other, /stands by/)

    standby.takeOver()
    await opening

    assert.equal(transport.fabric.url, standby.url)
  })

  test(`${carrier}: after the end of the leader its standby is asked, and again alone`, async (t) => {
    const leader = await startSynapse(t)
    const standby = await startStandby(t, { fabric: [leader.url] })
    standby.holds = true
    const client = transportTo(t, listOf(leader.port, standby.port), carrier)
    await client.transport.open(OPEN_MS)

    await leader.kill()
    await standby.heard(1, isAlone)
    standby.takeOver()
    await client.heard('onWelcomed', 2)

    assert.deepEqual(client.calls('onWelcomed').map(([isFresh]) => isFresh), [true, true])
    assert.equal(standby.alone[0], false)
    assert.equal(client.transport.fabric.url, standby.url)
    assert.equal(client.calls('onAway').length, 1)
  }) // prettier-ignore
}
