// One AbortSignal for many calls.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'
import { Pathway } from '../../src/dendrite/caller/pathway.js'
import { Waiter } from '../../src/dendrite/caller/waiter.js'
import { whenAborted } from '../../src/runtime/aborts.js'
import { within } from '../../src/runtime/waits.js'
import { newTraceId } from '../../src/signals/ids.js'

const listeners = (signal) => getEventListeners(signal, 'abort').length

test('every function is called once with an abort, and one that was taken back is not', () => {
  const own = new AbortController()
  const called = []
  const note = () => called.push('same')
  const off = whenAborted(own.signal, () => called.push('off'))
  whenAborted(own.signal, note)
  whenAborted(own.signal, note)
  off()
  off()
  assert.equal(listeners(own.signal), 1)
  own.abort()
  own.abort()
  whenAborted(own.signal, () => called.push('late'))()

  assert.deepEqual(called, ['same', 'same', 'late'])
  assert.equal(listeners(own.signal), 0)
})

test('one that is taken back by another, or added within an abort, is dealt with', () => {
  const own = new AbortController()
  const called = []
  whenAborted(own.signal, () => {
    called.push('first')
    off()
    whenAborted(own.signal, () => called.push('within'))
  })
  const off = whenAborted(own.signal, () => called.push('second'))
  own.abort()

  assert.deepEqual(called, ['first', 'within'])
})

test('a signal that is given to a hundred calls at once causes no warning, and keeps none', async (t) => {
  const warnings = []
  const onWarning = (warning) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  const { signal } = new AbortController()
  const waiters = Array.from({ length: 100 }, () => new Waiter(assert.ok, assert.fail, false))
  for (const each of waiters) each.listen(signal, assert.fail)
  const pathway = new Pathway(newTraceId())
  const reads = Array.from({ length: 100 }, () => pathway.outcome({ signal }))
  let settle
  const step = new Promise((resolve) => (settle = resolve))
  const waits = Array.from({ length: 100 }, () => within(step, null, assert.fail, signal))
  await new Promise(setImmediate)
  assert.equal(listeners(signal), 1)
  for (const each of waiters) each.settle({})
  pathway.close()
  settle()
  await Promise.all(waits)
  await Promise.allSettled(reads)

  assert.equal(listeners(signal), 0)
  assert.deepEqual(warnings, [])
})

test('a step that fails behind an abort is no unhandled rejection', async (t) => {
  const unhandled = []
  const onUnhandled = (error) => unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  t.after(() => process.off('unhandledRejection', onUnhandled))
  const aborted = AbortSignal.abort(null)
  const step = Promise.reject(new Error('late'))

  assert.equal(await within(step, null, assert.fail, aborted).catch((reason) => reason), null)
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})
