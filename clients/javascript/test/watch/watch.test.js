import test from 'node:test'
import assert from 'node:assert/strict'
import {
  DendriteProtocolError,
  InvalidArgument,
  InvalidName,
  SignalTooLarge,
  TimeoutError,
  UnencodableValue,
} from '../../src/errors.js'
import { HANDLER_VERBS, Watch } from '../../src/dendrite/watch/watch.js'
import { QUEUE_LIMIT } from '../../src/dendrite/watch/handler-runner.js'
import { CODE, Directed, Signal, SignalType } from '../../src/signals/signals.js'
import { isId } from '../../src/signals/ids.js'
import { Log, MemoryTransport, handled, heardByKind, signalOf, until } from './support.js'

function started(t) {
  const transport = new MemoryTransport()
  const watch = new Watch({ client: transport, dendriteId: 'me', logger: new Log() })
  watch.subscriptions.topics()
  t.after(() => watch.close())
  return { transport, watch }
}

test('there is a verb for every type that the Python Dendrite has one for', () => {
  const without = ['DISCOVER', 'STOP', 'STOPPED']
  assert.deepEqual(
    Object.values(HANDLER_VERBS).sort(),
    Object.keys(SignalType)
      .filter((type) => !without.includes(type))
      .sort(),
  )
})

test('a handler may be given bare, with a filter, and for several types', async (t) => {
  const { watch } = started(t)
  const seen = []
  const off = watch.onSignal('PLAN', () => seen.push('bare'))
  watch.onSignal('PLAN', { neuron: 'worker' }, () => seen.push('filter'))
  watch.onSignal(['BID', 'PLAN'], {}, () => seen.push('several'))

  heardByKind(watch.subscriptions, signalOf('PLAN'))
  heardByKind(watch.subscriptions, signalOf('PLAN', { neuron: 'other' }))
  await handled()
  assert.deepEqual(seen.sort(), ['bare', 'bare', 'filter', 'several', 'several'])

  off()
  off()
  heardByKind(watch.subscriptions, signalOf('PLAN', { neuron: 'other' }))
  await handled()
  assert.equal(seen.filter((each) => each === 'bare').length, 2)
})

test('a wrong type, filter or function is refused where it is given', (t) => {
  const { watch } = started(t)
  const fn = () => {}
  const refused = (call, expected) => assert.throws(call, expected)
  refused(() => watch.onSignal('PLANS', fn), /'PLANS' is no type of Signal: did you mean 'PLAN'/)
  refused(() => watch.onSignal([], fn), InvalidArgument)
  refused(() => watch.onSignal('PLAN'), /a handler must be a function/)
  refused(() => watch.onSignal('PLAN', {}, 'text'), InvalidArgument)
  refused(() => watch.onSignal('PLAN', { neurons: 'x' }, fn), /did you mean 'neuron'/)
  refused(() => watch.onSignal('PLAN', { neuron: 'a b' }, fn), InvalidName)
  refused(() => watch.onSignal('PLAN', { capability: '' }, fn), InvalidName)
  refused(() => watch.onSignal('PLAN', { traceId: 'x' }, fn), InvalidArgument)
  refused(() => watch.onTrace('x', fn), InvalidArgument)
  refused(() => watch.onTrace(signalOf('PLAN').traceId, { types: 'NOPE' }, fn), InvalidArgument)
  refused(() => watch.signals('NOPE'), InvalidArgument)
})

test('off removes a function wherever it was given', async (t) => {
  const { watch } = started(t)
  const seen = []
  const fn = (signal) => seen.push(signal)
  const plan = signalOf('PLAN')
  watch.onSignal('PLAN', fn)
  watch.onTrace(plan.traceId, { types: ['PLAN'] }, fn)

  assert.equal(watch.off(fn), 2)
  assert.equal(watch.off(fn), 0)
  watch.subscriptions.feed(plan)
  await handled()
  assert.deepEqual(seen, [])
})

test('an iterator gives every Signal in order, those from before it is read too', async (t) => {
  const { watch } = started(t)
  const iterator = watch.signals('PLAN')
  const sent = Array.from({ length: 3 }, () => signalOf('PLAN'))
  heardByKind(watch.subscriptions, sent[0])
  heardByKind(watch.subscriptions, sent[1])

  const read = []
  for await (const { id } of iterator) {
    read.push(id)
    if (read.length === 2) heardByKind(watch.subscriptions, sent[2])
    if (read.length === 3) break
  }

  assert.deepEqual(
    read,
    sent.map(({ id }) => id),
  )
  assert.ok(!watch.subscriptions.mayWant('PLAN', ''))
  assert.deepEqual(await iterator.next(), { value: undefined, done: true })
})

test('an iterator ends when the Dendrite stops, behind what has arrived', async (t) => {
  const { watch } = started(t)
  const read = []
  const reading = (async () => {
    for await (const signal of watch.signals('PLAN')) read.push(signal.id)
  })()
  const waiting = watch.signals('PLAN')
  const plan = signalOf('PLAN')
  heardByKind(watch.subscriptions, plan)

  watch.close()

  await reading
  assert.deepEqual(read, [plan.id])
  assert.equal((await waiting.next()).value.id, plan.id)
  assert.ok((await waiting.next()).done)
  assert.ok((await watch.signals('PLAN').next()).done) // made too late
  assert.equal(typeof watch.onSignal('PLAN', () => {}), 'function')
})

test('several readers of one iterator share its Signals, and all end', async (t) => {
  const { watch } = started(t)
  const iterator = watch.signals('PLAN')
  const reads = [iterator.next(), iterator.next(), iterator.next()]
  const [one, two] = [signalOf('PLAN'), signalOf('PLAN')]
  heardByKind(watch.subscriptions, one)
  heardByKind(watch.subscriptions, two)
  await iterator.return()

  const [first, second, third] = await Promise.all(reads)
  assert.deepEqual([first.value.id, second.value.id, third.done], [one.id, two.id, true])
})

test('an iterator that nobody reads has a bound, and counts what it drops', async (t) => {
  const { watch } = started(t)
  const iterator = watch.signals('PLAN')
  const plan = signalOf('PLAN')
  for (let i = 0; i < QUEUE_LIMIT + 5; i++) watch.subscriptions.feed(plan)
  assert.equal(iterator.dropped, 5)
  assert.equal(watch.counts['drop.handler_queue_full'], 5)
})

test('emit publishes where somebody listens, and shows it to our own handlers', async (t) => {
  const { transport, watch } = started(t)
  const seen = []
  watch.onSignal('PLAN', (signal) => seen.push(signal))

  const unheard = watch.emit('PLAN', { steps: [] })
  transport.heard.add(CODE.PLAN)
  const heard = watch.emit('PLAN', { steps: ['a'] }, { meta: { m: 1 } })
  await handled()

  assert.deepEqual(seen, [unheard, heard])
  assert.deepEqual(heard.directed, new Directed('me', 'dendrite'))
  assert.deepEqual(heard.meta, { m: 1 })
  assert.equal(transport.published.length, 1)
  const [kind, trace, body] = transport.published[0]
  assert.equal(kind, CODE.PLAN)
  assert.equal(trace.length, 16)
  assert.deepEqual(Signal.decode(body), heard)
})

test('emit takes its place from another Signal, or from ids', (t) => {
  const { watch } = started(t)
  const task = signalOf('TASK')
  const { traceId } = signalOf('PLAN')

  const about = watch.emit('PLAN', { steps: [] }, { about: task })
  const other = watch.emit('PLAN', { steps: [] }, { about: task, traceId, parentId: null })
  const alone = watch.emit('PLAN', { steps: [] })

  assert.deepEqual([about.traceId, about.parentId], [task.traceId, task.id])
  assert.deepEqual([other.traceId, other.parentId], [traceId, null])
  assert.ok(isId(alone.traceId) && alone.parentId === null)
})

test('emit fills in what the fabric knows', (t) => {
  const { watch } = started(t)
  const call = watch.emit('TOOL_CALL', { tool_name: 'search' }).payload
  const result = watch.emit('TOOL_RESULT', { tool_name: 'search', call_id: call.call_id }).payload
  const failed = watch.emit('TOOL_RESULT', { tool_name: 'search', error: 'no' }).payload

  assert.deepEqual(
    { ...call, call_id: 0 },
    { tool_name: 'search', tool: 'search', call_id: 0, args: {} },
  )
  assert.deepEqual([result.result, result.call_id], [null, call.call_id])
  assert.ok(!('result' in failed))
  assert.equal(watch.emit('THOUGHT_DELTA', { delta: 'a' }).payload.seq, 0)
  assert.equal(watch.emit('THOUGHT_DELTA', { delta: 'b' }).payload.seq, 1)
  assert.equal(watch.emit('THOUGHT_DELTA', { delta: 'b', seq: 9 }).payload.seq, 9)
  assert.equal(watch.emit('ERROR', { code: 'OVERLOADED', message: 'm' }).payload.recoverable, true)
})

test('emit refuses what it cannot send, and sends nothing of it', (t) => {
  const { transport, watch } = started(t)
  transport.heard.add(CODE.PLAN)
  const refused = (call, expected) => assert.throws(call, expected)
  refused(
    () => watch.emit('PLAN', { step: [] }),
    /a PLAN takes { steps, rationale\? }: steps is missing; step is unknown/,
  )
  refused(() => watch.emit('PLAN'), /steps is missing/)
  refused(() => watch.emit('PLAN', null), InvalidArgument)
  refused(() => watch.emit('PLAN', { steps: [] }, { trace: 'x' }), /did you mean 'traceId'/)
  refused(() => watch.emit('PLAN', { steps: [] }, { traceId: 'x' }), InvalidArgument)
  refused(() => watch.emit('PLAN', { steps: [() => {}] }), UnencodableValue)
  for (const type of ['TASK', 'REGISTER', 'HEARTBEAT', 'DEREGISTER', 'DISCOVER'])
    refused(() => watch.emit(type, {}), DendriteProtocolError)
  transport.maxSignalBytes = 1000
  refused(() => watch.emit('PLAN', { steps: ['x'.repeat(1000)] }), SignalTooLarge)
  assert.deepEqual(transport.published, [])
})

test('emit takes a whole Signal as it is', (t) => {
  const { watch } = started(t)
  const signal = signalOf('PLAN', { payload: { steps: [], owner: 'zoe' } })
  assert.equal(watch.emit(signal), signal)
  assert.deepEqual(watch.emit('STOP', { rollback: false }).payload, { rollback: false })
})

const row = (neuronId, capabilities = [], state = 'alive') => ({ neuronId, capabilities, state })

test('findNeurons asks the Synapse', async (t) => {
  const { transport, watch } = started(t)
  transport.rows = [row('a', ['chat'])]
  assert.deepEqual(await watch.findNeurons('chat'), transport.rows)
  assert.deepEqual(await watch.findNeurons(), transport.rows)
  assert.deepEqual(transport.said.at(-1), ['roster', { neuronId: '', capability: '' }])
  await assert.rejects(watch.findNeurons('a b'), InvalidName)
})

test('waitForNeuron resolves when one that is alive and offers everything is registered', async (t) => {
  const { transport, watch } = started(t)
  transport.rows = [row('a', ['chat']), row('b', ['chat', 'x'], 'stuck')]
  let found = null
  const waiting = watch
    .waitForNeuron({ capabilities: ['chat', 'x'] })
    .then((record) => (found = record))
  await until(() => transport.said.some(([verb]) => verb === 'roster'))
  assert.equal(found, null)

  transport.rows = [row('b', ['x', 'chat'])]
  heardByKind(watch.subscriptions, signalOf('REGISTER'))
  await waiting

  assert.equal(found.neuronId, 'b')
  assert.ok(!watch.subscriptions.mayWant('REGISTER', ''))
})

test('waitForNeuron finds one that recovers without a word', async (t) => {
  const { transport, watch } = started(t)
  transport.rows = [row('a', [], 'stuck')]
  const waiting = watch.waitForNeuron({ neuron: 'a' })
  await until(() => transport.said.some(([verb]) => verb === 'roster'))
  transport.rows = [row('a')]
  assert.equal((await waiting).state, 'alive')
})

test('waitForNeuron ends with its time or its AbortSignal, and leaves nothing behind', async (t) => {
  const { watch } = started(t)
  await assert.rejects(
    watch.waitForNeuron({ neuron: 'a', timeoutMs: 1 }),
    (error) =>
      error instanceof TimeoutError &&
      /no live Axon serves neuron a within 1 ms/.test(error.message),
  )
  const abort = new AbortController()
  const waiting = watch.waitForNeuron({ capabilities: ['x'], signal: abort.signal })
  abort.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(watch.waitForNeuron({}), InvalidArgument)
  await assert.rejects(watch.waitForNeuron({ neuron: 'a', timeoutMs: 0 }), InvalidArgument)
  assert.ok(!watch.subscriptions.mayWant('REGISTER', ''))
})

test('waitForNeuron ends with its time or its AbortSignal while the Synapse answers nothing', async (t) => {
  const { transport, watch } = started(t)
  transport.roster = () => new Promise(() => {})
  const abort = new AbortController()
  const waiting = watch.waitForNeuron({ neuron: 'a', signal: abort.signal })
  await handled()
  abort.abort(null)

  await assert.rejects(
    waiting.catch((reason) => Promise.reject(new Error(`reason ${reason}`))),
    /reason null/,
  )
  await assert.rejects(watch.waitForNeuron({ neuron: 'a', timeoutMs: 1 }), TimeoutError)
  transport.onSync = () => new Promise(() => {})
  await assert.rejects(watch.waitForNeuron({ neuron: 'a', timeoutMs: 1 }), TimeoutError)
  await assert.rejects(watch.waitForNeuron({ neuron: 'a', signal: 5 }), InvalidArgument)
})
