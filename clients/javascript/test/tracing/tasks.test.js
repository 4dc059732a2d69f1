// The spans of tasks, of callers and workers in one process, behind a real Synapse.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'node:test'
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { Axon, Dendrite, NeuronError, connectSynapse } from '../../src/index.js'
import { InvalidArgument } from '../../src/errors.js'
import { startSynapse } from '../support/synapse.js'
import { Spans } from '../support/spans.js'

const MARKER = 'THE-SECRET-PROMPT'
const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const KIND = { SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 }
const neurons = {
  leaf: async (input, context) => ({ meta: context.task.meta }),
  async *streaming(input, context) {
    yield 'so '
    await pause(1)
    yield await context.ask({ neuron: 'leaf', input }).then(() => 'on')
  },
  async parent(input, context) {
    const call = await context.toolCall('search', { q: MARKER })
    await context.toolResult(call, MARKER)
    await context.toolCall('unended', {})
    return context.ask({ neuron: 'streaming', input })
  },
  failing() {
    throw new Error(MARKER)
  },
  asking: (input) => input.clarification ?? { __clarification__: true, question: 'which?' },
  gated: async () => pause(60, {}),
}
const axons = Object.entries(neurons).map(
  ([neuronId, neuronFn]) =>
    new Axon({
      neuronId,
      neuronFn,
      ...(neuronId === 'gated' ? { concurrency: 1, maxQueued: 1 } : {}),
    }),
)

let url
test.before(async (t) => {
  ;({ url } = await startSynapse(t))
})

async function started(t, options, hosted = []) {
  const dendrite = new Dendrite({ synapse: await connectSynapse(url), ...options })
  for (const each of hosted) dendrite.attachAxon(each)
  await dendrite.start({ timeoutMs: 20_000 })
  t.after(() => dendrite.stop({ drainMs: 0 }))
  return dendrite
}

async function fabric(t, tracing) {
  const spans = new Spans()
  const namespace = `n${Math.random().toString(36).slice(2)}`
  const worker = await started(
    t,
    { namespace, dendriteId: 'worker', role: 'worker', tracing: spans.api },
    axons,
  )
  const own = tracing === undefined ? spans.api : tracing
  const caller = await started(t, { namespace, dendriteId: 'caller', tracing: own })
  const ask = (neuron, more) => caller.ask({ neuron, input: { text: MARKER }, ...more })
  return { spans, caller, worker, ask }
}

const within = (spans, name, fn) => {
  const span = spans.tracer.startSpan(name)
  return spans.context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
    const value = await fn()
    span.end()
    return value
  })
}

test('a workflow is one tree, through generators and child tasks', async (t) => {
  const { spans, ask } = await fabric(t)

  await within(spans, 'request', () => ask('parent'))

  assert.deepEqual(spans.tree(), [
    ' > request',
    'dispatch leaf > invoke_agent leaf',
    'dispatch parent > invoke_agent parent',
    'dispatch streaming > invoke_agent streaming',
    'invoke_agent parent > dispatch streaming',
    'invoke_agent parent > execute_tool search',
    'invoke_agent parent > execute_tool unended',
    'invoke_agent streaming > dispatch leaf',
    'request > dispatch parent',
  ])
  assert.equal(new Set(spans.all.map((each) => each.traceId)).size, 1)
  assert.deepEqual(spans.one('dispatch streaming').events, ['cosmonapse.first_thought'])
  assert.deepEqual(spans.one('invoke_agent streaming').events, ['cosmonapse.first_thought'])
  const run = spans.one('invoke_agent leaf').attributes
  assert.equal(run['gen_ai.agent.name'], 'leaf')
  assert.equal(run['cosmonapse.outcome'], 'AGENT_OUTPUT')
  assert.equal(run['cosmonapse.dendrite'], 'worker')
  assert.doesNotMatch(JSON.stringify(spans.all), new RegExp(MARKER))
})

test('who waits is a client, and who hands in a producer', async (t) => {
  const { spans, caller, worker, ask } = await fabric(t)
  await ask('leaf')

  caller.dispatchTask({ neuron: 'streaming', input: {} })
  await caller.waitForNeuron({ neuron: 'streaming' }) // behind it on the same connection
  await worker.stop() // it drains

  const kinds = spans.all.map(({ name, kind }) => [name, kind])
  const of = Object.fromEntries(kinds.filter(([name]) => !name.startsWith('queue')))
  assert.equal(of['dispatch streaming'], KIND.PRODUCER)
  assert.equal(of['invoke_agent streaming'], KIND.CONSUMER)
  assert.equal(spans.named('dispatch leaf')[0].kind, KIND.CLIENT)
  assert.equal(spans.named('invoke_agent leaf')[0].kind, KIND.SERVER)
})

test('an error sets status and code at both ends, and its text stays out', async (t) => {
  const { spans, ask } = await fabric(t)

  await assert.rejects(ask('failing'), NeuronError)
  await assert.rejects(ask('nobody'), NeuronError)

  for (const name of ['dispatch failing', 'invoke_agent failing']) {
    const { status, attributes } = spans.one(name)
    assert.deepEqual(status, { code: 2, message: 'NEURON_EXCEPTION' })
    assert.equal(attributes['error.type'], 'NEURON_EXCEPTION')
  }
  assert.equal(spans.one('dispatch nobody').attributes['error.type'], 'NO_SUCH_NEURON')
  assert.doesNotMatch(JSON.stringify(spans.all), new RegExp(MARKER))
})

test('a question and its answer stay in the trace, no matter who answers', async (t) => {
  const { spans, caller, ask } = await fabric(t)
  caller.onClarification({}, (question) =>
    within(spans, 'somebody else', () => caller.respondToClarification(question, 'that one')),
  )

  await ask('asking')

  const [first, second] = spans.named('dispatch asking')
  assert.equal(first.attributes['cosmonapse.outcome'], 'CLARIFICATION')
  assert.equal(second.parentId, first.spanId)
  const runs = spans.named('invoke_agent asking').map((each) => each.parentId)
  assert.deepEqual(runs, [first.spanId, second.spanId])
})

test('a wait for a place has a span, and a refusal too', async (t) => {
  const { spans, ask } = await fabric(t)
  const settled = await Promise.allSettled([ask('gated'), ask('gated'), ask('gated')])

  assert.deepEqual(
    settled.map((each) => each.status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  const waits = spans.named('queue gated')
  const refused = waits.find((each) => each.attributes['error.type'] === 'OVERLOADED')
  assert.ok(refused)
  const run = spans.named('invoke_agent gated')[1]
  assert.ok(waits.some((each) => each.parentId === run.parentId))
  assert.ok(run.attributes['cosmonapse.queued_ms'] >= 30)
})

test('what the caller was given is the parent where no span is current', async (t) => {
  const { spans, ask } = await fabric(t)
  const meta = { traceparent: PARENT, tracestate: 'a=1' }

  await ask('leaf', { meta })
  await within(spans, 'request', () => ask('leaf', { meta }))

  const [given, current] = spans.named('dispatch leaf')
  assert.equal(given.traceId, PARENT.slice(3, 35))
  assert.equal(given.parentId, PARENT.slice(36, 52))
  assert.equal(given.traceState, 'a=1')
  assert.equal(current.parentId, spans.one('request').spanId)
  assert.deepEqual(meta, { traceparent: PARENT, tracestate: 'a=1' })
})

test('a caller that is not traced passes on what it was given', async (t) => {
  const { spans, worker, ask } = await fabric(t, null)

  const { meta } = await ask('leaf', { meta: { traceparent: PARENT } })
  await ask('leaf', { meta: { traceparent: 'no' } })

  assert.equal(meta.traceparent, PARENT)
  const [valid, invalid] = spans.named('invoke_agent leaf')
  assert.equal(valid.parentId, PARENT.slice(36, 52))
  assert.equal(invalid.parentId, null)
  assert.equal(worker.counts['drop.bad_traceparent'], 1)
})

test('functions of the program stand for another tool', async (t) => {
  const namespace = 'injected'
  let around = null
  const tracing = {
    inject: (meta) => Object.assign(meta, { traceparent: PARENT }),
    run(meta, fn) {
      around = meta
      return fn()
    },
  }
  await started(t, { namespace, role: 'worker', tracing }, axons)
  const caller = await started(t, { namespace, tracing })

  const { meta } = await caller.ask({ neuron: 'leaf', input: {}, meta: { tenant: 'a' } })

  assert.deepEqual(meta, { tenant: 'a', traceparent: PARENT })
  assert.deepEqual(around, { traceparent: PARENT })
})

test('a function of the program can measure a function that waits', async (t) => {
  const namespace = 'measured'
  let hasEnded = false
  let seen = null
  const neuronFn = async () => {
    await pause(1)
    hasEnded = true
    return {}
  }
  const run = async (_meta, fn) => {
    await fn()
    seen = hasEnded
  }
  const hosted = [new Axon({ neuronId: 'slow', neuronFn })]
  await started(t, { namespace, role: 'worker', tracing: { run } }, hosted)
  const caller = await started(t, { namespace })

  await caller.ask({ neuron: 'slow', input: {} })

  assert.equal(seen, true)
})

test('a function of the program that throws, or calls nothing, costs no task', async (t) => {
  const namespace = 'throwing'
  const told = []
  const logger = { warn: (text) => told.push(text) }
  const refuse = () => {
    throw new Error('no')
  }
  const hosted = { namespace, role: 'worker', logger }
  await started(t, { ...hosted, tracing: { run: refuse } }, [axons[0]])
  await started(t, { ...hosted, tracing: { run() {} } }, [axons[1]])
  const caller = await started(t, { namespace, logger, tracing: { inject: refuse } })

  for (const neuron of ['leaf', 'streaming', 'leaf']) await caller.ask({ neuron, input: {} })

  assert.equal(told.length, 2) // the caller once, the first worker once
})

test('spans that cannot be made cost no task', async (t) => {
  const namespace = 'broken'
  const told = []
  const logger = { warn: (text) => told.push(text) }
  const startSpan = () => {
    throw new Error('no span')
  }
  const tracing = { trace: { getTracer: () => ({ startSpan }) } }
  await started(t, { namespace, role: 'worker', logger, tracing }, axons)
  const caller = await started(t, { namespace, logger, tracing })

  const output = await caller.ask({ neuron: 'parent', input: {} })
  await assert.rejects(caller.ask({ neuron: 'failing', input: {} }), { code: 'NEURON_EXCEPTION' })

  assert.deepEqual(output, { response: 'so on' })
  assert.equal(told.filter((each) => each.includes('traces the tasks threw')).length, 2)
})

test('anything else as tracing is refused', async () => {
  const synapse = await connectSynapse(url)
  for (const tracing of [5, 'otel', {}, { inject: 5 }, { inject() {}, run: 5 }])
    assert.throws(() => new Dendrite({ synapse, tracing }), InvalidArgument)
})
