// Runs at their caller: each thought as a reply of its own, of which some may have come before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OpenTasks } from '../../../src/dendrite/caller/open-tasks.js'
import { VERBS, taskFor } from '../../../src/dendrite/caller/tasks.js'

const SKIPS = 4

function opened() {
  const tasks = new OpenTasks()
  const task = taskFor({ neuron: 'worker', input: 1 }, VERBS.dispatchAndWait)
  tasks.open(task, 0)
  return { tasks, task }
}

test('a run is taken whole, in part, or not at all', () => {
  const { tasks, task } = opened()

  assert.deepEqual(tasks.repliedByRun(task.task, 0, 3, 0), { opened: task, had: 0 })
  assert.deepEqual(tasks.repliedByRun(task.task, 1, 4, 0), { opened: task, had: 2 })
  assert.equal(tasks.repliedByRun(task.task, 0, 5, 0), null)
  assert.equal(tasks.repliedByRun(task.task, 9, 2, 0), null)
  assert.equal(tasks.repliedByRun(Buffer.alloc(16), 0, 2, 0), null)
  assert.deepEqual(tasks.repliedByRun(task.task, 9, 2, SKIPS), { opened: task, had: 0 })

  assert.equal(task.nextIndex, 11)
  assert.deepEqual(tasks.counts, {
    'drop.repeated_reply': 7,
    'drop.early_reply': 2,
    'drop.late_reply': 2,
    'gap.replies': 4,
  })
})

test('a run counts and takes as its replies one by one would', () => {
  const runs = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 2, max: 6 }), fc.constantFrom(0, SKIPS))) // prettier-ignore
  fc.assert(
    fc.property(runs, (all) => {
      const whole = opened()
      const single = opened()
      for (const [index, replies, flags] of all) {
        const accepted = whole.tasks.repliedByRun(whole.task.task, index, replies, flags)
        let taken = 0
        for (let k = 0; k < replies; k++)
          if (single.tasks.replied(single.task.task, index + k, k === 0 ? flags : 0) !== null)
            taken++

        assert.equal(accepted === null ? 0 : replies - accepted.had, taken)
        assert.equal(whole.task.nextIndex, single.task.nextIndex)
      }
      assert.deepEqual(whole.tasks.counts, single.tasks.counts)
    }),
  )
})
