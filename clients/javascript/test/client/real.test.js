// Clients over a real Synapse, which is killed (-9) and started again under load.
import test from 'node:test'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Client } from '../../src/client/client.js'
import { SynapseRefused } from '../../src/errors.js'
import { Synapse } from '../../src/index.js'
import { CLAIM, KEEP, SETTLES } from '../../src/wire/wire.js'
import { freePorts, startSynapse } from '../support/synapse.js'
import { Recorder } from './receiver.js'
import { TIMEOUT_MS } from './scene.js'

const WAIT_MS = 30_000
const keyOf = (id) => id.latin1Slice(0, 16)
const ids = () => randomBytes(16)

function clientOf(t, url, receiver, { name = 'me', namespace = 'default', ...more } = {}) {
  const carrier = new Synapse(url).carrier()
  const client = new Client({ carrier, url, namespace, name, log: () => {}, ...more }, receiver)
  t.after(() => client.close(0))
  return { client, carrier }
}

/** A worker that answers each task with its own body, and keeps what a resync asks for. */
class Worker extends Recorder {
  tasks = new Map() // caller and task -> { held, body }
  runs = new Map() // task -> how often it ran
  constructor(t, url, options) {
    super()
    Object.assign(this, clientOf(t, url, this, { name: 'worker', ...options }))
    this.client.resyncFrom(this)
  }
  async start(neuronId = 'echo') {
    this.neuronId = neuronId
    await this.client.open(TIMEOUT_MS)
    this.register()
    await this.until('onRegistered')
    return this
  }
  register() {
    const facts = { capabilities: ['chat', 'echo'], version: '1.2', role: 'worker' }
    this.client.sendPresence('REGISTER', this.neuronId, facts, 5, Buffer.from('here'))
  }
  onWelcomed(fresh) {
    super.onWelcomed(fresh)
    if (this.neuronId) this.register()
  }
  onTask(caller, address, task, trace, kind, ttlMs, flags, body) {
    const key = keyOf(caller) + keyOf(task)
    if (this.tasks.has(key)) {
      this.sendAgain(caller, task)
      return
    }
    const copy = (each) => Buffer.from(each)
    const held = {
      caller: copy(caller),
      task: copy(task),
      trace: copy(trace),
      neuronId: address,
      claim: CLAIM.RUNNING,
      leftMs: ttlMs,
      keep: (flags & KEEP) !== 0,
    }
    const name = keyOf(held.task)
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1)
    this.tasks.set(key, { held, body: copy(body) })
    setTimeout(() => this.answer(key), Math.random() * 4)
  }
  answer(key) {
    const { held, body } = this.tasks.get(key)
    held.claim = CLAIM.ANSWERED
    this.client.sendReply(held.caller, held.task, held.trace, 2, body, 0, SETTLES)
  }
  sendAgain(caller, task) {
    const key = keyOf(caller) + keyOf(task)
    if (this.tasks.get(key)?.held.claim === CLAIM.ANSWERED) this.answer(key)
  }
  openTasks() {
    return []
  }
  heldTasks() {
    const all = [...this.tasks.values()].map(({ held }) => held)
    return all.filter(({ claim }) => claim === CLAIM.RUNNING)
  }
  claimOf(caller, task) {
    return this.tasks.get(keyOf(caller) + keyOf(task))?.held ?? null
  }
}

/** A caller that keeps its open tasks, and sends one that was not started again. */
class Caller extends Recorder {
  open = new Map()
  ends = { answered: 0, again: 0, twice: 0 }
  constructor(t, url, options) {
    super()
    Object.assign(this, clientOf(t, url, this, { name: 'caller', ...options }))
    this.client.resyncFrom(this)
  }
  call(body, address = {}) {
    const task = ids()
    const endMs = performance.now() + WAIT_MS
    return new Promise((resolve) => {
      const call = { task, body, address, endMs, resolve }
      this.open.set(keyOf(task), call)
      this.send(call)
    })
  }
  send({ task, body, address: { neuron = 'echo', capabilities = [] }, endMs }) {
    const leftMs = endMs - performance.now()
    return this.client.sendTask(neuron, capabilities, task, task, 1, body, leftMs, 0)
  }
  end(task, how) {
    const call = this.open.get(keyOf(task))
    if (call === undefined) {
      this.ends.twice++
      return
    }
    this.open.delete(keyOf(task))
    call.resolve(how)
  }
  onReply(worker, task, trace, kind, index, flags, body) {
    assert.equal(flags & SETTLES, SETTLES)
    const call = this.open.get(keyOf(task))
    if (call) assert.deepEqual(Buffer.from(body), call.body)
    this.end(task, 'answered')
  }
  onBounce(task, reason) {
    this.end(task, `bounced ${reason}`)
  }
  onLost(task, reason) {
    const call = this.open.get(keyOf(task))
    if (reason === 'not_started' && call) {
      this.ends.again++
      this.send(call)
    } else this.end(task, `lost ${reason}`)
  }
  openTasks() {
    const nowMs = performance.now()
    return [...this.open.values()].map(({ task, endMs }) => {
      return { task, trace: task, nextIndex: 0, leftMs: endMs - nowMs, keep: false }
    })
  }
  heldTasks() {
    return []
  }
  claimOf() {
    return null
  }
}

test('tasks find their worker by name and by capabilities, and bounce without one', async (t) => {
  const { url } = await startSynapse(t)
  const caller = new Caller(t, url)
  await caller.client.open(TIMEOUT_MS)
  await new Worker(t, url).start()

  const asked = [{}, { neuron: null, capabilities: ['echo', 'chat'] }, { neuron: 'nobody' }]
  const ends = await Promise.all(asked.map((each) => caller.call(Buffer.from('x'), each)))

  assert.deepEqual(ends, ['answered', 'answered', 'bounced no_route'])
  assert.equal(await caller.client.close(TIMEOUT_MS), true)
})

test('the tasks of a worker that vanishes are lost, and those of one that leaves as well', async (t) => {
  const { url } = await startSynapse(t)
  const caller = new Caller(t, url)
  await caller.client.open(TIMEOUT_MS)
  for (const end of [({ carrier }) => carrier.close(), ({ client }) => client.close(TIMEOUT_MS)]) {
    const worker = new Worker(t, url)
    worker.answer = () => {}
    await worker.start()
    const ended = caller.call(Buffer.from('x'))
    while (worker.runs.size === 0) await new Promise(setImmediate)
    end(worker)

    assert.equal(await ended, 'lost worker_lost')
  }
})

test('what is published is heard by type and by trace, and directed messages are copied', async (t) => {
  const { url } = await startSynapse(t)
  const watcher = new Recorder()
  const { client } = clientOf(t, url, watcher)
  await client.open(TIMEOUT_MS, [{ kind: 9 }, { kind: 1 }])
  const speaker = new Caller(t, url)
  await speaker.client.open(TIMEOUT_MS)
  await new Worker(t, url).start()
  const trace = ids()
  client.listen({ trace })
  await client.sync(TIMEOUT_MS)

  // Its listeners are unknown yet, so it is handed over: one message for both topics.
  assert.equal(speaker.client.publish(9, trace, Buffer.from('p')), 1)
  await watcher.until('onHeard', 2)
  await speaker.call(Buffer.from('t'))
  const heard = await watcher.until('onHeard', 3)

  const plain = heard.map(([kind, , caller, , body]) => [kind, keyOf(caller), String(body)])
  const me = keyOf(speaker.client.instance)
  assert.deepEqual(plain.slice(0, 2).sort(), [
    [-1, me, 'p'],
    [9, me, 'p'],
  ])
  assert.deepEqual(plain[2], [1, me, 't'])
})

test('a namespace that is not served is refused, and the text names those that are', async (t) => {
  const { url } = await startSynapse(t, { namespaces: ['prod', 'stage'] })
  const { client } = clientOf(t, url, new Recorder(), { namespace: 'dev' })

  await assert.rejects(client.open(TIMEOUT_MS), (error) => {
    assert.ok(error instanceof SynapseRefused)
    assert.match(error.message, /prod/)
    return true
  })
})

test('the Synapse is asked for its Axons, its Dendrites and its state', async (t) => {
  const { url } = await startSynapse(t)
  const { client } = await new Worker(t, url).start('seat')
  const caller = new Caller(t, url)
  await caller.client.open(TIMEOUT_MS)
  await caller.call(Buffer.from('x'), { neuron: 'seat' })

  const [axon] = await caller.client.roster({ neuronId: 'seat' }, TIMEOUT_MS)
  const dendrites = await caller.client.dendrites(TIMEOUT_MS)
  const state = await caller.client.state(TIMEOUT_MS)

  assert.deepEqual(
    [axon.neuronId, axon.capabilities, axon.instance, axon.version, axon.role, axon.state],
    ['seat', ['chat', 'echo'], client.instance.toString('hex'), '1.2', 'worker', 'alive'],
  )
  assert.deepEqual(
    dendrites.map(({ dendriteId, axons, calls }) => [dendriteId, axons, calls]).sort(),
    [
      ['caller', 0, true],
      ['worker', 1, false],
    ],
  )
  assert.deepEqual([state.connections, state.axons, state.draining], [2, 1, false])
  assert.equal(await caller.client.barrier(TIMEOUT_MS), true)
})

test('a roster of several pages is complete', async (t) => {
  const { url } = await startSynapse(t)
  const { client } = clientOf(t, url, new Recorder())
  await client.open(TIMEOUT_MS)
  for (let at = 0; at < 230; at++)
    client.sendPresence('REGISTER', `seat-${at}`, {}, 5, Buffer.alloc(0))

  const rows = await client.roster({}, TIMEOUT_MS)

  assert.deepEqual(
    rows.map(({ neuronId }) => neuronId),
    Array.from({ length: 230 }, (_, at) => `seat-${at}`),
  )
})

test('open waits for a Synapse that starts later, and a port of nobody is unreachable', async (t) => {
  const port = await freePorts()
  const url = `cosmo://127.0.0.1:${port}`
  const receiver = new Recorder()
  const early = clientOf(t, url, new Recorder())
  await assert.rejects(early.client.open(100), /no process listens at .*cosmo synapse start/)
  const { client } = clientOf(t, url, receiver)
  const opening = client.open(null)

  await startSynapse(t, { port })
  await opening

  assert.deepEqual(receiver.heard, [['onWelcomed', true]])
})

test('a Synapse that stops in order is left, and the next one is found', async (t) => {
  const synapse = await startSynapse(t)
  const caller = new Caller(t, synapse.url)
  await caller.client.open(TIMEOUT_MS)
  const worker = await new Worker(t, synapse.url).start()
  await synapse.stop()
  await caller.until('onAway')
  assert.ok(caller.client.awayMs >= 0)
  const waiting = caller.call(Buffer.from('x'))

  await synapse.restart()

  let end = await waiting
  // 03, Parking: a worker that comes back later than a second after the start gets what is sent then.
  while (end === 'bounced no_route') end = await caller.call(Buffer.from('x'))
  assert.equal(end, 'answered')
  assert.deepEqual((await worker.until('onWelcomed', 2)).at(-1), [true])
  assert.equal(caller.client.awayMs, null)
})

test('no task is lost and none runs twice while the Synapse is killed under load', async (t) => {
  const synapse = await startSynapse(t)
  const caller = new Caller(t, synapse.url)
  await caller.client.open(TIMEOUT_MS)
  const workers = [new Worker(t, synapse.url), new Worker(t, synapse.url)]
  for (const each of workers) await each.start()
  const ends = new Map()
  let isOver = false
  let calls = 0
  let wake = () => {}
  const lane = async () => {
    while (!isOver) {
      const how = await caller.call(Buffer.from(String(calls++)))
      ends.set(how, (ends.get(how) ?? 0) + 1)
      wake()
    }
  }
  const lanes = Array.from({ length: 64 }, lane)
  const until = async (count) => {
    while ((ends.get('answered') ?? 0) < count) await new Promise((resolve) => (wake = resolve))
  }
  for (let kill = 1; kill <= 3; kill++) {
    await until(kill * 1500)
    await synapse.kill()
    await synapse.restart()
  }
  await until(6000)
  isOver = true
  await Promise.all(lanes)

  assert.deepEqual([...ends.keys()], ['answered'])
  assert.equal(ends.get('answered'), calls)
  const runs = workers.flatMap((each) => [...each.runs])
  assert.equal(new Set(runs.map(([task]) => task)).size, runs.length, 'at one worker only')
  assert.deepEqual([...new Set(runs.map(([, count]) => count))], [1])
  assert.equal(runs.length, calls)
})
