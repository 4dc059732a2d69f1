// The reader of a Pathway, and what streams of it become. A Pathway here is a list of Signals with gaps.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { test } from 'node:test'
import { Signal } from '../../src/index.js'
import { SignalReader } from '../../src/edge/reader.js'
import { streamEvents, streamTexts } from '../../src/edge/streaming.js'

const TRACE = 'trc_' + '0a'.repeat(13)
const signal = (type, payload = {}) => new Signal({ type, traceId: TRACE, payload })
const thought = signal('THOUGHT_DELTA', { delta: 'one', seq: 0 })
const output = signal('AGENT_OUTPUT', { output: { response: 'all' } })
const failure = signal('ERROR', { code: 'NO_GOOD', message: 'why', recoverable: false })
const question = signal('CLARIFICATION', { question: 'Which?' })
const never = new Promise(() => {})

/**
 * Return what reads as a Pathway: Signals, promises to wait for, numbers of Signals that were dropped,
 * and then the end.
 */
const pathwayOf = (...steps) => ({
  cursor: () => ({ missed: 0, at: 0, leave() {} }),
  async nextOf(cursor) {
    while (cursor.at < steps.length) {
      const each = steps[cursor.at++]
      if (typeof each === 'number') cursor.missed += each
      else if (each instanceof Promise) await each
      else return each
    }
    return null
  },
  close() {},
})

async function all(reader) {
  const found = []
  for (let each; (each = await reader.next()) !== null;) found.push(each)
  return found
}

for (const first of [failure, question]) {
  test(`a ${first.type} alone is a refusal, and nothing is taken from the stream`, async () => {
    const reader = new SignalReader(pathwayOf(first))

    assert.equal(await reader.refusal(5000), first)
    assert.deepEqual(await all(reader), [first])
    assert.equal(reader.reply, first)
  })
}

for (const [what, steps] of [
  ['an output', [output]],
  ['a text', [thought, failure]],
  ['a question that is answered', [question, thought, output]],
  ['the end', []],
]) {
  test(`a stream that begins with ${what} is no refusal`, async () => {
    const reader = new SignalReader(pathwayOf(...steps))

    assert.equal(await reader.refusal(5000), null)
    assert.deepEqual(await all(reader), steps)
  })
}

for (const [what, steps] of [
  ['a first Signal', [never]],
  ['the end behind an ERROR', [failure, never]],
]) {
  test(`${what} that does not come soon is not waited for`, async () => {
    assert.equal(await new SignalReader(pathwayOf(...steps)).refusal(1), null)
  })
}

test('what comes late after all is read', async () => {
  let come
  const late = new Promise((resolve) => {
    come = resolve
  })
  const reader = new SignalReader(pathwayOf(late, thought, output))

  assert.equal(await reader.refusal(1), null)
  come()
  assert.deepEqual(await all(reader), [thought, output])
  assert.equal(reader.reply, output)
})

/** Stream a Pathway over HTTP; resolve to its text, and whether it was whole. */
async function streamed(t, send, ...steps) {
  const server = createServer((req, res) => {
    send(res, new SignalReader(pathwayOf(...steps)), 5000)
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const asked = get({ port: server.address().port, agent: false })
  const [response] = await once(asked, 'response')
  let text = ''
  response.on('data', (piece) => {
    text += piece
  })
  response.on('error', () => {}) // it is told below
  await new Promise((resolve) => response.on('close', resolve))
  return { text, isWhole: response.complete }
}

test('events without an outcome end with one that says so', async (t) => {
  const { text, isWhole } = await streamed(t, streamEvents, thought)

  assert.equal(isWhole, true)
  assert.match(text, /^event: thought\n.*\n\nevent: error\n.*"NOT_READY".*\nid: end-stopped\n\n$/)
})

test('events say how many Signals are missing at their place', async (t) => {
  const { text, isWhole } = await streamed(t, streamEvents, thought, 7, thought, thought, 2, output)

  assert.equal(isWhole, true)
  const said = text.match(/^(event: .*|data: \{"missed".*)$/gm)
  assert.deepEqual(said, [
    'event: thought',
    'event: gap',
    'data: {"missed": 7}',
    'event: thought',
    'event: thought',
    'event: gap',
    'data: {"missed": 2}',
    'event: output',
  ])
})

test('a gap behind a question that was looked at stands behind it', async () => {
  const reader = new SignalReader(pathwayOf(question, 3, thought, output))
  await reader.refusal(5000)
  const missed = []
  while ((await reader.next()) !== null) missed.push(reader.missedNow)

  assert.deepEqual([missed, reader.missed], [[0, 3, 0], 3])
})

test('a text that has lost a part breaks off', async (t) => {
  const lost = await streamed(t, streamTexts, thought, 7, thought, output)
  const behind = await streamed(t, streamTexts, thought, 7, output)

  assert.deepEqual([lost, behind], Array(2).fill({ text: 'one', isWhole: false }))
})

test('texts end whole behind an output only', async (t) => {
  const good = await streamed(t, streamTexts, thought, output)
  const bad = await Promise.all(
    [[thought], [thought, failure], [thought, question]].map((each) =>
      streamed(t, streamTexts, ...each),
    ),
  )

  assert.deepEqual(good, { text: 'one', isWhole: true })
  assert.deepEqual(bad, Array(3).fill({ text: 'one', isWhole: false }))
})
