import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import {
  Batcher,
  HEADER_BYTES,
  MAX_BATCH_BYTES,
  packHeader,
  parseBroadcast,
} from '../../src/wire/broadcast-headers.js'

const vectors = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { batches } = JSON.parse(readFileSync(vectors, 'utf8'))
const id = (byte) => Buffer.alloc(16, byte)
const header = (sequence, { publisher = 1, caller = 2, worker = 3 } = {}) =>
  packHeader(id(publisher), sequence, id(caller), id(worker))

function batched(...messages) {
  const batcher = new Batcher()
  for (const [topic, head, body] of messages) batcher.add(topic, head, Buffer.from(body))
  return batcher.take()
}

for (const { name, topic, singles, header: head, body } of batches)
  test(`batch made: ${name}`, () => {
    const batcher = new Batcher()
    for (const each of singles)
      batcher.add(topic, Buffer.from(each.header, 'hex'), Buffer.from(each.body, 'hex'))
    assert.deepEqual(batcher.take(), [[topic, Buffer.from(head, 'hex'), Buffer.from(body, 'hex')]])
  })

test('a header is read again, a sequence number of 64 bits too', () => {
  const read = parseBroadcast(header(2n ** 64n - 1n), Buffer.from('body'))

  assert.deepEqual(read, {
    publisher: id(1),
    first: 2n ** 64n - 1n,
    caller: id(2),
    worker: id(3),
    bodies: [Buffer.from('body')],
  })
})

test('neighbours of one topic and one sender travel as one message', () => {
  const made = batched(['t', header(5), 'one'], ['t', header(6), ''], ['t', header(7), 'three'])

  assert.equal(made.length, 1)
  const [[topic, head, body]] = made
  assert.equal(topic, 't')
  const { first, bodies } = parseBroadcast(head, body)
  assert.equal(first, 5n)
  assert.deepEqual(bodies.map(String), ['one', '', 'three'])
})

test('what differs in anything keeps its place and travels alone', () => {
  for (const other of [
    ['u', header(6)],
    ['t', header(7)],
    ['t', header(5)],
    ['t', header(6, { publisher: 9 })],
    ['t', header(6, { caller: 9 })],
    ['t', header(6, { worker: 9 })],
  ]) {
    const messages = [
      ['t', header(5), 'a'],
      [...other, 'b'],
      ['v', header(6), 'c'],
    ]
    const bodies = batched(...messages).map(([, head, body]) => [head.length, String(body)])
    assert.deepEqual(bodies, [
      [HEADER_BYTES, 'a'],
      [HEADER_BYTES, 'b'],
      [HEADER_BYTES, 'c'],
    ])
  }
})

test('a batch has at most 64 messages and 64 KiB', () => {
  const many = Array.from({ length: 65 }, (_, i) => ['t', header(i), 'x'])
  const half = 'y'.repeat(MAX_BATCH_BYTES / 2)

  assert.deepEqual(
    batched(...many).map(([, , body]) => body.length),
    [64, 1],
  )
  assert.deepEqual(
    batched(['t', header(0), half], ['t', header(1), half], ['t', header(2), 'z']).map(
      ([, , body]) => body.length,
    ),
    [MAX_BATCH_BYTES, 1],
  )
})

test('a batcher that was emptied begins anew', () => {
  const batcher = new Batcher()
  assert.ok(batcher.isEmpty)
  batcher.add('t', header(0), Buffer.from('a'))
  assert.ok(!batcher.isEmpty)
  batcher.take()
  assert.ok(batcher.isEmpty)
  batcher.add('t', header(1), Buffer.from('b'))
  assert.deepEqual(batcher.take(), [['t', header(1), Buffer.from('b')]])
})

test('a header of any other length is dropped, and sizes that do not add up', () => {
  const body = Buffer.from('abc')
  const sizes = (...values) => {
    const long = Buffer.alloc(HEADER_BYTES + 4 * values.length)
    values.forEach((value, i) => long.writeUInt32BE(value, HEADER_BYTES + 4 * i))
    return long
  }
  for (const length of [0, 55, 57, 60, 62, HEADER_BYTES + 4 * 65, 10_000])
    assert.equal(parseBroadcast(Buffer.alloc(length), body), 'bad_header')
  assert.equal(parseBroadcast(sizes(1, 1), body), 'body_length')
  assert.equal(parseBroadcast(sizes(1, 3), body), 'body_length')
  assert.equal(parseBroadcast(sizes(0xffff_ffff, 4), body), 'body_length')
  assert.equal(parseBroadcast(sizes(1, 2), body).bodies.length, 2)
})

test('batching changes neither what is heard nor its order', () => {
  const fields = {
    topic: fc.constantFrom('t', 'u'),
    sequence: fc.integer({ min: 0, max: 5 }),
    caller: fc.constantFrom(1, 2),
    body: fc.string({ maxLength: 5 }),
  }
  const message = fc.record(fields, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
      const made = batched(
        ...messages.map(({ topic, sequence, caller, body }) => [
          topic,
          header(sequence, { caller }),
          body,
        ]),
      )

      const heard = made.flatMap(([topic, head, body]) => {
        const { first, caller, bodies } = parseBroadcast(head, body)
        return bodies.map((each, i) => ({
          topic,
          sequence: Number(first) + i,
          caller: caller[0],
          body: String(each),
        }))
      })

      assert.deepEqual(heard, messages)
    }),
  )
})

test('arbitrary bytes are a broadcast or have a reason', () => {
  const bytes = fc.uint8Array({ maxLength: 400, size: 'max' }).map((each) => Buffer.from(each))
  fc.assert(
    fc.property(bytes, bytes, (head, body) => {
      const read = parseBroadcast(head, body)
      if (typeof read === 'string') assert.ok(['bad_header', 'body_length'].includes(read))
      else assert.equal(Buffer.concat(read.bodies).length, body.length)
    }),
    { numRuns: 1000 },
  )
})

test('a number is written as the BigInt of the same value', () =>
  fc.assert(
    fc.property(fc.maxSafeNat(), (sequence) =>
      assert.deepEqual(packHeader(id(1), sequence), packHeader(id(1), BigInt(sequence))),
    ),
  ))
