// The Signals of a Pathway, and the positions of its readers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SignalBuffer } from '../../../src/dendrite/caller/signal-buffer.js'

const signal = (id, type = 'THOUGHT_DELTA') => ({ id, type })
const read = (cursor) => {
  const got = []
  for (let each = cursor.next(); each !== null; each = cursor.next()) got.push(each.id)
  return got
}

test('each cursor sees every Signal of its type, in order, whoever else reads', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('append', 'all', 'plan'), { maxLength: 80 }), (steps) => {
      const buffer = new SignalBuffer()
      const all = buffer.cursor(null, true)
      const plan = buffer.cursor('PLAN', false)
      const seen = { all: [], plan: [] }
      let made = 0
      for (const each of [...steps, 'all', 'plan']) {
        if (each === 'append') buffer.append(signal(made, made++ % 3 ? 'TASK' : 'PLAN'), 1)
        else seen[each].push(...read(each === 'all' ? all : plan))
      }
      assert.deepEqual(
        seen.all,
        Array.from({ length: made }, (_, at) => at),
      )
      assert.deepEqual(seen.plan, seen.all.filter((at) => at % 3 === 0)) // prettier-ignore
    }),
  )
})

test('over a bound the oldest eighth goes, and a slow cursor counts what it missed', () => {
  const buffer = new SignalBuffer(16, 1e9)
  const slow = buffer.cursor(null, true)
  for (let at = 0; at < 17; at++) buffer.append(signal(at), 1)
  assert.equal(buffer.start, 2)
  assert.equal(read(slow)[0], 2)
  assert.equal(slow.missed, 2)
})

test('the bytes are bounded, too, and a Signal over the bound alone is dropped', () => {
  const buffer = new SignalBuffer(1e9, 1000)
  for (let at = 0; at < 10; at++) buffer.append(signal(at), 300)
  assert.deepEqual(read(buffer.cursor(null, true)), [7, 8, 9])
  buffer.append(signal(10), 5000)
  assert.deepEqual(read(buffer.cursor(null, true)), [])
  assert.equal(buffer.start, 11)
})

test('the bounds hold and nothing else is lost, whatever the sizes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 200 }), (sizes) => {
      const buffer = new SignalBuffer(20, 2000)
      sizes.forEach((size, at) => buffer.append(signal(at), size))
      const left = read(buffer.cursor(null, true))
      assert.ok(left.length <= 20)
      assert.ok(left.reduce((sum, at) => sum + sizes[at], 0) <= 2000)
      assert.deepEqual(
        left,
        Array.from({ length: left.length }, (_, at) => buffer.start + at),
      )
      assert.equal(buffer.end, sizes.length)
    }),
  )
})

test('a question is abandoned when a reader waits for more and none is left that may answer', () => {
  const buffer = new SignalBuffer()
  const question = signal('q', 'CLARIFICATION')
  const loop = buffer.cursor(null, true)
  const other = buffer.cursor('PLAN', false)
  buffer.append(question, 1)
  buffer.asked(question)
  assert.ok(!buffer.hasAbandonedQuestion()) // nobody waits
  other.waits = true
  assert.ok(!buffer.hasAbandonedQuestion()) // the loop has not had it yet
  loop.next()
  assert.ok(!buffer.hasAbandonedQuestion()) // its body runs
  loop.waits = true
  assert.ok(buffer.hasAbandonedQuestion())
  buffer.answered()
  assert.ok(!buffer.hasAbandonedQuestion())
})

test('a reader that the program calls may answer only a question that it has had', () => {
  const buffer = new SignalBuffer()
  const question = signal('q', 'PERMISSION')
  const calls = buffer.cursor(null, false)
  const waiting = buffer.cursor('', false)
  buffer.append(question, 1)
  buffer.asked(question)
  waiting.waits = true
  assert.ok(buffer.hasAbandonedQuestion())
  calls.next()
  assert.ok(!buffer.hasAbandonedQuestion())
  calls.leave()
  assert.ok(buffer.hasAbandonedQuestion())
})

test('a reader that is woken by a question counts as answering at once', () => {
  const buffer = new SignalBuffer()
  const question = signal('q', 'ESCALATION')
  const loop = buffer.cursor(null, true)
  loop.waits = true
  buffer.append(question, 1)
  buffer.asked(question)
  assert.ok(!buffer.hasAbandonedQuestion())
})

test('what was lost on its way is missed by each cursor that passes its place', () => {
  const buffer = new SignalBuffer(8, 1e9)
  const before = buffer.cursor(null, true)
  buffer.append(signal(0), 1)
  read(before)
  buffer.lose(3)
  buffer.lose(2)
  buffer.append(signal(1), 1)
  const late = buffer.cursor(null, true)

  assert.deepEqual([read(before), before.missed], [[1], 5])
  late.next()
  assert.equal(late.missed, 0)
  for (let at = 2; at < 20; at++) buffer.append(signal(at), 1)
  assert.equal(read(late).at(-1), 19)
  assert.equal(late.missed, 5 + buffer.start - 1)
  read(before)
  assert.equal(before.missed, 5 + buffer.start - 2)
  assert.equal(buffer.lost.size, 0)
})
