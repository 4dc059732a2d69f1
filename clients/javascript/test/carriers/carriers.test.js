// Both carriers by one table, with a real Synapse: docs/spec/08-port.md, The carrier port, and 06-sockets.md.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Synapse, SynapseUnreachable, connectSynapse } from '../../src/index.js'
import { idBytes } from '../../src/signals/ids.js'
import { CODE, Signal } from '../../src/signals/signals.js'
import { VERB, ZERO, item, packMessage, parseMessage } from '../../src/wire/heads.js'
import { startNode } from '../support/child.js'
import { recorder } from '../support/recorder.js'
import { freePorts, startSynapse } from '../support/synapse.js'

const CARRIERS = ['zmtp', 'libzmq']
const RECEIVER = ['onTask', 'onReply', 'onCancel', 'onBounce', 'onLost', 'onHeard', 'onMissed', 'onRegistered', 'onWelcomed', 'onAway'] // prettier-ignore
const CARRIER_EVENTS = ['onMessage', 'onWritable', 'onDisconnected', 'onPublication', 'onSubscription', 'onDropped'] // prettier-ignore
const KIND = 7
const NOBODY_LISTENS = 255
const OPEN_MS = 20_000
const LEFT_ALONE = 'clients/javascript/test/support/left-alone.mjs'

/** Open a transport; the test ends it. */
async function opened(t, url, carrier, { topics = [] } = {}) {
  const synapse = new Synapse(url, { carrier, logger: null })
  const events = recorder(...RECEIVER)
  const transport = synapse.transport({ namespace: 'n', name: 'test' }, events)
  t.after(() => synapse.close())
  await transport.open(OPEN_MS, topics)
  return { transport, ...events }
}

async function openedWorker(t, url, carrier) {
  const worker = await opened(t, url, carrier)
  worker.transport.sendPresence('REGISTER', 'w', { capabilities: [] }, KIND, Buffer.alloc(0))
  await worker.heard('onRegistered')
  return worker
}

function sendTask({ transport }, body, ttlMs = 60_000) {
  const task = randomBytes(16)
  const outcome = transport.sendTask('w', [], task, randomBytes(16), KIND, body, ttlMs, 0)
  assert.ok(['SENT', 'WAITING'].includes(outcome), outcome)
  return task
}

/** Publish a Signal: the Synapse drops a body of another type than its topic. */
function published(transport, type) {
  const signal = new Signal({ type })
  return transport.publish(CODE[type], idBytes(signal.traceId), signal.encode())
}

const bodies = (calls) => calls.map((values) => values.at(-1))

for (const carrier of CARRIERS) {
  test(`${carrier}: bodies of every size arrive whole and in order`, async (t) => {
    const synapse = await startSynapse(t)
    const worker = await openedWorker(t, synapse.url, carrier)
    const caller = await opened(t, synapse.url, carrier)
    const sizes = [0, 1, 200, 300, 5000, 70_000, 2 ** 20, 2 ** 20 + 1, 10, 15 * 2 ** 20]
    const sent = sizes.map((size) => randomBytes(size))

    for (const each of sent) sendTask(caller, each)
    await worker.heard('onTask', sent.length)

    assert.ok(Buffer.concat(bodies(worker.calls('onTask'))).equals(Buffer.concat(sent)))
  })

  test(`${carrier}: a carrier that was closed takes nothing and tells nothing`, async (t) => {
    const synapse = await startSynapse(t)
    const events = recorder(...CARRIER_EVENTS)
    const made = new Synapse(synapse.url, { carrier }).carrier()
    made.open(events)
    await events.heard('onMessage')
    made.close()
    made.close()
    const before = CARRIER_EVENTS.map((each) => events.calls(each).length)

    assert.equal(made.send(ZERO, ZERO), 'BUSY')
    made.publish('n/t/1/', ZERO, ZERO)
    made.subscribe('n/t/1/')
    made.unsubscribe('n/t/1/')
    made.flush()
    await new Promise((resolve) => setImmediate(resolve))

    assert.deepEqual(
      CARRIER_EVENTS.map((each) => events.calls(each).length),
      before,
    )
  })

  test(`${carrier}: the greeting is answered at once, a hundred times`, async (t) => {
    // libzmq may report a connection after its first message.
    const { url } = await startSynapse(t)
    for (let i = 0; i < 100; i++) {
      const { transport } = await opened(t, url, carrier)

      assert.equal(transport.counts['drop.greeting'], undefined)
      assert.equal(await transport.close(OPEN_MS), true)
    }
  })

  test(`${carrier}: a burst of 15,000 messages arrives whole and in order`, async (t) => {
    const synapse = await startSynapse(t)
    const worker = await openedWorker(t, synapse.url, carrier)
    const caller = await opened(t, synapse.url, carrier)
    const count = 15_000

    for (let i = 0; i < count; i++) sendTask(caller, Buffer.from(String(i).padEnd(200)))
    await worker.heard('onTask', count)

    const numbers = bodies(worker.calls('onTask')).map(Number)
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    )
    assert.equal(numbers.length, count)
  })

  test(`${carrier}: a Synapse that stands still makes it BUSY, and loses nothing`, async (t) => {
    const synapse = await startSynapse(t)
    const events = recorder(...CARRIER_EVENTS)
    const made = new Synapse(synapse.url, { carrier }).carrier()
    t.after(() => made.close())
    const message = (number) =>
      packMessage([item(VERB.TASK, { number: 60_000, task: randomBytes(16), trace: randomBytes(16), body: Buffer.from(String(number).padEnd(1000)) })], 'n/w') // prettier-ignore
    assert.equal(typeof String(made.endpoint), 'string')
    made.open(events)
    await events.heard('onMessage') // WHO, in answer to the probe
    synapse.signal('SIGSTOP')
    let sent = 0
    while (made.send(...message(sent)) === 'OK') {
      if (++sent % 500 === 0) {
        made.flush()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    made.flush()
    synapse.signal('SIGCONT')

    await events.heard('onWritable')
    assert.equal(made.send(...message(sent)), 'OK')
    made.flush()
    // Nobody greeted, so each comes back whole.
    const isBounce = (head) => parseMessage(head, Buffer.alloc(0)) !== 'version' && head[19] === VERB.BOUNCE // prettier-ignore
    await Promise.race([
      events.heard('onMessage', sent + 1, isBounce),
      events.heard('onDisconnected').then(([why]) => assert.fail(`disconnected: ${why}`)),
    ])

    assert.ok(sent >= 10_000, `${sent}`)
    const numbers = events.calls('onMessage').filter(([head]) => isBounce(head)).map(([, body]) => Number(body.subarray(-1000))) // prettier-ignore
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    )
    assert.deepEqual(events.calls('onDisconnected'), [])
  })

  test(`${carrier}: after kill -9 everything is as before, and who left meanwhile is forgotten`, async (t) => {
    const synapse = await startSynapse(t)
    const worker = await openedWorker(t, synapse.url, carrier)
    const caller = await opened(t, synapse.url, carrier)
    const stays = await opened(t, synapse.url, carrier, { topics: [{ kind: CODE.PLAN }] })
    const leaves = await opened(t, synapse.url, carrier, { topics: [{ kind: CODE.CRITIQUE }] })
    const publish = (type) => published(caller.transport, type)
    await untilHeard(caller.transport, [CODE.PLAN, CODE.CRITIQUE])
    assert.deepEqual([publish('PLAN'), publish('CRITIQUE')], [1, 1])
    await Promise.all([stays.heard('onHeard'), leaves.heard('onHeard')])

    for (let round = 1; round <= 3; round++) {
      await synapse.kill()
      await Promise.all([worker, caller, stays].map((each) => each.heard('onAway', round)))
      // From here on a WELCOME is of the next one; a HELLO that was repeated had two before.
      const back = [worker, caller, stays].map((each) => [each, each.calls('onWelcomed').length])
      if (round === 1) await leaves.transport.close(0)
      sendTask(caller, Buffer.from(`round ${round}`)) // it waits
      await synapse.restart()
      await Promise.all(back.map(([each, count]) => each.heard('onWelcomed', count + 1)))
      worker.transport.sendPresence('REGISTER', 'w', { capabilities: [] }, KIND, Buffer.alloc(0))
      await worker.heard('onRegistered', round + 1)
      await untilHeard(caller.transport, [CODE.PLAN], [CODE.CRITIQUE])
      // Who listened before the kill counts until the new broadcasts are there: what is published
      // meanwhile is dropped, and so it is published until it is heard.
      const before = stays.calls('onHeard').length
      let isHeard = false
      const heard = stays.heard('onHeard', before + 1).finally(() => (isHeard = true))
      while (!isHeard) {
        assert.deepEqual([publish('PLAN'), publish('CRITIQUE')], [1, 0])
        await Promise.race([heard, pause(20)])
      }
    }

    const task = sendTask(caller, Buffer.from('last'))
    await worker.heard('onTask', 1, (_caller, _address, each) => each.equals(task))
  })

  test(`${carrier}: a Synapse at an address of IPv6 has its broadcasts there, too`, async (t) => {
    const synapse = await startSynapse(t, { host: '::1' })
    assert.match(synapse.url, /^cosmo:\/\/\[::1\]:\d+$/)

    const caller = await opened(t, synapse.url, carrier, { topics: [{ kind: 1 }] })

    await untilHeard(caller.transport, [1])
  })

  test(`${carrier}: a Synapse at a Unix socket is used by its path, also after a restart`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'cosmo-'))
    t.after(() => rm(folder, { recursive: true }))
    const synapse = await startSynapse(t, { ipc: join(folder, 's.sock') })
    const listener = await opened(t, synapse.ipcUrl, carrier, { topics: [{ kind: CODE.PLAN }] })
    const caller = await opened(t, synapse.ipcUrl, carrier)

    for (const round of [1, 2]) {
      await untilHeard(caller.transport, [CODE.PLAN])
      // As above: before the new broadcasts are there, what is published is dropped.
      let isHeard = false
      const before = listener.calls('onHeard').length
      const heard = listener.heard('onHeard', before + 1).finally(() => (isHeard = true))
      while (!isHeard) {
        assert.equal(published(caller.transport, 'PLAN'), 1)
        await Promise.race([heard, pause(20)])
      }
      if (round === 2) break
      await synapse.kill()
      await Promise.all([listener, caller].map((each) => each.heard('onAway')))
      await synapse.restart()
      await Promise.all([listener, caller].map((each) => each.heard('onWelcomed', 2)))
    }
  })

  test(`${carrier}: nothing keeps the process alive after close, and the open sockets do before`, async (t) => {
    const synapse = await startSynapse(t)
    const start = (url, what) => startNode(t, [LEFT_ALONE, url, carrier, what])
    const closing = start(synapse.url, 'close')
    const nowhere = start(`cosmo://127.0.0.1:${await freePorts()}`, 'unreachable')
    const staying = start(synapse.url, 'stay')

    assert.equal(await closing.ended, 0)
    assert.deepEqual(closing.lines, ['open', 'closed'])
    assert.equal(await nowhere.ended, 0)
    assert.deepEqual(nowhere.lines, ['failed SynapseUnreachable'])
    await staying.line('alive')
  })

  test(`${carrier}: a Synapse that starts later is found, and one without an answer is not`, async (t) => {
    const port = await freePorts()
    const url = `cosmo://127.0.0.1:${port}`
    const since = performance.now()
    await assert.rejects(
      connectSynapse(url, { carrier, timeoutMs: 200 }),
      (error) =>
        error instanceof SynapseUnreachable &&
        error.message.includes(`no process listens at tcp://127.0.0.1:${port}`) &&
        error.hint.startsWith(`run 'cosmo synapse start --port ${port}'`),
    )
    assert.ok(performance.now() - since < 5000)

    const connecting = connectSynapse(url, { carrier, timeoutMs: null })
    await startSynapse(t, { port })

    assert.equal((await connecting).url, url)
  })
}

/**
 * Resolve when `transport` publishes by a socket of its own, to these kinds and not to those: publishers learn of
 * listeners a little later.
 */
async function untilHeard(transport, heard, unheard = [NOBODY_LISTENS]) {
  transport.publish(NOBODY_LISTENS, ZERO, Buffer.from('opens the socket'))
  const until = performance.now() + OPEN_MS
  const isSo = () =>
    heard.every((kind) => transport.isHeard(kind, ZERO)) &&
    !unheard.some((kind) => transport.isHeard(kind, ZERO))
  while (!isSo()) {
    assert.ok(performance.now() < until, 'listeners are not known')
    await pause(10)
  }
}

test('zmtp: a broadcast that cannot leave is reported, and never from within the call', async (t) => {
  const synapse = await startSynapse(t)
  const events = recorder(...CARRIER_EVENTS)
  const made = new Synapse(synapse.url, { carrier: 'zmtp' }).carrier()
  t.after(() => made.close())
  made.open(events)

  made.publish('n/t/1/', ZERO, ZERO) // the broadcast plane is not there yet
  assert.deepEqual(events.calls('onDropped'), [])

  assert.deepEqual(await events.heard('onDropped'), ['publisher_full'])
})
