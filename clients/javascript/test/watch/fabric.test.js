// Watchers against a real Synapse, with workers in processes of their own.
import test from 'node:test'
import assert from 'node:assert/strict'
import { Dendrite, connectSynapse } from '../../src/index.js'
import { startPython } from '../support/child.js'
import { startSynapse } from '../support/synapse.js'
import { startWorker } from '../support/worker.js'
import { Log, until } from './support.js'

async function startDendrite(t, url, options = {}) {
  const synapse = await connectSynapse(url)
  const dendrite = new Dendrite({ synapse, dendriteId: 'caller', ...options })
  t.after(() => dendrite.stop())
  await dendrite.start({ timeoutMs: 20_000 })
  return dendrite
}

async function startFabric(t, neurons, options) {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons })
  const [caller, watcher] = await Promise.all([
    startDendrite(t, synapse.url, options),
    startDendrite(t, synapse.url, { dendriteId: 'watcher' }),
  ])
  return { synapse, worker, caller, watcher }
}

const idOf = ({ id }) => id
const spelled = ({ type, payload }) => (type === 'THOUGHT_DELTA' ? payload.seq : type)

test('each handler of the caller and of a stranger gets each Signal once', async (t) => {
  const { caller, watcher } = await startFabric(t, 'stream')
  const seen = { own: [], ownThoughts: [], stranger: [], strangerThoughts: [], tasks: [] }
  const keep = (name) => (signal) => seen[name].push(signal.id)
  caller.onAgentOutput({ neuron: 'stream' }, keep('own'))
  caller.onThoughtDelta(keep('ownThoughts'))
  watcher.onAgentOutput(keep('stranger'))
  watcher.onThoughtDelta(keep('strangerThoughts'))
  watcher.onTaskSignal({ neuron: 'stream' }, keep('tasks'))
  await watcher.sync()

  const outputs = await Promise.all(
    Array.from({ length: 50 }, () =>
      caller.dispatchAndWait({ neuron: 'stream', input: { pieces: 4 }, timeoutMs: 30_000 }),
    ),
  )
  await until(() => seen.strangerThoughts.length >= 200 && seen.stranger.length >= 50)

  const expected = new Set(outputs.map(idOf))
  for (const name of ['own', 'stranger']) assert.deepEqual(new Set(seen[name]), expected)
  assert.deepEqual(
    Object.values(seen).map((ids) => ids.length),
    [50, 200, 50, 200, 50],
  )
  assert.deepEqual(new Set(seen.ownThoughts), new Set(seen.strangerThoughts))
  assert.equal(watcher.counts['gap.broadcast'], undefined)
})

test('a trace comes once and in the order of the Synapse, child tasks included', async (t) => {
  const { caller, watcher } = await startFabric(t, 'child,stream')
  const { traceId } = caller.emit('PLAN', { steps: [] })
  const seen = { caller: [], watcher: [] }
  caller.onTrace(traceId, (signal) => seen.caller.push(signal))
  watcher.onTrace(traceId, (signal) => seen.watcher.push(signal))
  await Promise.all([caller.sync(), watcher.sync()])

  const input = { neuron: 'stream', input: { pieces: 3 } }
  await caller.ask({ neuron: 'child', input, traceId, timeoutMs: 30_000 })
  await until(() => seen.caller.length >= 7 && seen.watcher.length >= 7)

  const order = ['TASK', 'TASK', 0, 1, 2, 'AGENT_OUTPUT', 'AGENT_OUTPUT']
  assert.deepEqual(seen.caller.map(spelled), order)
  assert.deepEqual(seen.watcher.map(spelled), order)
  assert.deepEqual(seen.watcher.map(idOf), seen.caller.map(idOf))
})

test('what is emitted in one turn arrives in order and complete, by type and by trace', async (t) => {
  const { caller, watcher } = await startFabric(t, 'echo')
  const { traceId } = caller.emit('PLAN', { steps: [] })
  const byTrace = []
  watcher.onTrace(traceId, (signal) => byTrace.push(signal.payload.seq))
  const iterator = watcher.signals('THOUGHT_DELTA', { traceId })
  const byType = watcher.signals('THOUGHT_DELTA')
  await watcher.sync()
  const deltas = 2000
  // A listener counts at the Synapse before the publisher knows of it (08-port, P26).
  const isHeard = async () => {
    caller.emit('CRITIQUE', { target_event_id: '', issues: [], verdict: '' }, { traceId })
    return byTrace.length > 0
  }
  while (!(await isHeard())) await new Promise((resolve) => setImmediate(resolve))

  for (let seq = 0; seq < deltas; seq++)
    caller.emit('THOUGHT_DELTA', { delta: 'x', seq }, { traceId })

  const expected = Array.from({ length: deltas }, (_, i) => i)
  for (const each of [iterator, byType]) {
    const read = []
    for await (const { payload } of each) if (read.push(payload.seq) === deltas) break
    assert.deepEqual(read, expected)
  }
  await until(() => byTrace.length >= deltas)
  assert.deepEqual(
    byTrace.filter((seq) => seq !== undefined),
    expected,
  )
  assert.equal(watcher.counts['gap.broadcast'], undefined)
})

test('what is emitted is heard by a Python watcher', async (t) => {
  const synapse = await startSynapse(t)
  const caller = await startDendrite(t, synapse.url)
  const args = ['-m', 'cosmonapse.cli', 'doppler', '--json', '--type', 'PLAN', '--url', synapse.url]
  const doppler = startPython(t, args)
  let number = 0
  const emitting = setInterval(() => caller.emit('PLAN', { steps: [`step ${number++}`] }), 20)
  t.after(() => clearInterval(emitting))

  const line = await doppler.line('{')
  clearInterval(emitting) // before the Dendrite stops

  assert.match(line, /step \d+/)
  assert.match(line, /"caller"/)
})

test('a handler that throws or rejects costs no outcome and no other handler', async (t) => {
  const log = new Log()
  const { caller } = await startFabric(t, 'echo', { logger: log })
  const seen = []
  caller.onTaskSignal(function breaksOnTask() {
    throw new Error('mine')
  })
  caller.onAgentOutput(async function breaksOnOutput() {
    throw new Error('mine too')
  })
  caller.onAgentOutput(() => new Promise(() => {})) // never ends
  caller.onAgentOutput((signal) => seen.push(signal.payload.output))

  for (let n = 0; n < 3; n++)
    assert.deepEqual(await caller.ask({ neuron: 'echo', input: { n } }), { n })

  await until(() => seen.length === 3 && caller.counts.handler_raised === 6)
  const said = log.lines.map(([text, { message }]) => `${text.split(' ')[1]}: ${message}`)
  assert.deepEqual(said.sort(), ['breaksOnOutput: mine too', 'breaksOnTask: mine'])
})

test('watchers go on after a restart of the Synapse, and nothing comes twice', async (t) => {
  const { synapse, caller, watcher } = await startFabric(t, 'echo')
  const seen = []
  const away = []
  watcher.onAgentOutput((signal) => seen.push(signal.payload.output.n))
  watcher.onAway(() => away.push('away'))
  watcher.onBack(() => away.push('back'))
  await watcher.sync()
  await caller.ask({ neuron: 'echo', input: { n: 0 } })
  await until(() => seen.includes(0))

  await synapse.kill()
  await synapse.restart()
  await until(() => away.includes('back'), 30_000)
  await watcher.waitForNeuron({ neuron: 'echo' })
  await watcher.findNeurons() // its subscriptions were made before this question
  let n = 0
  while (!seen.includes(n)) {
    n++
    await caller.ask({ neuron: 'echo', input: { n }, timeoutMs: 20_000 })
    await new Promise((resolve) => setImmediate(resolve))
  }

  assert.equal(new Set(seen).size, seen.length)
  assert.deepEqual(away, ['away', 'back'])
})

test('the roster tells of neurons, Dendrites and the Synapse', async (t) => {
  const synapse = await startSynapse(t)
  const caller = await startDendrite(t, synapse.url)
  const waiting = caller.waitForNeuron({ capabilities: ['chat'], timeoutMs: 30_000 })
  assert.deepEqual(await caller.findNeurons(), [])

  await startWorker(t, synapse.url, {
    neurons: 'a:echo,b:echo',
    env: { CAPABILITIES: 'chat', VERSION: '7' },
  })

  const { neuronId, state, capabilities, version, dendriteId } = await waiting
  assert.ok(['a', 'b'].includes(neuronId))
  assert.deepEqual(
    [state, capabilities, version, dendriteId],
    ['alive', ['chat'], '7', 'js-worker'],
  )
  assert.deepEqual((await caller.findNeurons('chat')).map((each) => each.neuronId).sort(), [
    'a',
    'b',
  ])
  assert.deepEqual(await caller.findNeurons('other'), [])
  const names = (await caller.dendritesSnapshot()).map((each) => each.dendriteId ?? each.name)
  assert.deepEqual(names.sort(), ['caller', 'js-worker'])
  const { connections, axons } = await caller.synapseState()
  assert.deepEqual([connections, axons], [2, 2])
})

test('a stop ends every iterator and every handler', async (t) => {
  const synapse = await startSynapse(t)
  const watcher = await startDendrite(t, synapse.url)
  const reading = (async () => {
    const read = []
    for await (const signal of watcher.signals('PLAN')) read.push(signal.type)
    return read
  })()
  watcher.emit('PLAN', { steps: [] })

  await watcher.stop()

  assert.deepEqual(await reading, ['PLAN'])
})
