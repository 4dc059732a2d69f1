// Cards at their caller: fetched once, from those that have one, and told where versions differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CardCache, matcher } from '../../../src/dendrite/caller/card-cache.js'
import { AccessRefused, NeuronError } from '../../../src/errors.js'
import { cardOf } from '../../../src/signals/cards.js'

const facts = (neuronId, description = 'Books') => ({
  neuronId,
  description,
  input: null,
  output: null,
  capabilities: [],
  version: null,
})
const replica = (neuronId, more = {}) => ({
  neuronId,
  state: 'alive',
  capabilities: [],
  version: null,
  description: null,
  card: cardOf(facts(neuronId)).digest,
  ...more,
})
const reply = (output) => ({ type: 'AGENT_OUTPUT', output })
const older = { type: 'ERROR', payload: { code: 'BAD_SIGNAL' } }

/** A cache whose Neurons answer with `answers`, by id, one after the other. */
function setUp(records, answers = {}) {
  const asked = []
  const told = []
  const launch = ({ signal, waiter, isObserved }) => {
    const { id } = signal.directed
    asked.push(id)
    assert.deepEqual([signal.payload, signal.meta, isObserved], [{}, { card: true }, false])
    const given = answers[id]?.shift() ?? reply(cardOf(facts(id)).card)
    if (given instanceof Error) waiter.fail(given)
    else waiter.settle(given)
  }
  const find = async ({ neuronId }) =>
    records.filter((each) => neuronId === undefined || each.neuronId === neuronId)
  const cache = new CardCache({ launch }, find, { warn: (text) => told.push(text) })
  return { cache, asked, told }
}

test('a card is fetched once, and again when its digest is another one', async () => {
  const records = [replica('book')]
  const { cache, asked } = setUp(records)

  const card = await cache.card('book', 1000)
  assert.equal(await cache.card('book', 1000), card)
  assert.deepEqual([...(await cache.cards('b*', 1000))], [['book', card]])
  records[0] = replica('book', { card: '0'.repeat(16) })
  await cache.card('book', 1000)

  assert.deepEqual([card.neuronId, card.description, card.digest.length], ['book', 'Books', 16])
  assert.deepEqual(asked, ['book', 'book'])
})

test('a Neuron without a card has one of what the roster tells, and nobody is asked', async () => {
  const { cache, asked } = setUp([replica('plain', { card: null, version: '2' })])

  const card = await cache.card('plain', 1000)

  assert.deepEqual([card.description, card.version, asked], ['', '2', []])
  assert.equal((await cache.cards('*', 1000)).size, 0)
})

test('who is not there, and what is no card, is told by its code', async () => {
  const { cache } = setUp([replica('away', { state: 'away' }), replica('a'), replica('b')], {
    a: [reply({ id: 'other' })],
    b: [reply('no card')],
  })

  for (const [id, code] of [
    ['nobody', 'NO_SUCH_NEURON'],
    ['away', 'NO_SUCH_NEURON'],
    ['a', 'BAD_OUTPUT'],
    ['b', 'BAD_OUTPUT'],
  ])
    await assert.rejects(cache.card(id, 1000), { code })
  await assert.rejects(cache.card('a/b', 1000), { name: 'InvalidName' })
})

test('one of an older version is asked twice again, and then told', async () => {
  const { cache, asked } = setUp([replica('a')], { a: [older, older, older, older] })

  await assert.rejects(cache.card('a', 1000), { code: 'BAD_SIGNAL' })
  const card = await cache.card('a', 1000)

  assert.equal(card.neuronId, 'a')
  assert.equal(asked.length, 5)
})

test('a card that our key may not ask for is left out and counted', async () => {
  const refused = new AccessRefused('cosmo://here', "the key 'me' may not send TASKs to neuron 'b'")
  const { cache } = setUp([replica('a'), replica('b')], { b: [refused] })

  assert.deepEqual([...(await cache.cards('*', 1000)).keys()], ['a'])
  assert.deepEqual(cache.counts, { card_forbidden: 1 })
})

test('of many cards one that fails is left out, counted and logged', async () => {
  const records = Array.from({ length: 100 }, (_, at) => replica(`n${at}`))
  const { cache, told } = setUp(records, { n7: [new NeuronError('BAD_OUTPUT', 'it is ill')] })

  const cards = await cache.cards('n*', 1000)

  assert.equal(cards.size, 99)
  assert.deepEqual(cache.counts, { card_missing: 1 })
  assert.deepEqual(told, ['the card of n7 is left out: it is ill'])
})

test('replicas with different cards are told once, one without a card too', async () => {
  const { cache, told } = setUp([replica('a', { card: null }), replica('a')])

  await cache.card('a', 1000)
  await cache.card('a', 1000)

  assert.equal(told.length, 1)
  assert.match(told[0], /the replicas of a have 2 versions of its card \([0-9a-f]{16}, none\)/)
})

test('a card that does not come in time is a TimeoutError', async () => {
  const { cache } = setUp([replica('a')])
  const silent = new CardCache({ launch() {} }, async () => [replica('a')], null)

  await assert.rejects(silent.card('a', 20), { name: 'TimeoutError' })
  assert.equal((await cache.card('a', 1000)).neuronId, 'a')
})

test('patterns are those of Python', () => {
  const matching = (pattern, ...ids) => ids.filter(matcher(pattern))

  assert.deepEqual(matching('fs.*', 'fs.read', 'fsxread', 'fs.'), ['fs.read', 'fs.'])
  assert.deepEqual(matching('?', 'a', 'ab'), ['a'])
  assert.deepEqual(matching('n[0-2]', 'n1', 'n3', 'n[0-2]'), ['n1'])
  assert.deepEqual(matching('n[!0-2]', 'n1', 'n3'), ['n3'])
  assert.deepEqual(matching('a+[', 'a+[', 'aa['), ['a+['])
})
