import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BadSignal, UnencodableValue } from '../../src/errors.js'
import { Signal } from '../../src/signals/signals.js'
import { Float, Malformed, pack, unpack } from '../../src/signals/msgpack.js'
import { sent } from './support.js'

const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(asRead),
  text,
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, tie('array'), tie('map')),
  array: fc.array(tie('value'), { maxLength: 20 }),
  map: fc.dictionary(text, tie('value'), { maxKeys: 20, noNullPrototype: true }),
}))
const payload = fc.dictionary(text, value, { noNullPrototype: true })

function asRead(number) {
  return number >= BigInt(Number.MIN_SAFE_INTEGER) && number <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(number)
    : number
}

test('what is written is read again', () => {
  fc.assert(fc.property(payload, (each) => assert.deepEqual(sent(each), each)))
})

test('what was read with its floats is written byte for byte', () => {
  const withFloats = fc.array(
    fc.oneof(
      value,
      fc.integer().map((each) => new Float(each)),
    ),
  )
  fc.assert(
    fc.property(withFloats, (each) => {
      const bytes = pack(each)
      assert.deepEqual(pack(unpack(bytes, { keepFloats: true })), bytes)
    }),
  )
})

test('anything at all is written, or refused with a path', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withBoxedValues: true,
    withUnicodeString: true,
  })
  fc.assert(
    fc.property(anything, (each) => {
      let bytes
      try {
        bytes = pack({ each }, 'payload')
      } catch (error) {
        assert.ok(error instanceof UnencodableValue, error.stack)
        return assert.match(error.path, /^payload/)
      }
      unpack(bytes)
    }),
    { numRuns: 500 },
  )
})

const decoded = (bytes) => {
  try {
    return Signal.decode(bytes)
  } catch (error) {
    assert.ok(error instanceof BadSignal, error.stack)
    assert.ok(error.message.length < 400, error.message)
    return null
  }
}

test('arbitrary bytes are a Signal or a BadSignal', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
  fc.assert(
    fc.property(bytes, (each) => {
      decoded(each)
      try {
        unpack(each)
      } catch (error) {
        assert.ok(error instanceof Malformed, error.stack)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a Signal with bytes changed, removed or added is a Signal or a BadSignal', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2))
  fc.assert(
    fc.property(payload, fc.array(change, { minLength: 1, maxLength: 4 }), (each, changes) => {
      let bytes = new Signal({ type: 'TASK', payload: each }).encode()
      for (const [place, byte, how] of changes) {
        const at = place % bytes.length
        const middle = how === 1 ? [] : [byte]
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(middle),
          bytes.subarray(how === 2 ? at : at + 1),
        ])
      }
      // What is read may be written again.
      decoded(bytes)?.encode()
    }),
    { numRuns: 1000 },
  )
})
