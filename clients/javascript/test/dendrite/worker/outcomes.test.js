import assert from 'node:assert/strict'
import test from 'node:test'
import {
  Clarification,
  Escalation,
  NeuronError,
  PermissionNeeded,
  TimeoutError,
} from '../../../src/errors.js'
import {
  errorPayload,
  isMap,
  replyOf,
  replyOfThrown,
} from '../../../src/dendrite/worker/outcomes.js'
import { described } from '../../../src/dendrite/worker/raised.js'

const OUTPUTS = [
  ['an object', { a: 1 }, { a: 1 }],
  ['a text', 'x', { value: 'x' }],
  ['nothing', undefined, { value: null }],
  ['null', null, { value: null }],
  ['an array', [1], { value: [1] }],
  ['false', false, { value: false }],
  ['an object without a prototype', Object.create(null), Object.create(null)],
  ['an object with a mark that is not true', { __error__: 1 }, { __error__: 1 }],
]
for (const [what, value, output] of OUTPUTS) {
  test(`${what} becomes an AGENT_OUTPUT`, () => {
    assert.deepEqual(replyOf(value), ['AGENT_OUTPUT', { output }])
  })
}

test('bytes, dates and instances are values, and a Map is a map', () => {
  for (const value of [Buffer.from('x'), new Uint8Array(1), new Date(), new Set(), /x/]) {
    assert.equal(isMap(value), false)
    assert.deepEqual(replyOf(value), ['AGENT_OUTPUT', { output: { value } }])
  }
  const map = new Map([['a', 1]])
  assert.deepEqual(replyOf(map), ['AGENT_OUTPUT', { output: map }])
})

test('an object with a mark is a question with the other keys', () => {
  assert.deepEqual(replyOf({ __clarification__: true, question: 'q' }), [
    'CLARIFICATION',
    { question: 'q' },
  ])
  assert.deepEqual(replyOf({ __permission__: true, action: 'a' }), ['PERMISSION', { action: 'a' }])
  assert.deepEqual(replyOf({ __escalation__: true, reason: 'r' }), ['ESCALATION', { reason: 'r' }])
  assert.deepEqual(replyOf(new Map(Object.entries({ __clarification__: true, question: 'q' }))), [
    'CLARIFICATION',
    { question: 'q' },
  ])
})

test('an object marked as an error is an ERROR of its code', () => {
  const full = { __error__: true, code: 'BAD_INPUT', message: 'm', retry_after_s: 2 }
  assert.deepEqual(replyOf(full), [
    'ERROR',
    { code: 'BAD_INPUT', message: 'm', recoverable: false, retry_after_s: 2 },
  ])
  assert.deepEqual(replyOf({ __error__: true }), [
    'ERROR',
    { code: 'NEURON_EXCEPTION', message: '', recoverable: false },
  ])
})

test('a question means the same returned and thrown', () => {
  const questions = [
    [new Clarification('q', { context: 1 }), ['CLARIFICATION', { question: 'q', context: 1 }]],
    [
      new PermissionNeeded('a', { scope: 's', reason: 'r' }),
      ['PERMISSION', { action: 'a', scope: 's', reason: 'r' }],
    ],
    [new Escalation('r', { target: 't' }), ['ESCALATION', { reason: 'r', target: 't' }]],
  ]
  for (const [question, reply] of questions) {
    assert.deepEqual(replyOf(question), reply)
    assert.deepEqual(replyOfThrown(question), reply)
  }
})

test('a NeuronError gives its code, and whether and when a retry may help', () => {
  assert.deepEqual(replyOfThrown(new NeuronError('OVERLOADED', 'm', { retryAfterMs: 2500 })), [
    'ERROR',
    { code: 'OVERLOADED', message: 'm', recoverable: true, retry_after_s: 2.5 },
  ])
  assert.deepEqual(replyOfThrown(new NeuronError('MINE', 'm', { recoverable: true })), [
    'ERROR',
    { code: 'MINE', message: 'm', recoverable: true },
  ])
})

test('any other error is a NEURON_EXCEPTION with its kind and text, without its cause', () => {
  class NoNameGiven extends Error {}
  const cause = new Error('secret')
  const exception = (message) => [
    'ERROR',
    { code: 'NEURON_EXCEPTION', message, recoverable: false },
  ]

  assert.deepEqual(replyOfThrown(new TypeError('x', { cause })), exception('TypeError: x'))
  assert.deepEqual(replyOfThrown(new NoNameGiven('x')), exception('NoNameGiven: x'))
  assert.deepEqual(replyOfThrown(new TimeoutError('x')), exception('TimeoutError: x'))
  assert.deepEqual(replyOfThrown('no luck'), exception('string: no luck'))
  assert.deepEqual(replyOfThrown(undefined), exception('undefined: undefined'))
  assert.deepEqual(replyOfThrown(null), exception('object: null'))
})

test('the leaves of nested groups follow from left to right, at most 20', () => {
  const inner = new AggregateError([new Error('2'), new RangeError('3')], 'inner')
  const group = new AggregateError([new TypeError('1'), inner, 'four'], 'all')

  assert.equal(
    described(group),
    'AggregateError: all: TypeError: 1; Error: 2; RangeError: 3; string: four',
  )
  const many = new AggregateError(Array.from({ length: 25 }, (_, at) => new Error(String(at))))
  assert.match(described(many), /Error: 19; and 5 more$/)
})

test('a group that holds itself has an end', () => {
  const group = new AggregateError([new Error('a')], 'all')
  group.errors.push(group)

  assert.equal(described(group), 'AggregateError: all: Error: a')
})

test('what is thrown may be broken', () => {
  const broken = new Error('x')
  Object.defineProperty(broken, 'message', {
    get() {
      throw new Error('from a getter')
    },
  })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const noText = Object.create(null)

  assert.equal(described(broken), 'Error: (its text threw)')
  assert.equal(described(proxy), 'object: (its text threw)')
  assert.equal(described(noText), 'object: (its text threw)')
  const question = new Clarification('q')
  Object.defineProperty(question, 'payload', {
    get() {
      throw new Error('from a getter')
    },
  })
  assert.equal(replyOfThrown(question)[1].code, 'NEURON_EXCEPTION')
})

test('a message is cut to 10,000 characters, and lone surrogates are spelled', () => {
  assert.equal(errorPayload('X', 'a'.repeat(20_000)).message.length, 10_000)
  assert.equal(errorPayload('X', 'a\ud800b😀').message, 'a\\ud800b😀')
  assert.equal(errorPayload('X', `${'a'.repeat(9999)}😀`).message, `${'a'.repeat(9999)}\\ud83d`)
})

test('recoverable is by default that of the code', () => {
  assert.equal(errorPayload('OVERLOADED', '').recoverable, true)
  assert.equal(errorPayload('EXPIRED', '').recoverable, false)
  assert.equal(errorPayload('EXPIRED', '', true).recoverable, true)
  assert.equal(errorPayload('MINE', '', false, -1).retry_after_s, undefined)
})
