// The table of deadlines against the obvious one: a list that is searched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deadlines, SLOT_MS, Timed } from '../../src/runtime/deadlines.js'
import { DeadlineTimer } from '../../src/runtime/deadline-timer.js'

const step = fc.oneof(
  fc.record({ does: fc.constant('set'), at: fc.integer({ min: 0, max: 3000 }) }),
  fc.record({ does: fc.constant('drop'), which: fc.nat(20) }),
  fc.record({ does: fc.constant('due'), by: fc.integer({ min: 0, max: 400 }) }),
)

test('every deadline is due once, never early, at most a slot late, unless it was dropped', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const deadlines = new Deadlines()
      const model = new Map()
      let now = 0
      for (const each of steps) {
        if (each.does === 'set') {
          const entry = new Timed()
          const at = now + each.at
          const dueAt = deadlines.set(entry, at)
          assert.ok(dueAt > at && dueAt <= at + SLOT_MS)
          model.set(entry, dueAt)
        } else if (each.does === 'drop') {
          const entry = [...model.keys()][each.which]
          if (entry === undefined) continue
          deadlines.drop(entry)
          model.delete(entry)
        } else {
          now += each.by
          const due = deadlines.due(now)
          const expected = [...model.keys()].filter((entry) => model.get(entry) <= now)
          assert.equal(due.length, expected.length)
          assert.deepEqual(new Set(due), new Set(expected))
          for (const entry of expected) model.delete(entry)
        }
        assert.equal(deadlines.nextAtMs(), Math.min(Infinity, ...model.values()))
        assert.equal(deadlines.slotCount, new Set(model.values()).size)
      }
    }),
  )
})

test('entries of one slot are due in the order in which they were set', () => {
  const deadlines = new Deadlines()
  const entries = Array.from({ length: 9 }, () => new Timed())
  for (const each of entries) deadlines.set(each, 11)
  deadlines.drop(entries[0])
  deadlines.drop(entries[4])
  deadlines.drop(entries[8])
  assert.deepEqual(
    deadlines.due(20),
    [1, 2, 3, 5, 6, 7].map((at) => entries[at]),
  )
})

test('a million deadlines that are dropped leave nothing behind', () => {
  const deadlines = new Deadlines()
  const entry = new Timed()
  for (let at = 0; at < 1_000_000; at += 1) {
    deadlines.set(entry, at * SLOT_MS)
    deadlines.drop(entry)
  }
  assert.equal(deadlines.slotCount, 0)
  assert.equal(deadlines.nextAtMs(), Infinity)
})

test('a drop without a deadline, or behind it, does nothing', () => {
  const deadlines = new Deadlines()
  const entry = new Timed()
  deadlines.drop(entry)
  deadlines.set(entry, 3)
  assert.deepEqual(deadlines.due(5), [entry])
  deadlines.drop(entry)
  assert.deepEqual(deadlines.due(1000), [])
})

test('one timer fires at the earliest deadline and arms itself for the next', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const tick = (ms) => {
    now += ms
    t.mock.timers.tick(ms)
  }
  const left = [100, 300]
  const fired = []
  const timer = new DeadlineTimer(
    () => left[0] ?? Infinity,
    (at) => {
      while (left[0] <= at) fired.push(left.shift())
    },
    () => now,
  )
  timer.arm(300)
  timer.arm(100)
  timer.arm(200)
  assert.equal(timer.armedAtMs, 100)
  tick(99)
  assert.deepEqual(fired, [])
  tick(1)
  assert.deepEqual(fired, [100])
  assert.equal(timer.armedAtMs, 300)
  tick(200)
  assert.deepEqual(fired, [100, 300])
  assert.equal(timer.armedAtMs, Infinity)
})

test('a deadline beyond the longest timer of Node does not fire at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let calls = 0
  const far = 2 ** 32 - 1
  const timer = new DeadlineTimer(
    () => far,
    () => calls++,
    () => 0,
  )
  timer.arm(far)
  t.mock.timers.tick(1000)
  assert.equal(calls, 0)
  timer.close()
  assert.equal(timer.armedAtMs, Infinity)
})
