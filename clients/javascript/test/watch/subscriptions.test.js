import test from 'node:test'
import assert from 'node:assert/strict'
import { Subscriptions } from '../../src/dendrite/watch/subscriptions.js'
import { makeHandler } from '../../src/dendrite/watch/handlers.js'
import { CODE } from '../../src/signals/signals.js'
import { Float } from '../../src/signals/msgpack.js'
import { idBytes } from '../../src/signals/ids.js'
import {
  Log,
  MemoryTransport,
  NOBODY,
  OTHER,
  OWN,
  THIRD,
  handled,
  heardByKind,
  heardByTrace,
  id,
  signalOf,
  started,
  until,
} from './support.js'

const { traceId } = signalOf('TASK')

/** A handler that keeps what it is called with. */
function watching(subscriptions, types, more) {
  const seen = []
  const handler = makeHandler((signal) => seen.push(signal.id), types, more)
  subscriptions.add(handler)
  return { seen, handler }
}

test('topics that were wanted before the start are opened with, later ones at once', async () => {
  const transport = new MemoryTransport()
  const subscriptions = new Subscriptions(transport, { logger: new Log() })
  watching(subscriptions, ['PLAN', 'TASK'])
  watching(subscriptions, [], { traceId })

  const topics = subscriptions.topics()
  const { handler } = watching(subscriptions, ['BID'])
  subscriptions.discard(handler)

  assert.deepEqual(topics, [{ kind: CODE.PLAN }, { kind: CODE.TASK }, { trace: idBytes(traceId) }])
  assert.deepEqual(transport.said, [
    ['listen', CODE.BID],
    ['unlisten', CODE.BID],
  ])
})

test('a handler that is removed twice gives its topic back once', (t) => {
  const { transport, subscriptions } = started(t)
  const { handler } = watching(subscriptions, ['PLAN'])
  subscriptions.discard(handler)
  subscriptions.discard(handler)
  assert.equal(subscriptions.remove(handler.fn), 0)
  assert.equal(transport.said.filter(([verb]) => verb === 'unlisten').length, 1)
})

test('a function is removed as often as it was added', async (t) => {
  const { subscriptions } = started(t)
  const seen = []
  const fn = (signal) => seen.push(signal)
  subscriptions.add(makeHandler(fn, ['PLAN']))
  subscriptions.add(makeHandler(fn, ['BID']))

  assert.equal(subscriptions.remove(fn), 2)

  subscriptions.feed(signalOf('PLAN'))
  await handled()
  assert.deepEqual(seen, [])
})

test('settle waits until every subscription is in force, new ones included', async (t) => {
  const { transport, subscriptions } = started(t)
  watching(subscriptions, ['PLAN'])
  let syncs = 0
  transport.onSync = async () => {
    if (++syncs === 1) watching(subscriptions, ['BID']) // while the first one is under way
  }
  assert.ok(subscriptions.outOfDate)

  await subscriptions.settle()

  assert.equal(syncs, 2)
  assert.ok(!subscriptions.outOfDate)
  await subscriptions.settle()
  assert.equal(syncs, 2)
})

test('settle that failed is made up for', async (t) => {
  const { transport, subscriptions } = started(t)
  watching(subscriptions, ['PLAN'])
  transport.onSync = async () => {
    throw new Error('away')
  }
  await assert.rejects(subscriptions.settle(), /away/)
  assert.ok(subscriptions.outOfDate)
})

test('a handler that settle need not wait for does not make it wait', async (t) => {
  const { transport, subscriptions } = started(t)
  subscriptions.add(
    makeHandler(() => {}, ['PLAN']),
    { waits: false },
  )
  await subscriptions.settle()
  assert.deepEqual(transport.said, [['listen', CODE.PLAN]])
})

test('only handlers of tasks and their replies make a task pay', (t) => {
  const { subscriptions } = started(t)
  watching(subscriptions, ['STOP', 'REGISTER'])
  assert.ok(!subscriptions.watchesTasks)
  const { handler } = watching(subscriptions, ['ERROR'])
  assert.ok(subscriptions.watchesTasks)
  subscriptions.discard(handler)
  assert.ok(!subscriptions.watchesTasks)
  watching(subscriptions, [], { traceId })
  assert.ok(subscriptions.watchesTasks)
})

test('own traffic calls a handler once although its copies come by kind and by trace', async (t) => {
  const { subscriptions } = started(t)
  const byType = watching(subscriptions, ['AGENT_OUTPUT'])
  const byTrace = watching(subscriptions, ['AGENT_OUTPUT'], { traceId })
  const output = signalOf('AGENT_OUTPUT', { traceId })

  subscriptions.feed(output)
  for (const ends of [{ caller: OWN }, { worker: OWN }, { caller: OWN, worker: OWN }]) {
    heardByKind(subscriptions, output, ends)
    heardByTrace(subscriptions, output, ends)
  }
  await handled()

  assert.deepEqual([byType.seen, byTrace.seen], [[output.id], [output.id]])
  assert.equal(subscriptions.counts['drop.repeated_copy'], undefined)
})

test('a copy that comes again is passed over, by type and by trace each', async (t) => {
  const { subscriptions } = started(t)
  const byType = watching(subscriptions, ['AGENT_OUTPUT'])
  const byTrace = watching(subscriptions, [], { traceId })
  const output = signalOf('AGENT_OUTPUT', { traceId })

  for (let i = 0; i < 3; i++) {
    heardByKind(subscriptions, output)
    heardByTrace(subscriptions, output)
  }
  await handled()

  assert.deepEqual([byType.seen, byTrace.seen], [[output.id], [output.id]])
  assert.equal(subscriptions.counts['drop.repeated_copy'], 4)
})

test('presence is never a copy that came again: a worker of ours is shown its own too', async (t) => {
  const { subscriptions } = started(t)
  const { seen } = watching(subscriptions, ['REGISTER'])
  const register = signalOf('REGISTER')

  heardByKind(subscriptions, register, { caller: NOBODY, worker: OWN })
  heardByKind(subscriptions, register, { caller: NOBODY, worker: OTHER })
  await handled()

  assert.deepEqual(seen, [register.id, register.id])
})

test('filters of producer, capability and trace choose among what is heard', async (t) => {
  const { subscriptions } = started(t)
  const neuron = watching(subscriptions, ['PLAN'], { neuron: 'a' })
  const capability = watching(subscriptions, ['PLAN'], { capability: 'chat' })
  const both = watching(subscriptions, ['PLAN', 'BID'])
  const one = signalOf('PLAN', { neuron: 'a', traceId })
  const two = signalOf('PLAN', { neuron: 'b', capabilities: ['chat'] })
  const three = signalOf('BID')

  for (const each of [one, two, three]) heardByKind(subscriptions, each, { worker: NOBODY })
  await handled()

  assert.deepEqual(neuron.seen, [one.id])
  assert.deepEqual(capability.seen, [two.id])
  assert.deepEqual(both.seen, [one.id, two.id, three.id])
})

test('what nobody wants is not read, and counted', (t) => {
  const { subscriptions } = started(t)
  subscriptions.onHeard(CODE.PLAN, NOBODY, OTHER, THIRD, Buffer.from('no Signal'))
  subscriptions.onHeard(255, NOBODY, OTHER, THIRD, Buffer.from('no Signal'))
  subscriptions.onHeard(-1, id(7), OTHER, THIRD, Buffer.from('no Signal'))
  assert.deepEqual(subscriptions.counts, { 'drop.no_handler': 3 })
})

test('what is no Signal is counted, and said once in a while', (t) => {
  const { subscriptions, log } = started(t)
  watching(subscriptions, ['PLAN'])
  for (let i = 0; i < 3; i++)
    subscriptions.onHeard(CODE.PLAN, NOBODY, OTHER, THIRD, Buffer.from('no Signal'))
  assert.equal(subscriptions.counts['drop.bad_signal'], 3)
  assert.equal(log.lines.length, 1)
})

test('what was missed is counted, and said once in a while', (t) => {
  const { subscriptions, log } = started(t)
  subscriptions.onMissed(3)
  subscriptions.onMissed(4)
  assert.equal(subscriptions.counts['gap.broadcast'], 7)
  assert.deepEqual(log.lines, [['3 broadcast Signals were lost so far', undefined]])
})

test('a handler of a trace gets the causal order: own Signals wait for their copies', async (t) => {
  const { subscriptions } = started(t)
  const ordered = watching(subscriptions, [], { traceId, ordered: true })
  const plain = watching(subscriptions, [], { traceId })
  const task = signalOf('TASK', { traceId })
  const child = signalOf('TASK', { traceId, parentId: task.id })
  const said = child.reply('PLAN')
  const output = task.reply('AGENT_OUTPUT')

  subscriptions.feed(task)
  subscriptions.feed(output) // it overtakes the copies of what the child said
  heardByTrace(subscriptions, task, { caller: OWN, worker: OTHER })
  heardByTrace(subscriptions, child)
  heardByTrace(subscriptions, said)
  heardByTrace(subscriptions, output, { caller: OWN, worker: OTHER })
  await handled()

  assert.deepEqual(ordered.seen, [task.id, child.id, said.id, output.id])
  assert.deepEqual(plain.seen, [task.id, output.id, child.id, said.id])
})

test('an own Signal without a copy is passed on after 250 ms', async (t) => {
  const { subscriptions } = started(t)
  const { seen } = watching(subscriptions, [], { traceId, ordered: true })
  const begunAtMs = performance.now()

  subscriptions.feed(signalOf('PLAN', { traceId }))

  await handled()
  assert.deepEqual(seen, [])
  await until(() => seen.length === 1)
  assert.ok(performance.now() - begunAtMs >= 249)
})

test('the end of a question is told when every handler that may answer it has returned', async (t) => {
  const { subscriptions } = started(t)
  const open = []
  for (let i = 0; i < 2; i++)
    subscriptions.add(
      makeHandler(() => new Promise((resolve) => open.push(resolve)), ['CLARIFICATION']),
    )
  watching(subscriptions, ['CLARIFICATION'], { direct: true })
  watching(subscriptions, [], { traceId })
  let ends = 0
  subscriptions.feedQuestion(signalOf('CLARIFICATION', { traceId }), () => ends++)

  await until(() => open.length === 2)
  open[0]()
  await handled()
  assert.equal(ends, 0)
  open[1]()
  await until(() => ends === 1)
})

test('the end of a question that nobody may answer is told at once', (t) => {
  const { subscriptions } = started(t)
  let ends = 0
  subscriptions.feedQuestion(signalOf('CLARIFICATION'), () => ends++)
  assert.equal(ends, 1)
})

test('the end of a question is told when its last handler is removed', async (t) => {
  const { subscriptions } = started(t)
  const { handler } = watching(subscriptions, ['PERMISSION'])
  let ends = 0
  subscriptions.feedQuestion(signalOf('PERMISSION'), () => ends++)
  subscriptions.discard(handler)
  assert.equal(ends, 1)
})

test('a handler of one trace ends 30 s after its trace, another one does not', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { transport, subscriptions } = started(t)
  let ends = 0
  const handler = makeHandler(() => {}, [], { traceId, onEnd: () => ends++ })
  subscriptions.addForUser(handler)
  subscriptions.addForUser(makeHandler(() => {}, ['PLAN']))
  const task = signalOf('TASK', { traceId })

  subscriptions.feed(task)
  subscriptions.feed(task.reply('AGENT_OUTPUT'))
  t.mock.timers.tick(29_000)
  assert.equal(ends, 0)
  t.mock.method(performance, 'now', () => Infinity)
  t.mock.timers.tick(2000)

  assert.equal(ends, 1)
  assert.deepEqual(transport.said.at(-1), ['unlisten', idBytes(traceId).toString('hex')])
  assert.ok(subscriptions.mayWant('PLAN', ''))
})

test('10,000 handlers of single traces are warned of, once', (t) => {
  const { subscriptions, log } = started(t)
  const names = Array.from({ length: 10_050 }, () => signalOf('TASK').traceId)
  for (const each of names)
    subscriptions.addForUser(makeHandler(function leaked() {}, [], { traceId: each }))
  assert.equal(log.lines.length, 1)
  assert.match(log.lines[0][0], /10000 handlers of single traces are in force.*leaked/)
})

test('after close no handler is called, and each is told once', async () => {
  const transport = new MemoryTransport()
  const subscriptions = new Subscriptions(transport, { logger: new Log() })
  subscriptions.topics()
  let ends = 0
  const { seen } = watching(subscriptions, ['PLAN'], { onEnd: () => ends++ })
  subscriptions.feed(signalOf('PLAN'))

  subscriptions.close()
  subscriptions.close()
  subscriptions.feed(signalOf('PLAN'))
  await handled()

  assert.deepEqual(seen, [])
  assert.equal(ends, 1)
  assert.deepEqual(
    transport.said.filter(([verb]) => verb === 'unlisten'),
    [],
  )
})

test('a handler that removes another one within its call keeps it from the same Signal', async (t) => {
  const { subscriptions } = started(t)
  let second = null
  subscriptions.add(makeHandler(() => subscriptions.discard(second), ['PLAN'], { direct: true }))
  const late = watching(subscriptions, ['PLAN'])
  second = late.handler
  subscriptions.feed(signalOf('PLAN'))
  await handled()
  assert.deepEqual(late.seen, [])
})

test('whole floats are kept apart where it is asked for', async (t) => {
  const plan = signalOf('PLAN', { payload: { n: new Float(2) } })
  for (const floats of [false, true]) {
    const { subscriptions } = started(t, { floats })
    const seen = []
    subscriptions.add(makeHandler((signal) => seen.push(signal.payload.n), ['PLAN']))
    heardByKind(subscriptions, plan)
    await handled()
    assert.deepEqual(seen, [floats ? new Float(2) : 2])
  }
})
