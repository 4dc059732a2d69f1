// How long a TASK waited and ran, in the meta of its last reply.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { timedMeta } from '../../../src/dendrite/worker/reply-times.js'
import { idBytes } from '../../../src/signals/ids.js'
import { CALLER, deferred, give, inboxOf, taskOf } from './fakes.js'

const file = new URL('../../../../../docs/spec/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')).reply_times
const number = (value) => (value === null ? null : Number(value.$float ?? value))

for (const vector of vectors)
  test(`the times of the vector: ${vector.name}`, () => {
    const { arrived_at_ms: arrivedAtMs, started_at_ms: startedAtMs, now_ms: nowMs } = vector

    const meta = timedMeta('d', number(arrivedAtMs), number(startedAtMs), number(nowMs))

    assert.deepEqual(Object.entries(meta), Object.entries({ dendrite: 'd', ...vector.meta }))
  })

test('a reply tells how long its task waited for a place, and how long it ran', async () => {
  let nowMs = 1000
  const places = []
  const neuronFn = () => {
    places.push(deferred())
    return places.at(-1).promise
  }
  const { client, inbox } = inboxOf(neuronFn, { clock: () => nowMs, concurrency: 1 })
  const [first, second] = [give(inbox, taskOf({})), give(inbox, taskOf({}))]

  nowMs += 250.5
  places[0].resolve({})
  const ran = await client.outcome(first)
  nowMs += 30
  places[1].resolve({})
  const waited = await client.outcome(second)

  assert.deepEqual(ran.signal.meta, { dendrite: 'd', queued_ms: 0, ran_ms: 250 })
  assert.deepEqual(waited.signal.meta, { dendrite: 'd', queued_ms: 250, ran_ms: 30 })
})

test('a task that is cancelled while it waits has not run', async () => {
  let nowMs = 1000
  const neuronFn = () => new Promise(() => {})
  const { client, inbox } = inboxOf(neuronFn, { clock: () => nowMs, concurrency: 1 })
  give(inbox, taskOf({}))
  const waiting = give(inbox, taskOf({}))

  nowMs += 70
  inbox.onCancel(CALLER, idBytes(waiting.id))
  const { signal } = await client.outcome(waiting)

  assert.deepEqual(signal.meta, { dendrite: 'd', queued_ms: 70 })
})
