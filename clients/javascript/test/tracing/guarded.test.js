// What traces the tasks may throw, or reject: no task is harmed, and it is asked no more.
import assert from 'node:assert/strict'
import test from 'node:test'
import { tracingFor } from '../../src/tracing/tracing.js'
import { Spans } from '../support/spans.js'

const FACTS = { namespace: 'default', dendriteId: 'a' }
const ERROR = { type: 'ERROR', payload: { code: 'OVERLOADED' } }
const refuse = () => {
  throw new Error('no')
}

const jobWith = (meta, startedAtMs = 0) => ({
  signal: { id: 'evt_a', traceId: 'trc_a', meta },
  slots: { axon: { neuronId: 'leaf' } },
  arrivedAtMs: 0,
  startedAtMs,
})

function guarded(tracing) {
  const told = []
  const counts = {}
  const guard = tracingFor(tracing, FACTS, counts, (_text, error) => told.push(error.message))
  return { guard, told, counts }
}

test('a tracer that cannot be had costs no start', () => {
  const { guard, told } = guarded({ trace: { getTracer: refuse } })

  let calls = 0
  guard.run(jobWith({}), 0, () => calls++)

  assert.equal(calls, 1)
  assert.deepEqual(told, ['no'])
})

test('what has thrown is asked no more', () => {
  let asked = 0
  const inject = () => {
    asked++
    refuse()
  }
  const { guard, told } = guarded({ inject })

  for (let each = 0; each < 3; each++) guard.begin({ meta: {} })

  assert.equal(asked, 1)
  assert.deepEqual(told, ['no'])
})

test('a promise of the program that rejects is told, and unhandled nowhere', async () => {
  const rejected = async () => refuse()
  for (const tell of [
    (guard) => guard.begin({ meta: {} }),
    (guard) => guard.run(jobWith({}), 0, () => {}),
  ]) {
    const { guard, told } = guarded({ inject: rejected, run: rejected })
    tell(guard)
    tell(guard)
    await new Promise(setImmediate) // an unhandled rejection would fail this test

    assert.deepEqual(told, ['no'])
  }
})

test('a function of the program hears of the end however often it calls', () => {
  const end = Promise.resolve()
  let heard
  const { guard } = guarded({ run: (_meta, fn) => (heard = [fn(), fn()]) })

  guard.run(jobWith({}), 0, () => end)

  assert.deepEqual(
    heard.map((each) => each === end),
    [true, true],
  )
})

test('an invalid context of a TASK that never runs is counted, and of one that runs once', () => {
  const bad = { traceparent: 'no' }
  for (const tracing of [new Spans().api, { run: (_meta, fn) => fn() }]) {
    const { guard, counts } = guarded(tracing)

    guard.ended(jobWith(bad, null), ERROR, 1)
    assert.equal(counts['drop.bad_traceparent'], 1)
    const job = jobWith(bad)
    guard.run(job, 0, () => guard.ended(job, ERROR, 1))
    assert.equal(counts['drop.bad_traceparent'], 2)
  }
})
