import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import * as heads from '../../src/wire/heads.js'

const vectors = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { VERB, item, packHead, packMessage, parseMessage } = heads
const id = (byte) => Buffer.alloc(16, byte)
const task = (body = Buffer.from('hello')) =>
  item(VERB.TASK, { kind: 1, number: 30_000, task: id(1), trace: id(2), body })

const id16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes))
const byte = fc.integer({ min: 0, max: 255 })
const record = (fields) => fc.record(fields, { noNullPrototype: true })
const anItem = record({
  verb: byte,
  flags: byte,
  kind: byte,
  number: fc.integer({ min: 0, max: heads.MAX_NUMBER }),
  task: id16,
  trace: id16,
  body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})
const aMessage = record({
  items: fc.array(anItem, { minLength: 1, maxLength: 64 }),
  address: fc.stringMatching(/^[A-Za-z0-9._-]{0,128}$/),
  peer: id16,
})
const REASONS = [
  'long_head',
  'version',
  'short_head',
  'item_count',
  'coalesced_size',
  'body_length',
]

test('a head of one item and no address has 62 bytes', () => {
  assert.equal(packHead(task()).length, 62)
})

test('a message of no items, or of 65, is refused before it is made', () => {
  assert.throws(() => packMessage([]), /1 to 64 items, not 0/)
  assert.throws(() => packMessage(new Array(65).fill(task())), /not 65/)
})

test('numbers and sizes over 2^31 keep their value', () => {
  const [head, body] = packMessage([item(VERB.REPLY, { number: heads.MAX_NUMBER })])

  assert.equal(parseMessage(head, body).items[0].number, heads.MAX_NUMBER)
  head.writeUInt32BE(0x8000_0000, 19 + 39)
  assert.equal(parseMessage(head, body), 'body_length')
})

test('the longest head that may come is read, one byte more is not', () => {
  const items = new Array(64).fill(item(VERB.CANCEL))
  const [head, body] = packMessage(items, 'x'.repeat(4096))

  assert.equal(head.length, heads.MAX_HEAD_BYTES)
  assert.equal(parseMessage(head, body).items.length, 64)
  assert.equal(parseMessage(Buffer.concat([head, Buffer.of(120)]), body), 'long_head')
})

test('several items have at most 256 KiB of body, one has what the socket took', () => {
  const half = Buffer.alloc(heads.MAX_COALESCED_BYTES / 2)
  const over = Buffer.alloc(heads.MAX_COALESCED_BYTES + 1)

  assert.equal(parseMessage(...packMessage([task(half), task(half)])).items.length, 2)
  assert.equal(parseMessage(...packMessage([task(half), task(over)])), 'coalesced_size')
  assert.equal(parseMessage(...packMessage([task(over)])).items[0].body.length, over.length)
})

test('the ids of a message do not keep alive what was read from the socket with it', () => {
  const [head, body] = packMessage([task()], '', id(9))
  const chunk = Buffer.concat([Buffer.alloc(100_000), head])

  const { peer, items } = parseMessage(chunk.subarray(100_000), body)

  for (const each of [peer, items[0].task, items[0].trace])
    assert.notEqual(each.buffer, chunk.buffer)
})

test('an address with characters beyond ASCII equals no name', () => {
  const [head, body] = packMessage([task()], 'worker')
  head[head.length - 1] = 0xff

  assert.equal(parseMessage(head, body).address, 'worke\u00ff')
})

test('a message that came back whole is taken apart, any other is none', () => {
  const mark = item(VERB.BOUNCE, { body: Buffer.from('going_away') })
  const sent = [task(), task()]
  const came = parseMessage(...packMessage([mark, ...sent], 'worker', id(9)))

  const { reason, items } = heads.returnedWhole(came)

  assert.equal(reason, 'going_away')
  assert.deepEqual(packMessage(items, came.address, came.peer), packMessage(sent, 'worker', id(9)))
  assert.equal(heads.returnedWhole(parseMessage(...packMessage([mark]))), null)
  assert.equal(heads.returnedWhole(parseMessage(...packMessage(sent))), null)
})

test('flags and reasons are those of the specification', () => {
  const { flags, reasons } = JSON.parse(readFileSync(vectors, 'utf8'))
  const reserved = ['too_large', 'duplicate'] // 01, Reserved

  const { SETTLES, KEEP, SKIPS, RUN } = heads
  assert.deepEqual({ SETTLES, KEEP, SKIPS, RUN }, flags)
  assert.deepEqual([...heads.REASONS, ...reserved].sort(), [...reasons].sort())
})

test('a reason that is unknown, reserved or long reads as unknown', () => {
  for (const reason of heads.REASONS) assert.equal(heads.readReason(Buffer.from(reason)), reason)
  for (const text of ['too_large', 'duplicate', '', 'BUSY', 'busy\n', 'x'.repeat(100_000)])
    assert.equal(heads.readReason(Buffer.from(text)), 'unknown')
})

test('what is packed is read again', () => {
  fc.assert(
    fc.property(aMessage, ({ items, address, peer }) => {
      const [head, body] = packMessage(items, address, peer)

      const message = parseMessage(head, body)

      assert.deepEqual(message, { items, address, peer })
    }),
  )
})

test('arbitrary bytes are a message or have a reason', () => {
  const bytes = fc.uint8Array({ maxLength: 300, size: 'max' }).map((each) => Buffer.from(each))
  fc.assert(
    fc.property(bytes, bytes, fc.boolean(), (head, body, isVersion1) => {
      if (isVersion1 && head.length > 0) head[0] = 1

      const message = parseMessage(head, body)

      if (typeof message === 'string') assert.ok(REASONS.includes(message), message)
      else assert.ok(message.items.length >= 1)
    }),
    { numRuns: 1000 },
  )
})

test('a valid message with one byte changed is a message or has a reason', () => {
  fc.assert(
    fc.property(aMessage, fc.nat(), byte, ({ items, address, peer }, at, value) => {
      const [head, body] = packMessage(items, address, peer)
      head[at % head.length] = value

      const message = parseMessage(head, body)

      if (typeof message === 'string') return assert.ok(REASONS.includes(message), message)
      const sizes = message.items.reduce((sum, each) => sum + each.body.length, 0)
      assert.equal(sizes, body.length)
    }),
    { numRuns: 500 },
  )
})
