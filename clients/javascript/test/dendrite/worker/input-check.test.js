// The check of an input: what it is called with, and what a caller is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { checkFor, refuseMisfit } from '../../../src/dendrite/worker/input-check.js'

const neuronFn = () => null
const axonWith = (check, input = null) => new Axon({ neuronId: 'a', neuronFn, check, input })
const textOf = (findings, input) => {
  try {
    refuseMisfit(findings, input)
  } catch (error) {
    return [error.code, error.message]
  }
  return null
}

test('without a check nothing is done, and a check is a function or a Standard Schema', () => {
  assert.equal(axonWith(null).findingsOf, null)
  for (const wrong of [1, {}, { '~standard': {} }])
    assert.throws(() => axonWith(wrong), /check must be a function or a Standard Schema/)
})

test('answers to questions are set aside, unless the schema names them', () => {
  const seen = []
  const input = { q: 1, clarification: { answer: 'x' }, clarifications: [], permission: {} }
  const named = { type: 'object', properties: { permission: {} } }

  axonWith((each) => seen.push(each) && []).findingsOf(input)
  axonWith((each) => seen.push(each) && [], named).findingsOf(input)
  axonWith((each) => seen.push(each) && []).findingsOf('a text')

  assert.deepEqual(seen, [{ q: 1 }, { q: 1, permission: {} }, 'a text'])
  assert.equal(Object.keys(input).length, 4)
})

test('an input that fits is one for which nothing is found', () => {
  for (const nothing of [undefined, null, [], '']) assert.equal(textOf(nothing || [], {}), null)
})

test('at most five findings are told, and no value of the input', () => {
  const input = { name: 'Rosebud', list: [{ n: 271828 }], big: 9007199254740993n }
  const findings = ["name: not 'Rosebud'", 'n: 271828 is too much', 'big: 9007199254740993', 'x.y']

  assert.deepEqual(textOf(findings, input), [
    'BAD_INPUT',
    "name: not '…'; n: … is too much; big: …; x.y",
  ])
  assert.deepEqual(textOf(['1', '2', '3', '4', '5', '6', '7'], {}), [
    'BAD_INPUT',
    '1; 2; 3; 4; 5; and 2 more',
  ])
  assert.deepEqual(textOf('one text', {}), ['BAD_INPUT', 'one text'])
  const many = Array.from({ length: 200 }, (_, at) => `secret-${at}`)
  assert.doesNotMatch(textOf('secret-7 is bad', many)[1], /secret/)
})

test('an object of Standard Schema is asked, and its paths are told', async () => {
  const issue = { message: 'must be a whole number', path: ['rooms', 0, { key: 'nights' }] }
  const schemaWith = (result) => ({ '~standard': { version: 1, validate: () => result } })
  const findings = checkFor(schemaWith({ issues: [issue, { message: 'is wrong' }] }), null)({})
  const later = checkFor(schemaWith(Promise.resolve({ issues: [issue] })), null)({})
  const callable = Object.assign(() => 'not asked', schemaWith({ value: {} }))

  assert.deepEqual(textOf(findings, {}), [
    'BAD_INPUT',
    'rooms.0.nights: must be a whole number; input: is wrong',
  ])
  assert.deepEqual(await later, [issue])
  assert.equal(checkFor(callable, null)({}), undefined)
})
