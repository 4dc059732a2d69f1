// A rate limit: what it says, and who begins when, waits, or is refused.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { RateBucket, checkedRate, intervalOf } from '../../../src/dendrite/worker/rate-limit.js'
import { InvalidArgument } from '../../../src/errors.js'
import { idBytes } from '../../../src/signals/ids.js'
import { CALLER, deferred, give, inboxOf, taskOf } from './fakes.js'

const INTERVAL_MS = 600_000

const RATES = { '10/s': 100, '100/m': 600, '5/2s': 400, '60 / h': 60_000, '1/24h': 86_400_000 }
for (const [rate, intervalMs] of Object.entries(RATES)) {
  test(`a rate limit of ${rate} is a number in a time`, () => {
    assert.equal(intervalOf(rate), intervalMs)
    assert.equal(new Axon({ neuronId: 'a', neuronFn: () => 1, rateLimit: rate }).rateLimit, rate)
  })
}

const WRONG = [
  '',
  '10',
  '/s',
  '0/s',
  '-1/s',
  '10/d',
  '1.5/s',
  '10/0s',
  '1001/s',
  '1/25h',
  '\u0661/s',
]
for (const rate of [...WRONG, 10, ['10/s']]) {
  test(`a rate limit of ${JSON.stringify(rate)} is refused with an example`, () => {
    assert.throws(
      () => new Axon({ neuronId: 'a', neuronFn: () => 1, rateLimit: rate }),
      (error) => error instanceof InvalidArgument && /rateLimit must be .*\/s/.test(error.message),
    )
  })
}

test('no rate limit is null', () => {
  assert.equal(checkedRate(null), null)
})

/** An inbox whose clock, and timers, a test moves on; `begun` has the inputs in their order. */
function limited(t, neuronFn = (input) => input, options = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const begun = []
  const note = (input, context) => {
    begun.push(input.n)
    return neuronFn(input, context)
  }
  const parts = inboxOf(note, { clock: () => nowMs, rateLimit: '1/10m', ...options })
  const pass = (ms) => {
    nowMs += ms
    t.mock.timers.tick(ms)
  }
  const start = (n, more = {}) =>
    give(parts.inbox, taskOf({ n }), { ttlMs: 10 * INTERVAL_MS, ...more })
  return { ...parts, begun, pass, start }
}

test('tasks begin one interval apart, whatever the concurrency, and in order', (t) => {
  const { begun, inbox, pass, start } = limited(t, undefined, { concurrency: 8 })

  for (const n of [0, 1, 2]) start(n)
  assert.deepEqual(begun, [0])
  assert.deepEqual(inbox.load('worker'), { running: 0, queued: 2 })
  pass(INTERVAL_MS - 1)
  assert.deepEqual(begun, [0])
  pass(1)
  start(3)

  assert.deepEqual(begun, [0, 1])
  pass(INTERVAL_MS)
  assert.deepEqual(begun, [0, 1, 2])
  pass(INTERVAL_MS)
  assert.deepEqual(begun, [0, 1, 2, 3])
})

test('over the queue a task is refused with the rate', (t) => {
  const { client, start } = limited(t, undefined, { maxQueued: 1 })
  start(0)
  start(1)

  start(2)

  const { payload } = client.replies.at(-1).signal
  assert.equal(payload.code, 'OVERLOADED')
  assert.match(payload.message, /at most 1\/10m begin and 1 wait/)
  assert.equal(payload.retry_after_s, INTERVAL_MS / 1000)
})

test('a task that is cancelled while it waits takes no token', (t) => {
  const { begun, inbox, pass, start } = limited(t)
  start(0)
  const cancelled = start(1)
  inbox.onCancel(CALLER, idBytes(cancelled.id))
  start(2)

  pass(INTERVAL_MS)

  assert.deepEqual(begun, [0, 2])
})

test('a task that waits for the rate says so, when its caller asks why it is late', (t) => {
  const { inbox, start } = limited(t)
  start(0)

  const late = start(1, { from: Buffer.alloc(16, 1) })

  const why = inbox.whyLate(idBytes(late.id))
  assert.match(why, /rate limit of Axon worker \(rateLimit: '1\/10m'\)/)
})

test('a child task that waits for the rate is no deadlock', (t) => {
  const { inbox, start } = limited(t, () => deferred().promise, { concurrency: 2 })
  const parent = start(0, { from: Buffer.alloc(16, 1) })
  const [job] = inbox.jobs.values()
  job.children = 1
  give(inbox, taskOf({ n: 1 }, { parentId: parent.id, traceId: parent.traceId }))

  assert.equal(inbox.whyLate(idBytes(parent.id)), '')
})

test('draining waits for tasks that wait for the rate', async (t) => {
  const { begun, inbox, pass, start } = limited(t)
  start(0)
  start(1)

  const draining = inbox.drain(10 * INTERVAL_MS)
  await turn()
  pass(INTERVAL_MS)

  assert.equal(await draining, 0)
  assert.deepEqual(begun, [0, 1])
})

const STEPS = fc.array(
  fc.tuple(fc.nat(3 * 64), fc.constantFrom('arrive', 'look', 'begin', 'cancel')),
  { maxLength: 60 },
)

/** Uses a bucket as a worker does; returns when what began, in 64ths of an interval. */
function startsOf(steps) {
  const bucket = new RateBucket(64)
  const starts = []
  let nowMs = 0
  let waiting = 0
  let isTaken = false
  for (const [pauseMs, step] of steps) {
    nowMs += pauseMs
    if (step === 'arrive') waiting++
    if ((step === 'arrive' || step === 'look') && waiting > 0 && bucket.waitMs(nowMs) === 0) {
      bucket.take()
      waiting--
      isTaken = true
    }
    if (isTaken && step === 'begin') {
      bucket.begun(nowMs)
      starts.push(nowMs)
      isTaken = false
    }
    if (isTaken && step === 'cancel') {
      bucket.giveBack()
      assert.equal(bucket.waitMs(nowMs), 0)
      isTaken = false
    }
  }
  return starts
}

test('two starts are an interval apart, for any times of tasks, starts and cancellations', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const starts = startsOf(steps)
      return starts.every((each, n) => n === 0 || each - starts[n - 1] >= 64)
    }),
  )
})
