import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  IDS_MS,
  KEEP_MS,
  MAX_STREAM_BYTES,
  ReplyCache,
  ReplyStream,
} from '../../../src/dendrite/worker/reply-cache.js'

const BODY = Buffer.from('body')

function filled(cache, count, { atMs = 0, bytes = 4, name = 'k' } = {}) {
  const keys = Array.from({ length: count }, (_, at) => `${name}${at}`)
  for (const key of keys) cache.settle(key, BODY, bytes, atMs)
  return keys
}

test('the replies of a task are stored for 30 s, and its id for 10 minutes', () => {
  const cache = new ReplyCache()
  cache.settle('one', BODY, 4, 0)

  cache.expire(KEEP_MS - 1)
  assert.equal(cache.get('one'), BODY)

  cache.expire(KEEP_MS)
  assert.equal(cache.get('one'), null)
  assert.equal(cache.has('one'), true)

  cache.expire(IDS_MS)
  assert.equal(cache.get('one'), undefined)
  assert.equal(cache.has('one'), false)
})

test('while there is no connection nothing gets too old, nor for 30 s after it came back', () => {
  const cache = new ReplyCache()
  cache.settle('one', BODY, 4, 0)
  cache.pause()

  cache.expire(10 * IDS_MS)
  assert.equal(cache.get('one'), BODY)

  cache.resume(10 * IDS_MS)
  cache.expire(10 * IDS_MS + KEEP_MS - 1)
  assert.equal(cache.get('one'), BODY)

  cache.expire(10 * IDS_MS + KEEP_MS)
  assert.equal(cache.has('one'), false)
})

test('the bound of bytes holds without a connection, and the oldest go first', () => {
  const cache = new ReplyCache({ maxBytes: 10_000_000 })
  cache.pause()

  const keys = filled(cache, 30, { bytes: 1_100_000 })

  assert.ok(cache.bytes <= 11_200_000, String(cache.bytes))
  const stored = keys.filter((key) => cache.get(key) === BODY)
  assert.deepEqual(stored, keys.slice(-stored.length))
  assert.ok(stored.length >= 9)
  assert.ok(keys.every((key) => cache.has(key)))
})

test('the number of ids is bounded', () => {
  const cache = new ReplyCache({ maxIds: 5000, maxBytes: 1_000_000 })

  filled(cache, 40_000, { bytes: 100 })
  cache.expire(0)

  assert.ok(cache.size <= 5000 + 2200, String(cache.size))
})

test('a task costs 400 bytes beside its replies', () => {
  const cache = new ReplyCache()

  filled(cache, 10, { bytes: 100 })

  assert.equal(cache.bytes, 5000)
})

test('to settle 100,000 tasks takes less than 2 s', () => {
  const cache = new ReplyCache()
  const begunMs = performance.now()

  filled(cache, 100_000, { bytes: 200 })

  assert.ok(performance.now() - begunMs < 2000)
})

test('the cache answers as a plain list of tasks would', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 600_000 }) }) },
    { weight: 4, arbitrary: fc.record({ waitMs: fc.integer({ min: 0, max: 60_000 }) }) },
    { weight: 1, arbitrary: fc.constant({ pause: true }) },
    { weight: 1, arbitrary: fc.constant({ resume: true }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model()
      for (const each of steps) model.take(each)
      model.check()
    }),
    { numRuns: 300 },
  )
})

const SLACK_MS = 1000 // a chunk of replies gets old together

/** What is certain of a cache: what it must still have, and what it must not have any more. */
class Model {
  #cache = new ReplyCache({ maxBytes: 8_000_000 })
  #tasks = []
  #nowMs = 0
  #pausedAtMs = null
  #resumedAtMs = -Infinity

  take({ bytes, waitMs, pause, resume }) {
    if (bytes !== undefined) {
      const key = String(this.#tasks.length)
      this.#tasks.push({ key, bytes, atMs: this.#nowMs })
      this.#cache.settle(key, BODY, bytes, this.#nowMs)
    }
    if (waitMs !== undefined) this.#nowMs += waitMs
    if (pause) {
      this.#pausedAtMs ??= this.#nowMs
      this.#cache.pause()
    }
    if (resume && this.#pausedAtMs !== null) {
      this.#pausedAtMs = null
      this.#resumedAtMs = this.#nowMs
      this.#cache.resume(this.#nowMs)
    }
  }

  check() {
    const now = this.#nowMs
    this.#cache.expire(now)
    const isHeld = this.#pausedAtMs !== null || now - this.#resumedAtMs < KEEP_MS
    let younger = 0
    // A chunk has 1 MiB and its last task, and goes as a whole.
    for (const { key, bytes, atMs } of [...this.#tasks].reverse()) {
      const ageMs = now - atMs
      younger += bytes + 400
      const isYoung = ageMs < KEEP_MS
      if (isYoung && younger < 8_000_000 - 2_000_000) assert.equal(this.#cache.get(key), BODY)
      if (!isHeld && ageMs >= KEEP_MS + SLACK_MS) assert.notEqual(this.#cache.get(key), BODY)
      if (ageMs < IDS_MS) assert.equal(this.#cache.has(key), true)
    }
    assert.ok(this.#cache.bytes <= 8_000_000 + 1_700_000)
  }
}

test('a stream stores the last MiB of its replies', () => {
  const stream = new ReplyStream()
  const body = Buffer.alloc(100_000)

  for (let index = 0; index < 25; index++) stream.add([index, 10, body])

  const stored = stream.stored()
  assert.equal(stored.length, Math.floor(MAX_STREAM_BYTES / 100_000))
  assert.deepEqual(
    stored.map(([index]) => index),
    Array.from({ length: stored.length }, (_, at) => 25 - stored.length + at),
  )
})

test('a reply of over a MiB leaves a stream without replies', () => {
  const stream = new ReplyStream()
  stream.add([0, 10, BODY])

  stream.add([1, 10, Buffer.alloc(MAX_STREAM_BYTES + 1)])

  assert.deepEqual(stream.stored(), [])
})
