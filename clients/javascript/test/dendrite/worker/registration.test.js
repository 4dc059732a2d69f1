import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { LoopLag } from '../../../src/dendrite/worker/loop-lag.js'
import { stopSignal } from '../../../src/dendrite/worker/os-signals.js'
import { Registration } from '../../../src/dendrite/worker/registration.js'
import { Worker } from '../../../src/dendrite/worker/worker.js'
import { SynapseRefused, SynapseUnreachable } from '../../../src/errors.js'
import { FakeClient, give, inboxOf, taskOf } from './fakes.js'

function registrationOf(t, options) {
  const parts = inboxOf(() => new Promise(() => {}), {
    capabilities: ['chat'],
    version: '1.2',
    ...options,
  })
  const { client, inbox, warnings } = parts
  let nowMs = 0
  const registration = new Registration({
    client,
    url: 'cosmo://x',
    inbox,
    dendriteId: 'd',
    warnings,
    clock: () => nowMs,
  })
  t.after(() => registration.stop(null))
  return { ...parts, registration, pass: (ms) => (nowMs += ms) }
}

const facts = ({ verb, neuronId, facts: said }) => [verb, neuronId, said]

test('an Axon is registered as Python does it, and the start waits for the answer', async (t) => {
  const { client, registration } = registrationOf(t)
  let isStarted = false

  const started = registration.start(5000).then(() => {
    isStarted = true
  })
  await Promise.resolve()
  assert.equal(isStarted, false)
  registration.onRegistered('worker', '')
  await started

  const [said] = client.presence
  assert.deepEqual(facts(said), [
    'REGISTER',
    'worker',
    { role: 'worker', capabilities: ['chat'], version: '1.2' },
  ])
  assert.deepEqual(said.signal.payload, said.facts)
  assert.deepEqual(said.signal.meta, {
    dendrite: 'd',
    instance: client.instance.toString('hex'),
  })
  assert.equal(said.signal.directed.id, 'worker')
})

test('a refusal is an error of the start, with the reason', async (t) => {
  const { registration, warnings } = registrationOf(t)

  const started = registration.start(5000)
  registration.onRegistered('worker', 'too many seats')

  await assert.rejects(
    started,
    (error) => error instanceof SynapseRefused && /Axon worker: too many seats/.test(error.message),
  )
  assert.match(warnings.said[0].text, /refused the Axon worker: too many seats/)
})

test('no answer is an error of the start, with the names', async (t) => {
  const { registration } = registrationOf(t)

  await assert.rejects(
    registration.start(1),
    (error) =>
      error instanceof SynapseUnreachable && /did not acknowledge worker/.test(error.message),
  )
})

test('a HEARTBEAT tells the load, and one comes at once when tasks begin to wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { client, inbox, registration, pass } = registrationOf(t, { concurrency: 1 })
  inbox.onBusy = (neuronId) => registration.onBusy(neuronId)
  const started = registration.start(5000)
  registration.onRegistered('worker', '')
  await started
  client.presence = []

  t.mock.timers.tick(2000)
  give(inbox, taskOf())
  give(inbox, taskOf())
  give(inbox, taskOf())
  pass(100)
  registration.onBusy('worker')

  const said = client.presence.map(({ verb, facts: { status, running, queued } }) => [
    verb,
    status,
    running,
    queued,
  ])
  assert.deepEqual(said, [
    ['HEARTBEAT', 'ready', 0, 0],
    ['HEARTBEAT', 'busy', 1, 1],
  ])
  assert.equal(typeof client.presence[0].facts.loop_lag_ms, 'number')
})

test('a HEARTBEAT says how long the loop was blocked, and the carrier alone warns of it', async (t) => {
  const { client, registration, warnings } = registrationOf(t)
  client.heartbeatMs = 20
  const started = registration.start(5000)
  registration.onRegistered('worker', '')
  await started

  for (const untilMs = performance.now() + 1200; performance.now() < untilMs;);
  while (!client.presence.some((each) => each.facts.loop_lag_ms >= 1000)) await pause(5)

  assert.deepEqual(warnings.said, [])
})

test('DEREGISTER has the reason, and no HEARTBEAT follows it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { client, registration } = registrationOf(t)
  const started = registration.start(5000)
  registration.onRegistered('worker', '')
  await started

  registration.stop('signal')
  t.mock.timers.tick(10_000)
  registration.announce()

  assert.deepEqual(client.presence.slice(1).map(facts), [
    ['DEREGISTER', 'worker', { reason: 'signal' }],
  ])
})

function workerOf() {
  const client = new FakeClient()
  const stops = new Set()
  const subscriptions = {
    watchesTasks: false,
    mayWant: () => false,
    feed: () => {},
    settle: async () => {},
  }
  const published = {
    on: (types) => types.forEach((each) => stops.add(each)),
    off: (type) => stops.delete(type),
  }
  const worker = new Worker({
    client,
    subscriptions,
    publisher: {},
    published,
    caller: {},
    dendriteId: 'd',
    url: 'cosmo://x',
    logger: { warn() {} },
  })
  return { client, stops, worker }
}
const axonOf = (neuronId) => new Axon({ neuronId, neuronFn: async () => ({}) })

test('a start that failed leaves no timer and says nothing more', async (t) => {
  const { client, registration } = registrationOf(t)
  await assert.rejects(registration.start(1), SynapseUnreachable)
  client.presence = []

  registration.announce()
  registration.onBusy('worker')
  registration.stop('x')

  assert.deepEqual(client.presence, [])
})

test('an Axon that is being detached and becomes full sends no HEARTBEAT', async (t) => {
  const { client, inbox, registration } = registrationOf(t, { concurrency: 1 })
  inbox.onBusy = (neuronId) => registration.onBusy(neuronId)
  const started = registration.start(5000)
  registration.onRegistered('worker', '')
  await started
  client.barrier = () => new Promise(() => {})
  inbox.detach('worker', 0)
  client.presence = []

  give(inbox, taskOf())
  give(inbox, taskOf())

  assert.deepEqual(client.presence, [])
  assert.equal(inbox.jobs.size, 2)
})

test('a worker registers again at every welcome, and listens to STOP while it hosts an Axon', async () => {
  const { client, stops, worker } = workerOf()
  worker.attach(axonOf('a'))
  assert.deepEqual([...stops], ['STOP'])
  worker.onWelcomed(true)
  assert.deepEqual(client.presence, [])

  const started = worker.start(5000)
  worker.onRegistered('a', '')
  await started
  worker.onAway('gone')
  worker.onWelcomed(true)
  assert.deepEqual(
    client.presence.map(({ verb }) => verb),
    ['REGISTER', 'REGISTER'],
  )

  await worker.detach('a', 0)
  assert.equal(stops.size, 0)
  assert.equal(client.presence.at(-1).verb, 'DEREGISTER')
  await worker.stop(null, 0)
})

test('an Axon comes while the worker runs, and one that is refused is not kept', async () => {
  const { client, stops, worker } = workerOf()
  await worker.start(5000)

  const added = worker.add(axonOf('a'))
  worker.onRegistered('a', '')
  await added
  const refused = worker.add(axonOf('b'))
  worker.onRegistered('b', 'full')

  await assert.rejects(refused, SynapseRefused)
  await assert.rejects(worker.detach('b'), /no Axon with the id 'b'/)
  assert.equal(stops.size, 1)
  const last = client.presence.at(-1)
  assert.deepEqual([last.verb, last.neuronId], ['DEREGISTER', 'b'], 'it may still be on its way')
  await worker.stop(null, 0)
})

test('an Axon that comes while the start waits for an acknowledgement is registered', async () => {
  const { client, worker } = workerOf()
  worker.attach(axonOf('a'))
  const started = worker.start(5000)
  const added = worker.add(axonOf('b'))
  for (const each of ['a', 'b']) worker.onRegistered(each, '')
  await Promise.all([started, added])

  assert.deepEqual(
    client.presence.map(({ verb, neuronId }) => [verb, neuronId]),
    [
      ['REGISTER', 'a'],
      ['REGISTER', 'b'],
    ],
  )
  await worker.stop(null, 0)
})

test('the first SIGTERM or SIGINT is heard, and the handlers are gone then', async () => {
  const source = new EventEmitter()

  const heard = stopSignal(source)
  source.emit('SIGTERM', 'SIGTERM')

  assert.equal(await heard, 'SIGTERM')
  assert.equal(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT'), 0)
})

test('the longest lag is remembered until it is taken, and one that goes on counts', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let nowMs = 0
  const lag = new LoopLag(() => nowMs)
  lag.start()

  nowMs = 400
  assert.equal(lag.longestMs, 300)
  t.mock.timers.tick(100)
  nowMs = 500
  t.mock.timers.tick(100)
  assert.equal(lag.takeMs(), 300)
  assert.equal(lag.longestMs, 0)
  nowMs = 900
  assert.equal(lag.takeMs(), 300)
  assert.equal(lag.takeMs(), 0)
  lag.stop()
})
