// Calls over a real Synapse to real workers, in JavaScript and in Python.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NeuronError, PathwayClosedError, SynapseAway, TimeoutError } from '../../../src/index.js'
import { ROOT, startNode, startPython } from '../../support/child.js'
import { startDendrite, until } from '../../support/dendrites.js'
import { startSynapse } from '../../support/synapse.js'
import { startWorker } from '../../support/worker.js'

const INDEX = fileURLToPath(new URL('../../../src/index.js', import.meta.url))
const PYTHON_WORKER = `${ROOT}tests/support/worker.py`
const JS_NEURONS = 'echo,stream,slow,deaf,fails,child,left,counts,speaks'

async function startPythonWorker(t, url, axons) {
  const spec = { namespace: 'default', axons }
  const worker = startPython(t, [PYTHON_WORKER, url, JSON.stringify(spec)])
  await worker.line('ready')
  return worker
}

async function scene(t, neurons = JS_NEURONS) {
  const synapse = await startSynapse(t)
  const worker = await startWorker(t, synapse.url, { neurons })
  const dendrite = await startDendrite(t, synapse.url, { dendriteId: 'caller' })
  return { synapse, worker, dendrite }
}

const typesOf = async (pathway) => {
  const types = []
  for await (const { type } of pathway) types.push(type)
  return types
}

test('calls', async (t) => {
  const { worker, dendrite } = await scene(t)

  await t.test('ask resolves to the output, dispatchAndWait to the Signal', async () => {
    const input = { prompt: 'hi', bytes: Buffer.from([0, 255]), big: 2n ** 63n }
    const signal = await dendrite.dispatchAndWait({ neuron: 'echo', input, meta: { m: 1 } })
    assert.deepEqual(await dendrite.ask({ neuron: 'echo', input }), input)
    assert.equal(signal.type, 'AGENT_OUTPUT')
    assert.equal(signal.directed.id, 'echo')
    assert.deepEqual(signal.output, input)
  })

  await t.test('with finalize the output is a FINAL', async () => {
    const signal = await dendrite.dispatchAndWait({ neuron: 'echo', input: {}, finalize: true })
    assert.equal(signal.type, 'FINAL')
    assert.deepEqual(await dendrite.ask({ neuron: 'echo', input: {}, finalize: true }), {})
  })

  await t.test('an ERROR is a NeuronError with its facts', async () => {
    const input = { how: 'neuron', code: 'NO_FILE' }
    await assert.rejects(dendrite.ask({ neuron: 'fails', input }), (error) => {
      assert.ok(error instanceof NeuronError)
      assert.deepEqual(
        [error.code, error.message, error.recoverable, error.retryAfterMs, error.status],
        ['NO_FILE', 'no such file', false, 1500, 502],
      )
      return true
    })
  })

  await t.test('nobody there is an ERROR at once', async () => {
    const input = 1
    const code = async (options) => (await dendrite.dispatchAndWait(options)).payload.code
    assert.equal(await code({ neuron: 'nobody', input }), 'NO_SUCH_NEURON')
    assert.equal(await code({ capabilities: ['flying'], input }), 'NO_CAPABLE_NEURON')
  })

  await t.test('a deadline cancels the work at the worker', async () => {
    const asking = dendrite.ask({ neuron: 'slow', input: { n: 1, ms: 60_000 }, timeoutMs: 300 })
    await worker.line('slow begins 1')
    await assert.rejects(asking, (error) => {
      assert.ok(error instanceof TimeoutError)
      assert.match(error.message, /^no reply from neuron 'slow' on trace .* within 300 ms$/)
      return true
    })
    await worker.line('aborted')
  })

  await t.test('an AbortSignal cancels the work at the worker', async () => {
    const from = worker.lines.length
    const aborter = new AbortController()
    const { signal } = aborter
    const asking = dendrite.ask({ neuron: 'slow', input: { n: 2, ms: 60_000 }, signal })
    await worker.line('slow begins 2', { from })
    aborter.abort()
    await assert.rejects(asking, { name: 'AbortError' })
    await worker.line('aborted CANCELLED', { from })
  })

  await t.test('a stream arrives in order, and its loop ends by itself', async () => {
    const pathway = dendrite.dispatch({ neuron: 'stream', input: { pieces: 200 } })
    const texts = []
    const thinking = (async () => {
      for await (const text of pathway.thoughts()) texts.push(text)
    })()
    const types = await typesOf(pathway)
    await thinking
    assert.deepEqual(types, [...Array(200).fill('THOUGHT_DELTA'), 'AGENT_OUTPUT'])
    assert.deepEqual(
      texts,
      Array.from({ length: 200 }, (_, at) => `${at} `),
    )
  })

  await t.test('break leaves the task, disposal cancels it', async () => {
    const from = worker.lines.length
    const pathway = dendrite.dispatch({ neuron: 'slow', input: { n: 3, ms: 60_000 } })
    await worker.line('slow begins 3', { from })
    const waiting = pathway.wait()
    await pathway[Symbol.asyncDispose]()
    await worker.line('aborted CANCELLED', { from })
    assert.equal((await waiting).payload.code, 'CANCELLED')
    await assert.rejects(pathway.wait(), PathwayClosedError)
  })

  await t.test('everything that a Neuron says arrives, before its output', async () => {
    const types = await typesOf(dendrite.dispatch({ neuron: 'speaks', input: {} }))
    assert.deepEqual(types, [
      'THOUGHT_DELTA',
      'THOUGHT_DELTA',
      'TOOL_CALL',
      'TOOL_RESULT',
      'PLAN',
      'MEMORY_APPEND',
      'AGENT_OUTPUT',
    ])
  })

  await t.test('a child task of a Neuron has the trace of its parent', async () => {
    const seen = []
    const off = dendrite.onTaskSignal((signal) => seen.push(signal))
    const pathway = dendrite.dispatch({
      neuron: 'child',
      input: { neuron: 'echo', input: { a: 1 } },
    })
    assert.deepEqual((await pathway.outcome()).output, { child: { a: 1 } })
    await until(() => seen.length === 2, 'both TASKs')
    off()
    const [child] = seen.filter((each) => each.id !== pathway.task.id)
    assert.equal(child.traceId, pathway.traceId)
    assert.equal(child.parentId, pathway.task.id)
  })

  await t.test('a cancel passes down to the child tasks of a Neuron', async () => {
    const from = worker.lines.length
    const aborter = new AbortController()
    const { signal } = aborter
    const input = { neuron: 'slow', input: { n: 4, ms: 60_000 } }
    const asking = dendrite.ask({ neuron: 'child', input, signal })
    await worker.line('slow begins 4', { from })
    aborter.abort()
    await assert.rejects(asking, { name: 'AbortError' })
    await worker.line('aborted', { from })
  })

  await t.test('a child task has the time that its parent has left', async () => {
    const input = { neuron: 'left', input: {} }
    const { child } = await dendrite.ask({ neuron: 'child', input, timeoutMs: 20_000 })
    assert.ok(child.remainingMs > 0 && child.remainingMs <= 20_000, String(child.remainingMs))
  })

  await t.test('a call whose child task has no time left is a TimeoutError', async () => {
    const input = { neuron: 'slow', input: { n: 5, ms: 60_000 } }
    await assert.rejects(dendrite.ask({ neuron: 'child', input, timeoutMs: 500 }), TimeoutError)
  })

  await t.test('dispatchTask returns the TASK, and the outcome goes to the handlers', async () => {
    const outputs = []
    const off = dendrite.onAgentOutput({ neuron: 'echo' }, (signal) => outputs.push(signal))
    const task = dendrite.dispatchTask({ neuron: 'echo', input: { a: 1 } })
    await until(() => outputs.length > 0, 'the output')
    off()
    assert.equal(outputs[0].parentId, task.id)
  })

  await t.test('observePathway sees the trace of another Dendrite until its FINAL', async () => {
    const other = await startDendrite(t, await urlOf(dendrite), { dendriteId: 'other' })
    const first = dendrite.dispatch({ neuron: 'echo', input: {} })
    const { traceId } = first
    const observed = await other.observePathway(traceId)
    await first.outcome()
    const last = dendrite.dispatch({ neuron: 'stream', input: {}, traceId, finalize: true })
    await last.outcome()
    const types = await typesOf(observed)
    assert.equal(observed.role, 'observer')
    assert.equal(types.at(-1), 'FINAL')
    assert.ok(types.includes('THOUGHT_DELTA') && types.includes('TASK'))
  })

  await t.test('a Pathway with the scope terminal follows the trace to its FINAL', async () => {
    const pathway = dendrite.dispatch({ neuron: 'echo', input: {}, scope: 'terminal' })
    await pathway.waitFor('AGENT_OUTPUT')
    assert.equal(pathway.closed, false)
    const { traceId } = pathway
    await dendrite.ask({ neuron: 'echo', input: {}, traceId, finalize: true })
    assert.equal((await pathway.outcome()).type, 'FINAL')
  })

  await t.test('50 calls under one AbortSignal warn of nothing and end together', async () => {
    const warnings = []
    const note = (warning) => warnings.push(warning)
    process.on('warning', note)
    const aborter = new AbortController()
    const { signal } = aborter
    const input = { ms: 60_000 }
    const calls = Array.from({ length: 50 }, () => dendrite.ask({ neuron: 'slow', input, signal }))
    aborter.abort()
    const ends = await Promise.allSettled(calls)
    process.off('warning', note)
    assert.ok(ends.every((each) => each.reason === signal.reason))
    assert.deepEqual(warnings, [])
  })

  await t.test('a worker that is killed ends its task with WORKER_LOST', async () => {
    const from = worker.lines.length
    const asking = dendrite.ask({ neuron: 'slow', input: { n: 9, ms: 60_000 } })
    await worker.line('slow begins 9', { from })
    await worker.kill()
    await assert.rejects(asking, { name: 'NeuronError', code: 'WORKER_LOST', recoverable: true })
  })
})

const urlOf = async (dendrite) => String(dendrite.synapse.url?.text ?? dendrite.synapse.url)

test('a Python worker answers, streams, fails and is cancelled', async (t) => {
  const synapse = await startSynapse(t)
  const dendrite = await startDendrite(t, synapse.url)
  const axons = ['echo', 'stream', 'held', 'fails'].map((does) => ({ does, neuron_id: does }))
  const worker = await startPythonWorker(t, synapse.url, axons)

  const pathway = dendrite.dispatch({ neuron: 'echo', input: [1, 2.5, 'x', null] })
  const { output } = await pathway.outcome()
  assert.deepEqual(output, { echo: [1, 2.5, 'x', null], trace_id: pathway.traceId })
  assert.equal((await dendrite.ask({ neuron: 'stream', input: { count: 3 } })).response, '0 1 2 ')
  await assert.rejects(dendrite.ask({ neuron: 'fails', input: { why: 'so' } }), {
    code: 'NO_GOOD',
    message: 'so',
  })
  const aborter = new AbortController()
  const { signal } = aborter
  const held = dendrite.ask({ neuron: 'held', input: { n: 1 }, signal })
  await worker.line('holding 1')
  aborter.abort()
  await assert.rejects(held, { name: 'AbortError' })
  await worker.line('cancelled 1')
})

test('a killed caller takes its task with it, but not one that is kept', async (t) => {
  const { synapse, dendrite, worker } = await scene(t, 'slow')
  const outputs = []
  dendrite.onAgentOutput((signal) => outputs.push(signal.payload.output.n))
  await dendrite.sync()
  const caller = startNode(t, [
    '--input-type=module',
    '-e',
    `import { Dendrite, connectSynapse } from '${INDEX}'
     const d = new Dendrite({ synapse: await connectSynapse('${synapse.url}') })
     await d.start()
     d.dispatchTask({ neuron: 'slow', input: { n: 'kept', ms: 1500 } })
     d.ask({ neuron: 'slow', input: { n: 'asked', ms: 60_000 } })`,
  ])
  await Promise.all([worker.line('slow begins kept'), worker.line('slow begins asked')])
  await caller.kill()
  await worker.line('aborted CANCELLED')
  await until(() => outputs.length > 0, 'the output of the task that is kept')
  assert.deepEqual(outputs, ['kept'])
})

test('a killed Synapse that comes back loses no call and runs none twice', async (t) => {
  const { synapse, dendrite, worker } = await scene(t, 'counts')
  const asked = Array.from({ length: 64 }, (_, n) =>
    dendrite.ask({ neuron: 'counts', input: { n, ms: 400 }, timeoutMs: 60_000 }),
  )
  await dendrite.ask({ neuron: 'counts', input: { n: 'first', ms: 1 } })
  const away = new Promise((resolve) => dendrite.onAway(resolve))
  const back = new Promise((resolve) => dendrite.onBack(resolve))
  await synapse.kill()
  await away
  assert.equal(dendrite.state, 'away')
  const later = dendrite.ask({ neuron: 'counts', input: { n: 'later' }, timeoutMs: 60_000 })
  await synapse.restart()
  await back
  assert.equal(dendrite.state, 'running')
  const outputs = await Promise.all([...asked, later])
  assert.ok(outputs.every((each) => each.runs === 1))
  assert.ok(!worker.said.includes('ran again'))
})

test('while the Synapse is away a call that never left is a SynapseAway', async (t) => {
  const { synapse, dendrite } = await scene(t, 'echo')
  const away = new Promise((resolve) => dendrite.onAway(resolve))
  await synapse.kill()
  await away
  await assert.rejects(dendrite.ask({ neuron: 'echo', input: 1, timeoutMs: 200 }), (error) => {
    assert.ok(error instanceof SynapseAway)
    assert.ok(error.awayMs > 0)
    return true
  })
  const pathway = dendrite.dispatch({ neuron: 'echo', input: 1, timeoutMs: 200 })
  assert.equal((await pathway.outcome()).payload.code, 'SYNAPSE_AWAY')
})
