// Which public key is expected of which proxy.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ExpectedKeys } from '../../src/access/expected-keys.js'

const keys = (...names) => new ExpectedKeys(names)

test('after a handshake that failed the next one is expected, and the good one stays', () => {
  const expected = keys('new', 'old')
  expected.turnTo('a')
  assert.equal(expected.key, 'new')
  expected.expectNext()
  expected.onGood()
  expected.turnTo('a')

  assert.equal(expected.key, 'old')
})

test('each address keeps the one that was good there', () => {
  const expected = keys('new', 'old')
  expected.turnTo('a')
  expected.expectNext()
  expected.onGood()

  expected.turnTo('b')
  const atAnother = expected.key
  expected.turnTo('a')

  assert.deepEqual([atAnother, expected.key], ['new', 'old'])
})

test('one that is good at another address is tried last', () => {
  const expected = keys('one', 'other')
  expected.turnTo('a')
  expected.onGood()
  expected.turnTo('b')

  assert.equal(expected.key, 'other')
})

test('where each is taken, one that is good elsewhere is expected', () => {
  const expected = keys('only')
  expected.turnTo('a')
  expected.onGood()
  expected.turnTo('b')

  assert.equal(expected.key, 'only')
})

test('the next one has its turn at once until each had one', () => {
  const expected = keys('x', 'y', 'z')
  expected.turnTo('a')

  const turns = Array.from({ length: 6 }, () => expected.expectNext())

  assert.deepEqual(turns, [true, true, false, true, true, false])
})

test('what is known of addresses has a bound', () => {
  const expected = keys('x', 'y')
  expected.turnTo('first')
  expected.expectNext()
  expected.onGood()
  for (let i = 0; i < 300; i++) {
    expected.turnTo(`a${i}`)
    expected.onGood()
  }
  expected.turnTo('first')

  assert.equal(expected.key, 'x') // forgotten
})
