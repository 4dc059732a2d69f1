// Cards and their digests against docs/spec/vectors.json.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Axon } from '../../src/dendrite/worker/axon.js'
import { digestOf, told } from '../../src/signals/cards.js'

const path = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { cards } = JSON.parse(readFileSync(path, 'utf8'))
const neuronFn = () => null

for (const { name, card, digest } of cards) {
  test(`the card ${name} has the digest of the page`, () => {
    assert.equal(digestOf(card), digest)
  })
}

test('an Axon with a description has the digest of its card, and one without has none', () => {
  const { card, digest } = new Axon({ neuronId: 'a', neuronFn, description: 'Adds\nnumbers' })

  assert.equal(digest, digestOf(card))
  assert.equal(new Axon({ neuronId: 'a', neuronFn }).digest, null)
  assert.equal(told('\n Adds\nnumbers'), 'Adds')
  assert.equal(told('x'.repeat(200)), `${'x'.repeat(127)}…`)
})

test('a schema without an object at its root is refused, and a card over 64 KiB', () => {
  assert.throws(
    () => new Axon({ neuronId: 'a', neuronFn, input: { type: 'string' } }),
    /input must be/,
  )
  assert.throws(
    () => new Axon({ neuronId: 'a', neuronFn, description: 'x'.repeat(70_000) }),
    /shorten/,
  )
})
