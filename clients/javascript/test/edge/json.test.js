import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Float } from '../../src/index.js'
import { toJson } from '../../src/edge/json.js'

const CASES = [
  [{ a: [1, 'x', null, true] }, '{"a": [1, "x", null, true]}'],
  [[NaN, -Infinity, 1.5, -0, 1e21], '[null, null, 1.5, 0, 1e+21]'],
  [[2n ** 64n - 1n, -1n], '[18446744073709551615, -1]'],
  [[new Float(2), new Float(-0), new Float(0.5), new Float(NaN)], '[2.0, -0.0, 0.5, null]'],
  [[Buffer.from([255, 0]), new Uint8Array([1, 2, 3]).subarray(1)], '["/wA=", "AgM="]'],
  ['"\\ \n\u0007 \u2603 \ud800', '"\\"\\\\ \\n\\u0007 \u2603 \\ud800"'],
  [new Map([['k', 1]]), '{"k": 1}'],
  [{ left: undefined, out: () => 1, kept: null }, '{"kept": null}'],
  [[undefined, () => 1, Symbol('s')], '[null, null, null]'],
  [{ at: new Date(0) }, '{"at": "1970-01-01T00:00:00.000Z"}'],
  [JSON.parse('{"__proto__": 1}'), '{"__proto__": 1}'],
  [undefined, 'null'],
]

for (const [value, text] of CASES) {
  test(`JSON of a value is ${text}`, () => {
    assert.equal(toJson(value), text)
  })
}

test('a Float keeps its exponent', () => {
  assert.equal(toJson(new Float(1e21)), '1e+21')
})

test('JSON is on one line and reads back as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = toJson(value)

      assert.equal(text.includes('\n'), false)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a value that holds itself is refused', () => {
  const cycle = []
  cycle.push(cycle)

  assert.throws(() => toJson(cycle), RangeError)
})
