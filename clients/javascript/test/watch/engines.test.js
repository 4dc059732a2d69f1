import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RecentIds } from '../../src/dendrite/watch/recent-ids.js'
import { GRACE_MS, TraceDeadlines } from '../../src/dendrite/watch/trace-deadlines.js'
import { HOLD_MS, TraceOrder } from '../../src/dendrite/watch/trace-order.js'
import { HandlerTable, makeHandler, nameOf, wants } from '../../src/dendrite/watch/handlers.js'
import { signalOf } from './support.js'

const types = (signals) => signals.map(({ type }) => type)
const trace = signalOf('TASK').traceId

test('recent ids remembers 8,192 to 16,384 of them', () => {
  const recent = new RecentIds()
  for (let i = 0; i < 16_384; i++) assert.ok(recent.add(`id${i}`))
  assert.ok(!recent.add('id16383'))
  assert.ok(!recent.add('id8192'))
  assert.ok(recent.add('id0'))
  assert.ok(recent.has('id0') && !recent.has('id1'))
})

test('a trace in order: an own Signal waits for its copy', () => {
  const order = new TraceOrder()
  const [task, output] = [signalOf('TASK'), signalOf('AGENT_OUTPUT')]

  order.own(output, 0)
  assert.deepEqual(order.heard(task), [task])
  assert.deepEqual(order.heard(output), [output])
  assert.equal(order.nextAtMs, Infinity)
})

test('a trace in order: a copy ahead of its original is passed on, the original is not', () => {
  const order = new TraceOrder()
  const output = signalOf('AGENT_OUTPUT')

  assert.deepEqual(order.heard(output), [output])
  order.own(output, 0)
  assert.deepEqual(order.due(Infinity), [])
  assert.deepEqual(order.heard(output), [])
})

test('a trace in order: a copy shows that those before it of the same task are lost', () => {
  const order = new TraceOrder()
  const [one, two, other] = ['PLAN', 'AGENT_OUTPUT', 'CRITIQUE'].map((type, i) =>
    signalOf(type, { parentId: i === 2 ? `evt_${'1'.repeat(26)}` : `evt_${'0'.repeat(26)}` }),
  )
  order.own(one, 0)
  order.own(other, 1)
  order.own(two, 2)

  assert.deepEqual(types(order.heard(two)), ['PLAN', 'AGENT_OUTPUT'])
  assert.equal(order.nextAtMs, 1 + HOLD_MS)
})

test('a trace in order: what is held for 250 ms passes without its copy', () => {
  const order = new TraceOrder()
  order.own(signalOf('PLAN'), 10)
  order.own(signalOf('CRITIQUE'), 20)

  assert.equal(order.nextAtMs, 260)
  assert.deepEqual(order.due(259), [])
  assert.deepEqual(types(order.due(260)), ['PLAN'])
  assert.deepEqual(types(order.due(1000)), ['CRITIQUE'])
})

test('a trace in order: each Signal passes once, whatever comes when', () => {
  const event = fc.record({
    what: fc.constantFrom('own', 'heard', 'due'),
    which: fc.nat({ max: 9 }),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const signals = Array.from({ length: 10 }, () => signalOf('PLAN'))
      const order = new TraceOrder()
      const passed = []
      const given = new Set()
      let nowMs = 0
      for (const { what, which } of events) {
        nowMs += 100
        if (what === 'due') passed.push(...order.due(nowMs))
        else {
          given.add(signals[which])
          if (what === 'own') order.own(signals[which], nowMs)
          else passed.push(...order.heard(signals[which]))
        }
      }
      passed.push(...order.due(Infinity))

      assert.equal(new Set(passed).size, passed.length)
      assert.deepEqual(new Set(passed), given)
      assert.equal(order.nextAtMs, Infinity)
    }),
  )
})

test('a trace is over when its tasks have ended, and nothing more came', () => {
  const deadlines = new TraceDeadlines()
  const task = signalOf('TASK', { traceId: trace })
  deadlines.begin(trace)

  assert.equal(deadlines.saw(task, 0), Infinity)
  assert.equal(deadlines.saw(task.reply('PLAN'), 1), Infinity)
  const overAtMs = deadlines.saw(task.reply('AGENT_OUTPUT'), 100)

  assert.ok(overAtMs >= 100 + GRACE_MS && overAtMs < 110 + GRACE_MS)
  assert.deepEqual(deadlines.due(overAtMs - 10), [])
  assert.deepEqual(deadlines.due(overAtMs), [trace])
  assert.ok(!deadlines.has(trace))
})

test('a trace with an open task, or a question without an answer, is not over', () => {
  const deadlines = new TraceDeadlines()
  const task = signalOf('TASK', { traceId: trace })
  const question = task.reply('CLARIFICATION')
  const again = question.reply('TASK')
  deadlines.begin(trace)
  deadlines.saw(task, 0)

  assert.equal(deadlines.saw(question, 0), Infinity)
  assert.equal(deadlines.saw(again, 0), Infinity)
  assert.notEqual(deadlines.saw(again.reply('ERROR'), 0), Infinity)
  assert.equal(deadlines.saw(signalOf('TASK', { traceId: trace }), 0), Infinity)
  assert.equal(deadlines.nextAtMs(), Infinity)
})

test('a trace that is forgotten has no end', () => {
  const deadlines = new TraceDeadlines()
  deadlines.begin(trace)
  deadlines.saw(signalOf('AGENT_OUTPUT', { traceId: trace }), 0)
  deadlines.forget(trace)
  deadlines.forget(trace)

  assert.deepEqual(deadlines.due(Infinity), [])
  assert.equal(deadlines.saw(signalOf('PLAN', { traceId: trace }), 0), Infinity)
})

test('a filter that is not given matches every Signal', () => {
  const fn = () => {}
  const plan = signalOf('PLAN', { neuron: 'a', capabilities: ['chat'], traceId: trace })
  const fits = (filters, list = ['PLAN']) => wants(makeHandler(fn, list, filters), plan)

  assert.ok(fits({}))
  assert.ok(fits({ neuron: 'a', capability: 'chat', traceId: trace }))
  assert.ok(!fits({ neuron: 'b' }) && !fits({ capability: 'x' }) && !fits({}, ['TASK']))
  assert.ok(!fits({ traceId: signalOf('PLAN').traceId }))
  assert.ok(
    !wants(makeHandler(fn, ['PLAN'], { capability: 'x' }), { type: 'PLAN', directed: null }),
  )
  assert.equal(nameOf(makeHandler(fn, [])), 'fn')
  assert.equal(nameOf({ fn: (() => () => {})() }), 'without a name')
})

test('a handler is found by its trace if it has one, else by its types', () => {
  const table = new HandlerTable()
  const byType = makeHandler(() => {}, ['PLAN', 'TASK'])
  const byTrace = makeHandler(() => {}, [], { traceId: trace })
  table.add(byType)
  table.add(byTrace)
  const plan = signalOf('PLAN', { traceId: trace })

  assert.deepEqual(table.ofType(plan), [byType])
  assert.deepEqual(table.ofTrace(plan), [byTrace])
  assert.ok(table.mayWant('TASK', '') && table.mayWant(null, trace) && !table.mayWant('BID', ''))
  table.discard(byType)
  table.discard(byTrace)
  assert.deepEqual([table.ofType(plan), table.ofTrace(plan)], [[], []])
  assert.ok(!table.mayWant('TASK', trace))
})
