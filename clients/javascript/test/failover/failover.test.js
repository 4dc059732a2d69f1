// Clients where one Synapse stands by for another, as real processes: docs/spec/12-failover.md, What fails.
import assert from 'node:assert/strict'
import test from 'node:test'
import { startDendrite, until } from '../support/dendrites.js'
import { startFabricOfTwo } from '../support/fabric-of-two.js'
import { keysFolder } from '../support/keys-folder.js'
import { startWorker } from '../support/worker.js'

const CALLS = 24
const numbers = [...Array(CALLS).keys()]

/** Two Synapses, a worker in a process of its own, and a caller here. */
async function scene(t, carrier = 'zmtp', keys = null) {
  const fabric = await startFabricOfTwo(t, { keys })
  const env = { CARRIER: carrier, CONCURRENCY: '64' }
  if (keys !== null) env.COSMO_KEY = await keys.file('ben')
  const worker = await startWorker(t, fabric.url, { neurons: 'work:slow', env })
  const warned = []
  const logger = { warn: (text) => warned.push(String(text)) }
  const key = keys?.of('ada')
  const caller = await startDendrite(t, fabric.url, { carrier, logger, key })
  const call = async (n, ms = 0) => {
    const input = { n, ms }
    const output = await caller.ask({ neuron: 'work', input, timeoutMs: 40_000 })
    assert.deepEqual(output, input)
    return output
  }
  const leads = async () => (await caller.synapseState()).url
  const ran = () => worker.lines.filter((each) => each.startsWith('slow begins'))
  return { fabric, worker, caller, call, leads, ran, warned }
}

/** Begin calls that outlast what follows. */
const begin = ({ call }, ms) => Promise.all(numbers.map((n) => call(n, ms)))

const USERS = { ada: ['dispatch', 'watch', 'inspect'], ben: ['serve=work'] }
for (const [carrier, isKeyed] of [['zmtp'], ['libzmq', true]]) {
  const what = isKeyed ? `${carrier} with keys` : carrier
  test(`${what}: calls outlive the leader that is killed: none is lost, and none runs twice`, async (t) => {
    const made = await scene(t, carrier, isKeyed ? await keysFolder(t, USERS) : null)
    const { fabric, call, leads, ran } = made
    const first = await leads()
    const running = begin(made, 1200)
    await until(() => ran().length === CALLS, 'the calls run')

    await fabric.at(first).kill()
    const later = numbers.map((n) => call(CALLS + n))
    await Promise.all([running, ...later])

    assert.equal(await leads(), fabric.otherThan(first).url)
    assert.equal(new Set(ran()).size, 2 * CALLS)
    assert.equal(ran().length, 2 * CALLS)
  })
}

test('who stops in order is followed by the other, and stands by when it comes back', async (t) => {
  const made = await scene(t)
  const { fabric, call, leads, ran } = made
  const first = await leads()
  const running = begin(made, 800)
  await until(() => ran().length === CALLS, 'the calls run')

  assert.equal(await fabric.at(first).stop(), 0)
  await call(100)
  await running
  await fabric.at(first).restart()
  await call(101)

  assert.equal(await leads(), fabric.otherThan(first).url)
  assert.equal(ran().length, CALLS + 2)
})

test('a leader that is frozen is left, and leads no longer when it goes on', async (t) => {
  const { fabric, call, leads, ran } = await scene(t)
  const first = await leads()

  fabric.at(first).signal('SIGSTOP')
  await call(1)
  assert.equal(await leads(), fabric.otherThan(first).url)
  fabric.at(first).signal('SIGCONT')
  await until(() => / ROLE .* stands by/.test(fabric.at(first).said), 'it steps down')
  await call(2)

  assert.equal(await leads(), fabric.otherThan(first).url)
  assert.equal(ran().length, 2)
})

test('a standby that falls silent makes a half, which is told, and told again when it is whole', async (t) => {
  const { fabric, caller, leads, warned } = await scene(t)
  const standby = fabric.otherThan(await leads())

  standby.signal('SIGSTOP')
  await until(() => warned.length === 1, 'a warning')
  assert.match(warned[0], /does not hear another one of its fabric, so there may be a second one/)
  assert.equal((await caller.synapseState()).half, true)
  standby.signal('SIGCONT')
  await until(() => warned.length === 2, 'another one')

  const { peers, role } = await caller.synapseState()
  assert.deepEqual([role, peers.length, peers[0].url], ['leader', 1, standby.url])
  assert.match(warned[1], /hears every other one of its fabric again/)
  assert.equal((await caller.synapseState()).half, false)
})
