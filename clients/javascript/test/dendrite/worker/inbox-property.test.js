// Any order of TASKs, repeats, CANCELs, STOPs and ends of functions: each task runs at most once and
// ends exactly once, within the bounds, and every place is free in the end.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { idBytes, newTraceId } from '../../../src/signals/ids.js'
import { CALLER, deferred, give, inboxOf, taskOf } from './fakes.js'

const TRACES = [newTraceId(), newTraceId()]
const CONCURRENCY = 3
const MAX_QUEUED = 4

const at = fc.nat(30)
const STEPS = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('give'), trace: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat'), at }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel'), at }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('return'), at }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('throw'), at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('stop'), trace: fc.nat(1) }) },
    { weight: 4, arbitrary: fc.constant({ do: 'turn' }) },
  ),
  { maxLength: 60 },
)

class Run {
  tasks = []
  gates = new Map()
  runs = new Map()

  constructor() {
    const parts = inboxOf((input) => this.#work(input), {
      concurrency: CONCURRENCY,
      maxQueued: MAX_QUEUED,
    })
    this.client = parts.client
    this.inbox = parts.inbox
  }

  #work({ n }) {
    this.runs.set(n, (this.runs.get(n) ?? 0) + 1)
    if (n % 4 === 0) return { n } // some answer at once
    this.gates.set(n, deferred())
    return this.gates.get(n).promise
  }

  async take(step) {
    const task = this.tasks[step.at % this.tasks.length]
    if (step.do === 'give') {
      const n = this.tasks.length
      this.tasks.push(give(this.inbox, taskOf({ n }, { traceId: TRACES[step.trace] })))
    } else if (step.do === 'stop') this.inbox.cancelTrace(TRACES[step.trace])
    else if (step.do === 'turn') await turn()
    else if (task === undefined) return
    else if (step.do === 'repeat') give(this.inbox, task)
    else if (step.do === 'cancel') this.inbox.onCancel(CALLER, idBytes(task.id))
    else this.#end(task, step.do)
  }

  #end(task, how) {
    const gate = this.gates.get(task.payload.input.n)
    if (how === 'return') gate?.resolve({ done: true })
    else gate?.reject(new Error('x'))
  }

  check() {
    const { running, queued } = this.inbox.load('worker')
    assert.ok(running <= CONCURRENCY && queued <= MAX_QUEUED)
    for (const [n, count] of this.runs) assert.equal(count, 1, `task ${n} ran ${count} times`)
  }

  /** Let every function end. */
  async finish() {
    for (let left = this.tasks.length + 2; left > 0; left--) {
      for (const gate of this.gates.values()) gate.resolve({ done: true })
      await turn()
    }
    assert.equal(this.inbox.jobs.size, 0)
    assert.deepEqual(this.inbox.load('worker'), { running: 0, queued: 0 })
    for (const task of this.tasks) this.#checkOutcome(task)
  }

  /** The last reply of a task is the same however often it is sent. */
  #checkOutcome(task) {
    const id = idBytes(task.id)
    const last = this.client.replies.filter((each) => each.settles && each.task.equals(id))
    assert.ok(last.length >= 1, 'it has an outcome')
    assert.equal(new Set(last.map(({ signal }) => signal.id)).size, 1, 'and only one')
  }
}

test('each task runs at most once and ends exactly once, whatever happens in which order', async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      const run = new Run()
      for (const each of steps) {
        await run.take(each)
        run.check()
      }
      await run.finish()
      run.check()
      run.inbox.close()
    }),
    { numRuns: 200 },
  )
})
