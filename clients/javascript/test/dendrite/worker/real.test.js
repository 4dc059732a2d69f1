// A worker in JavaScript behind a real Synapse: its callers are in Python and in JavaScript.
import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Axon, Dendrite, connectSynapse } from '../../../src/index.js'
import { startPython } from '../../support/child.js'
import { startSynapse } from '../../support/synapse.js'
import { startWorker } from '../../support/worker.js'

const PYTHON_CALLER = fileURLToPath(new URL('../../support/worker_caller.py', import.meta.url))

async function callerOf(t, url, options = {}) {
  const dendrite = new Dendrite({ synapse: await connectSynapse(url), ...options })
  await dendrite.start({ timeoutMs: 20_000 })
  t.after(() => dendrite.stop({ drainMs: 0 }))
  return dendrite
}

const ask = (dendrite, neuron, input, options) =>
  dendrite.dispatchAndWait({ neuron, input, timeoutMs: 30_000, ...options })

test('a JavaScript caller gets what each kind of Neuron makes', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url)
  const dendrite = await callerOf(t, synapse.url)
  const of = async (neuron, input = {}) => {
    const { type, payload } = await ask(dendrite, neuron, input)
    return [type, payload.output ?? payload.code ?? payload]
  }

  assert.deepEqual(await of('echo', { a: [1, null] }), ['AGENT_OUTPUT', { a: [1, null] }])
  assert.deepEqual(await of('plain', 'x'), ['AGENT_OUTPUT', { value: 'x' }])
  assert.deepEqual(await of('stream'), ['AGENT_OUTPUT', { pieces: 3 }])
  assert.deepEqual(await of('generator'), ['AGENT_OUTPUT', { response: '0 1 2 ' }])
  assert.deepEqual(await of('fails'), ['ERROR', 'NEURON_EXCEPTION'])
  assert.deepEqual(await of('fails', { how: 'neuron' }), ['ERROR', 'NO_FILE'])
  assert.deepEqual(await of('fails', { how: 'output' }), ['ERROR', 'BAD_OUTPUT'])
  assert.deepEqual(await of('asks'), ['CLARIFICATION', { question: 'which one?' }])
  assert.deepEqual(await of('child', { neuron: 'echo', input: { q: 1 } }), [
    'AGENT_OUTPUT',
    { child: { q: 1 } },
  ])
})

test('a Python caller gets the same, streams in order, and its CANCEL arrives', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url)

  const caller = startPython(t, [PYTHON_CALLER, synapse.url])

  assert.equal(await caller.ended, 0, caller.said)
  assert.equal(await worker.line('aborted'), 'CANCELLED')
  assert.deepEqual(caller.lines, [
    "echo AGENT_OUTPUT {'output': {'a': [1, 2.5, 'x', None, b'b']}}",
    "stream THOUGHT_DELTA*2000 AGENT_OUTPUT {'output': {'pieces': 2000}}",
    "fails ERROR {'code': 'NO_FILE', 'message': 'no such file', 'recoverable': False, 'retry_after_s': 1.5}",
    "asks CLARIFICATION {'question': 'which one?'}",
    "answered AGENT_OUTPUT {'output': {'answered': 'the red one'}}",
    "meta ['dendrite', 'queued_ms', 'ran_ms'] js-worker",
    'cancelled',
    "stopped [(1, 'js-worker')] CANCELLED",
  ])
})

test('an open task is told with both ends, its age and the time that is left', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url, { neurons: 'slow' })
  const dendrite = await callerOf(t, synapse.url)

  const limits = { timeoutMs: 50_000 }
  const pathway = dendrite.dispatch({
    neuron: 'slow',
    input: { ms: 60_000, says: 'go' },
    ...limits,
  })
  await pathway.waitFor('THOUGHT_DELTA')
  const [task, ...others] = await dendrite.openTasks()
  pathway.close()

  assert.deepEqual(others, [])
  assert.deepEqual([task.traceId, task.state, task.neuron], [pathway.traceId, 'running', 'slow'])
  assert.deepEqual([task.dendriteId, task.caller, task.cancelled], ['js-worker', 'dendrite', false])
  assert.ok(task.remainingMs > 0 && task.ageMs + task.remainingMs <= 50_001)
  assert.ok(task.bytes > 100)
})

test('cosmo registry shows a JavaScript worker with its version and capabilities', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url, {
    neurons: 'a:echo',
    env: { VERSION: '3.1', CAPABILITIES: 'chat,code', DENDRITE_ID: 'node' },
  })
  const dendrite = await callerOf(t, synapse.url)

  const registry = startPython(t, ['-m', 'cosmonapse.cli', 'registry', '--url', synapse.url])
  const [record] = await dendrite.findNeurons('code')
  const { payload } = await dendrite.dispatchAndWait({ capabilities: ['code', 'chat'], input: 1 })

  assert.equal(await registry.ended, 0)
  assert.match(registry.said, /^a +alive +0 +0 +0 +\d+ +node +chat,? ?code$/m)
  assert.equal(record.version, '3.1')
  assert.deepEqual(payload.output, { value: 1 })
})

test('an Axon is added to a Dendrite that runs, and detached once its tasks have ended', async (t) => {
  const synapse = await startSynapse(t)
  const dendrite = await callerOf(t, synapse.url)
  let end
  const gate = new Promise((resolve) => {
    end = resolve
  })
  let begun
  const hasBegun = new Promise((resolve) => {
    begun = resolve
  })
  const neuronFn = async () => {
    begun()
    await gate
    return { done: true }
  }

  await dendrite.addAxon(new Axon({ neuronId: 'late', neuronFn }))
  const running = ask(dendrite, 'late', {})
  await hasBegun
  const detached = dendrite.detachAxon('late')
  const { payload } = await ask(dendrite, 'late', {})
  end()

  assert.equal(payload.code, 'NO_SUCH_NEURON')
  assert.deepEqual((await running).output, { done: true })
  await detached
})

test('two replicas share the tasks of their id', async (t) => {
  const synapse = await startSynapse(t)
  const workers = await Promise.all(
    [1, 2].map(() => startWorker(t, synapse.url, { neurons: 'counts' })),
  )
  const dendrite = await callerOf(t, synapse.url)

  const tasks = Array.from({ length: 40 }, () => ask(dendrite, 'counts', { n: 0, ms: 20 }))
  const runs = (await Promise.all(tasks)).map(({ output }) => output.runs)

  assert.equal(workers.length, 2)
  assert.equal(runs.filter((each) => each === 1).length, 2, 'each has counted from 1')
})

test('SIGTERM lets a worker finish what it runs, and its exit code is its own', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons: 'slow' })
  const dendrite = await callerOf(t, synapse.url)
  const running = ask(dendrite, 'slow', { ms: 1000, n: 1 })
  await worker.line('slow begins 1')

  worker.signal('SIGTERM')

  assert.deepEqual((await running).output, { ms: 1000, n: 1 })
  await worker.line('served')
  assert.equal(await worker.ended, 0)
  const { payload } = await ask(dendrite, 'slow', { ms: 1 })
  assert.equal(payload.code, 'NO_SUCH_NEURON')
})

test('a second SIGTERM ends a worker at once', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons: 'slow' })
  const dendrite = await callerOf(t, synapse.url)
  dendrite.dispatchTask({ neuron: 'slow', input: { ms: 60_000 } })
  await worker.line('slow begins')
  const events = dendrite.signals('DEREGISTER')
  const next = events.next()
  await dendrite.sync?.()

  worker.signal('SIGTERM')
  await next
  worker.signal('SIGTERM')

  assert.equal(await worker.ended, 'SIGTERM')
  await events.return()
})

test('a function that ignores its AbortSignal is CANCEL_TIMEOUT after 1 s', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons: 'deaf', env: { CONCURRENCY: '1' } })
  const dendrite = await callerOf(t, synapse.url)
  const running = dendrite.dispatch({ neuron: 'deaf', input: { ms: 60_000 } })
  await worker.line('deaf begins')

  running.close()

  await worker.line('(node:') // the warning of the worker
  assert.match(worker.said, /neuron deaf: its function did not end within 1 s/)
  const next = await ask(dendrite, 'deaf', { ms: 1 }, { timeoutMs: 500 }).catch((error) => error)
  assert.match(next.message, /did not|no outcome|within/, 'its place is still taken')
})

test('a worker whose loop was blocked for a second answers, and its registry shows the lag', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons: 'blocks' })
  const dendrite = await callerOf(t, synapse.url)

  const { output } = await ask(dendrite, 'blocks', { ms: 1500 })
  let axon
  do [axon] = await dendrite.findNeurons()
  while (axon.loopLagMs < 1000)

  assert.deepEqual(output, { ms: 1500 })
  assert.deepEqual(worker.lines, ['ready']) // up to 2 s are safe with every carrier
})

test('nothing runs twice and everything is answered while the Synapse is killed under load', async (t) => {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, {
    neurons: 'counts',
    env: { MAX_QUEUED: '5000' },
  })
  const dendrite = await callerOf(t, synapse.url)
  let isOver = false
  let next = 0
  const outcomes = {}
  const twice = []
  const loop = async () => {
    while (!isOver) {
      const n = next++
      const { type, payload } = await ask(dendrite, 'counts', { n, ms: n % 5 })
      outcomes[payload.code ?? type] = (outcomes[payload.code ?? type] ?? 0) + 1
      if (type === 'AGENT_OUTPUT' && payload.output.runs !== 1) twice.push(n)
    }
  }
  const loops = Array.from({ length: 32 }, loop)
  const answered = (count) =>
    new Promise((resolve) => {
      const from = outcomes.AGENT_OUTPUT ?? 0
      const timer = setInterval(() => {
        if ((outcomes.AGENT_OUTPUT ?? 0) < from + count) return
        clearInterval(timer)
        resolve()
      }, 5)
    })

  for (let kills = 0; kills < 4; kills++) {
    await answered(500)
    await synapse.kill()
    await synapse.restart()
  }
  await answered(500)
  isOver = true
  await Promise.all(loops)

  assert.deepEqual(twice, [])
  assert.doesNotMatch(worker.said, /ran again/)
  assert.deepEqual(Object.keys(outcomes), ['AGENT_OUTPUT'], JSON.stringify(outcomes))
})

test('a stream goes on in order behind a killed Synapse, from what the worker has kept', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url, { neurons: 'stream' })
  const dendrite = await callerOf(t, synapse.url)
  const pieces = 30_000
  const texts = []
  let last

  const pathway = dendrite.dispatch({ neuron: 'stream', input: { pieces }, timeoutMs: 60_000 })
  for await (const signal of pathway) {
    if (signal.type === 'THOUGHT_DELTA') texts.push(signal.payload.delta)
    last = signal
    if (texts.length === 5000) {
      await synapse.kill()
      await synapse.restart()
    }
  }

  assert.deepEqual(last.payload, { output: { pieces } })
  assert.equal(texts.length + (dendrite.counts['gap.replies'] ?? 0), pieces)
  const numbers = texts.map(Number)
  assert.ok(
    numbers.every((each, at) => at === 0 || each > numbers[at - 1]),
    'in order',
  )
})
