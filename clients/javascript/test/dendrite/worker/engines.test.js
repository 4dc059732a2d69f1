// The small machines of the worker: queue, places, turns, deadlines, the reasons of a wait.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { AxonSlots } from '../../../src/dendrite/worker/axon-slots.js'
import { Fifo } from '../../../src/runtime/fifo.js'
import { RunQueue } from '../../../src/dendrite/worker/run-queue.js'
import { whyWaits } from '../../../src/dendrite/worker/waiting.js'
import { Warnings } from '../../../src/dendrite/worker/warnings.js'

const slotsOf = (options) =>
  new AxonSlots(new Axon({ neuronId: 'a', neuronFn: () => null, ...options }))

test('a queue gives its items in order, as an array would', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (pushes) => {
      const queue = new Fifo()
      const model = []
      for (const [at, isPush] of pushes.entries()) {
        if (isPush) {
          queue.push(at)
          model.push(at)
        } else assert.equal(queue.shift(), model.shift())
        assert.equal(queue.length, model.length)
        assert.equal(queue.first, model[0])
      }
      assert.deepEqual([...queue], model)
    }),
  )
})

test('jobs leave the queue of an Axon in order, those in the middle too', () => {
  const orders = fc.array(fc.oneof(fc.constant('in'), fc.constant('out'), fc.nat(20)), {
    maxLength: 400,
  })
  fc.assert(
    fc.property(orders, (steps) => {
      const slots = slotsOf()
      let model = []
      for (const [at, step] of steps.entries()) {
        if (step === 'in') {
          const job = { at, isQueued: false }
          slots.enqueue(job)
          model.push(job)
        } else if (step === 'out') assert.equal(slots.next(), model.shift())
        else if (model.length > 0) {
          const job = model[step % model.length]
          slots.withdraw(job)
          slots.withdraw(job)
          model = model.filter((each) => each !== job)
        }
        assert.equal(slots.queued, model.length)
      }
    }),
  )
})

test('withdrawn jobs do not stay in memory while the places are taken', () => {
  const slots = slotsOf()
  const jobs = new WeakRef({ isQueued: false })
  for (let at = 0; at < 100_000; at++) {
    const job = { isQueued: false }
    slots.enqueue(job)
    slots.withdraw(job)
  }

  assert.equal(slots.queued, 0)
  assert.equal(slots.next(), undefined)
  assert.ok(jobs)
})

test('jobs begin at once, until 2 ms are spent; then the sockets are read first', () => {
  let nowMs = 0
  const begun = []
  const later = []
  const run = (job) => {
    begun.push(job)
    nowMs += 0.7
  }
  const queue = new RunQueue(
    run,
    () => nowMs,
    (next) => later.push(next),
  )

  for (let job = 0; job < 8; job++) queue.start(job)
  assert.deepEqual(begun, [0, 1, 2])
  assert.equal(later.length, 1)

  later.shift()()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5])
  later.shift()()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7])
  assert.equal(later.length, 0)
})

test('a job that begins another one is not interrupted by it', () => {
  const order = []
  const queue = new RunQueue(
    (job) => {
      order.push(`begin ${job}`)
      if (job < 3) queue.start(job + 1)
      order.push(`end ${job}`)
    },
    () => 0,
  )

  queue.start(1)

  assert.deepEqual(order, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
})

test('a chain of 100,000 jobs needs no deeper stack', () => {
  let left = 100_000
  const queue = new RunQueue(
    () => {
      if (--left > 0) queue.start(null)
    },
    () => 0,
  )

  queue.start(null)

  assert.equal(left, 0)
})

test('a wait for a place of its own Axon is called a deadlock', () => {
  const slots = slotsOf({ concurrency: 1 })
  slots.running = 1
  const parent = { slots, isQueued: false, children: 1, signal: { id: 'p', parentId: null } }
  const child = { slots, isQueued: true, children: 0, signal: { id: 'c', parentId: 'p' } }
  const other = { slots, isQueued: true, children: 0, signal: { id: 'o', parentId: 'x' } }
  const jobs = new Map([parent, child, other].map((job) => [job.signal.id, job]))

  assert.match(whyWaits(parent, jobs), /a deadlock; give the child task an Axon of its own/)
  assert.match(whyWaits(child, jobs), /a deadlock/)
  assert.match(whyWaits(other, jobs), /it waited for a place of Axon a \(concurrency: 1\)/)
  jobs.delete('c')
  assert.equal(whyWaits(parent, jobs), '')
})

test('warnings of one kind are told once a second, with the number of the others', () => {
  let nowMs = 0
  const told = []
  const warnings = new Warnings({ warn: (...all) => told.push(all) }, () => nowMs)
  const error = new Error('x')

  warnings.warn('a', 'first', { error })
  warnings.warn('a', 'second')
  warnings.warn('a', 'third')
  warnings.warn('b', 'other')
  nowMs = 1000
  warnings.warn('a', 'fourth')

  assert.deepEqual(told, [['first', error], ['other'], ['fourth (and 2 more)']])
})
