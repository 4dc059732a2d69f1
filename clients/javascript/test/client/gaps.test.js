import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { Gaps } from '../../src/client/gaps.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')).gaps
const one = Buffer.alloc(16, 1)
const other = Buffer.alloc(16, 2)

test('the first message starts a count, a higher number is a gap, a lower one a new count', () => {
  const gaps = new Gaps()

  assert.equal(gaps.seen('t', one, 7, 1), 0)
  assert.equal(gaps.seen('t', one, 8, 2), 0)
  assert.equal(gaps.seen('t', one, 13, 1), 3)
  assert.equal(gaps.seen('t', one, 0, 1), 0)
  assert.equal(gaps.seen('t', one, 1, 1), 0)
  assert.equal(gaps.seen('t', other, 5, 1), 0)
  assert.equal(gaps.seen('u', one, 9, 1), 0)
})

test('numbers of 64 bits are counted exactly', () => {
  const gaps = new Gaps()
  gaps.seen('t', one, Number.MAX_SAFE_INTEGER, 1)

  assert.equal(gaps.seen('t', one, 2n ** 53n, 1), 0)
  assert.equal(gaps.seen('t', one, 2n ** 53n + 2n, 1), 1)
  assert.equal(gaps.seen('t', one, 2n ** 53n + 2n ** 20n, 1), 2 ** 20 - 3)
  assert.equal(gaps.seen('t', one, 0, 1), 0)
})

for (const { name, sequences, missing } of vectors)
  test(`gaps: ${name}`, () => {
    const gaps = new Gaps()
    const numbers = sequences.map((text) =>
      Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text),
    )

    assert.deepEqual(
      numbers.map((number) => gaps.seen('t', one, number, 1)),
      missing,
    )
  })

test('a forgotten topic, or the oldest pair over the bound, starts a new count', () => {
  const gaps = new Gaps(2)
  gaps.seen('a', one, 0, 1)
  gaps.seen('b', one, 0, 1)
  gaps.forget('b')
  assert.equal(gaps.seen('b', one, 9, 1), 0)
  gaps.seen('c', one, 0, 1) // now (a, one) is forgotten

  assert.equal(gaps.seen('b', one, 11, 1), 1)
  assert.equal(gaps.seen('a', one, 9, 1), 0)
})

test('whatever is lost, what is missed and what came add up', () =>
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1 }), (arrives) => {
      const gaps = new Gaps()
      gaps.seen('t', one, 0, 1)
      let missed = 0
      arrives.forEach((comes, at) => {
        if (comes) missed += gaps.seen('t', one, at + 1, 1)
      })
      missed += gaps.seen('t', one, arrives.length + 1, 1)
      assert.equal(missed, arrives.filter((comes) => !comes).length)
    }),
  ))
