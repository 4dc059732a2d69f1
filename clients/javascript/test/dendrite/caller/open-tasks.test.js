// The open tasks of a caller: docs/spec/03-routing.md and 09-resync.md, "At the caller".
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GAP_INTERVAL_MS, OpenTasks, rowOf } from '../../../src/dendrite/caller/open-tasks.js'
import { VERBS, taskFor } from '../../../src/dendrite/caller/tasks.js'

const SETTLES = 1
const SKIPS = 4
const open = (tasks, now = 0, options = {}) => {
  const opened = taskFor({ neuron: 'worker', input: 1, ...options }, VERBS.dispatchAndWait)
  tasks.open(opened, now)
  return opened
}

test('replies are accepted in the order of their numbers, and the last one ends the task', () => {
  const tasks = new OpenTasks()
  const { task } = open(tasks)
  const opened = tasks.get(task)
  assert.equal(tasks.replied(task, 0, 0), opened)
  assert.equal(tasks.replied(task, 1, SETTLES), opened)
  assert.equal(tasks.get(task), undefined)
  assert.equal(tasks.nextAtMs(), Infinity)
  assert.deepEqual(tasks.counts, {})
})

test('late, repeated and early replies are dropped and counted', () => {
  const tasks = new OpenTasks()
  const { task } = open(tasks)
  tasks.replied(task, 0, 0)
  assert.equal(tasks.replied(task, 0, 0), null)
  assert.equal(tasks.replied(task, 2, SETTLES), null)
  assert.equal(tasks.replied(Buffer.alloc(16), 0, SETTLES), null)
  assert.deepEqual(tasks.counts, {
    'drop.repeated_reply': 1,
    'drop.early_reply': 1,
    'drop.late_reply': 1,
  })
})

test('with SKIPS the replies before it are lost for good, and counted', () => {
  const tasks = new OpenTasks()
  const opened = open(tasks)
  const lost = []
  opened.pathway = { lose: (count) => lost.push(count) }
  assert.equal(tasks.replied(opened.task, 7, SKIPS | SETTLES), opened)
  assert.deepEqual(lost, [7])
  assert.deepEqual(tasks.counts, { 'gap.replies': 7 })
  assert.equal(tasks.size, 0)
})

test('a GAP may be sent every 250 ms for a task, while replies are missing', () => {
  const tasks = new OpenTasks()
  const opened = open(tasks)
  assert.equal(tasks.missed(opened.task, 3, 1000), opened)
  assert.equal(tasks.missed(opened.task, 5, 1000 + GAP_INTERVAL_MS - 1), null)
  assert.equal(opened.earlyIndex, 5)
  assert.equal(tasks.missed(opened.task, 2, 1000 + GAP_INTERVAL_MS), opened)
  assert.equal(tasks.missed(opened.task, 0, 9000), null)
  assert.equal(tasks.missed(Buffer.alloc(16), 1, 9000), null)
})

test('a resync lists every open task with the next reply and the time that is left', () => {
  const tasks = new OpenTasks()
  const first = open(tasks, 100, { timeoutMs: 1000 })
  const second = open(tasks, 200, { timeoutMs: 50, keep: true })
  tasks.replied(first.task, 0, 0)
  assert.deepEqual(tasks.rows(600.5), [
    { task: first.task, trace: first.trace, nextIndex: 1, leftMs: 499, keep: false },
    { task: second.task, trace: second.trace, nextIndex: 0, leftMs: 0, keep: true },
  ])
  assert.deepEqual(rowOf(first, 7).leftMs, 7)
})

test('a TASK that begins a trace has one id for both', () => {
  const opened = open(new OpenTasks())
  assert.equal(opened.trace, opened.task)
  assert.equal(opened.signal.traceId.slice(4), opened.signal.id.slice(4))
})

const which = fc.nat(7)
const event = fc.oneof(
  fc.record({ does: fc.constant('open'), timeoutMs: fc.integer({ min: 1, max: 900 }) }),
  fc.record({ does: fc.constant('reply'), which, ahead: fc.integer({ min: -1, max: 2 }), flags: fc.constantFrom(0, SETTLES, SKIPS, SETTLES | SKIPS) }), // prettier-ignore
  fc.record({ does: fc.constant('close'), which }),
  fc.record({ does: fc.constant('time'), by: fc.nat(300) }),
  fc.record({ does: fc.constant('closeAll') }),
)

test('every task ends exactly once, whatever comes in whatever order', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const tasks = new OpenTasks()
      const all = []
      const ends = new Map()
      const end = (opened) => ends.set(opened, (ends.get(opened) ?? 0) + 1)
      let now = 0
      for (const each of events) {
        const opened = all.at(-1 - (each.which ?? 0))
        if (each.does === 'open') all.push(open(tasks, now, { timeoutMs: each.timeoutMs }))
        else if (each.does === 'time') {
          now += each.by
          tasks.expire(now).forEach(end)
        } else if (each.does === 'closeAll') tasks.closeAll().forEach(end)
        else if (opened === undefined) continue
        else if (each.does === 'close') {
          if (tasks.close(opened)) end(opened)
        } else {
          const index = Math.max(0, opened.nextIndex + each.ahead)
          const taken = tasks.replied(opened.task, index, each.flags)
          if (taken !== null && (each.flags & SETTLES) !== 0) end(taken)
        }
        for (const one of all) {
          assert.equal(tasks.has(one), !ends.has(one))
          assert.ok((ends.get(one) ?? 0) <= 1)
        }
        assert.equal(tasks.size, all.length - ends.size)
      }
      tasks.expire(now + 10_000).forEach(end)
      assert.ok(all.every((one) => ends.get(one) === 1))
      assert.equal(tasks.nextAtMs(), Infinity)
    }),
  )
})
