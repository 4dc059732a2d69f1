// The table from outcomes to HTTP, row by row, without a socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as cosmo from '../../src/index.js'
import { awayText } from '../../src/errors.js'
import {
  answerOf,
  BadRequest,
  BodyTooLarge,
  isOutcome,
  mark,
  traceOf,
} from '../../src/edge/outcomes.js'

const TRACE = 'trc_' + '0a'.repeat(13)
const signal = (type, payload) => new cosmo.Signal({ type, traceId: TRACE, payload })
const error = (code, more) => signal('ERROR', { code, message: 'why', recoverable: true, ...more })
const bodyOf = (text, code, retry = false, traceId = TRACE) => ({
  error: text,
  code,
  retry,
  trace_id: traceId,
})

for (const outcome of [
  signal('AGENT_OUTPUT', { output: { n: 1 } }),
  signal('FINAL', { result: { n: 1 } }),
  { n: 1 },
]) {
  test(`an output is 200: ${outcome.type ?? 'the output itself'}`, () => {
    assert.deepEqual(answerOf(outcome), { status: 200, body: { n: 1 }, headers: {}, log: 'no' })
  })
}

for (const code of [...Object.keys(cosmo.CODES), 'NO_GOOD', 'constructor']) {
  test(`the ERROR ${code} has the status of its code and says so in its body`, () => {
    const answer = answerOf(error(code))

    assert.equal(answer.status, cosmo.factsOf(code).httpStatus)
    assert.deepEqual(answer.body, bodyOf('why', code, true))
    assert.deepEqual(answer.headers, code === 'OVERLOADED' ? { 'Retry-After': '1' } : {})
    assert.equal(answer.log, 'no')
  })
}

test('the wait that an ERROR asks for is passed on in whole seconds', () => {
  const thrown = new cosmo.NeuronError('OVERLOADED', 'why', { retryAfterMs: 1200 })

  for (const outcome of [error('OVERLOADED', { retry_after_s: 1.2 }), thrown]) {
    const answer = answerOf(outcome)

    assert.deepEqual(answer.headers, { 'Retry-After': '2' })
    assert.equal(answer.body.retry_after_s, 2)
  }
})

const AWAY = awayText('cosmo://secret:7070', 3000)
for (const [outcome, retry] of [
  [new cosmo.TimeoutError(`no reply within 3 s: ${AWAY}; it may have run`), false],
  [new cosmo.SynapseAway('cosmo://secret:7070', 3000, 'the TASK'), true],
  [error('EXPIRED', { message: AWAY, recoverable: false }), false],
  [error('SYNAPSE_AWAY', { message: AWAY }), true],
]) {
  test(`a task that is late while the Synapse is away is 503 (${outcome.code ?? 'ERROR'})`, () => {
    const answer = answerOf(outcome)

    assert.deepEqual([answer.status, answer.body.code], [503, 'SYNAPSE_UNREACHABLE'])
    assert.equal(answer.body.retry, retry)
    assert.equal(answer.log, 'line')
    assert.equal(JSON.stringify(answer.body).includes('secret'), false)
  })
}

test('a group of outcomes names them all and has the status of the worst', () => {
  const busy = new cosmo.NeuronError('OVERLOADED', 'busy')
  const broken = new cosmo.NeuronError('NO_GOOD', 'broken')
  const late = mark(new cosmo.TimeoutError('late'), TRACE)

  const answer = answerOf(new AggregateError([busy, new AggregateError([broken, late])]))

  assert.deepEqual([answer.status, answer.body.code], [502, 'NO_GOOD'])
  assert.equal(answer.body.error, 'busy; broken; late')
  assert.deepEqual(answerOf(new AggregateError([busy])), answerOf(busy))
})

test('a group with anything else in it, or nothing, is a failure of the service', () => {
  const mixed = new AggregateError([new cosmo.NeuronError('NO_GOOD', 'why'), new Error('SECRET')])

  for (const group of [mixed, new AggregateError([])]) {
    const answer = answerOf(group)

    assert.deepEqual([answer.status, answer.body.code], [500, 'INTERNAL_ERROR'])
    assert.equal(answer.log, 'traceback')
    assert.equal(answer.body.error.includes('SECRET'), false)
  }
  assert.equal(isOutcome(mixed), false)
})

for (const [type, payload] of [
  ['CLARIFICATION', { question: 'Which?', context: { a: 1 } }],
  ['PERMISSION', { action: 'delete', scope: 'all', reason: 'old' }],
  ['ESCALATION', { reason: 'too hard', target: 'boss' }],
]) {
  test(`a ${type} is 409 with what is asked`, () => {
    const asked = signal(type, { ...payload, other: 1 })

    const answer = answerOf(asked)

    assert.equal(answer.status, 409)
    const text = `the Neuron sent ${type} instead of an output`
    assert.deepEqual(answer.body, { ...bodyOf(text, type), ...payload })
    assert.deepEqual(answerOf(new cosmo.NeedsAnswer(asked)), answer)
  })
}

for (const [thrown, status, code] of [
  [new cosmo.TimeoutError('late'), 504, 'EXPIRED'],
  [new BadRequest('no JSON'), 400, 'BAD_REQUEST'],
  [new BodyTooLarge(1000), 413, 'TOO_LARGE'],
  [new cosmo.InvalidName('neuron', 'a b'), 400, 'BAD_REQUEST'],
  [new cosmo.UnencodableValue('payload.input', 'it is a Set'), 400, 'BAD_REQUEST'],
  [new cosmo.BadSignal('trace_id is missing'), 400, 'BAD_SIGNAL'],
  [new cosmo.SignalTooLarge(2, 1), 413, 'TOO_LARGE'],
]) {
  test(`what the client can mend is told in its own words: ${thrown.name}`, () => {
    const answer = answerOf(thrown, TRACE)

    assert.equal(answer.status, status)
    assert.deepEqual(answer.body, bodyOf(thrown.message, code))
    assert.equal(answer.log, 'no')
  })
}

for (const [thrown, status, code, log] of [
  [new cosmo.SynapseUnreachable('SECRET', '', ''), 503, 'SYNAPSE_UNREACHABLE', 'line'],
  [new cosmo.SynapseRefused('SECRET', 'SECRET'), 503, 'SYNAPSE_REFUSED', 'line'],
  [new cosmo.AccessRefused('SECRET', 'SECRET', 'SECRET'), 403, 'ACCESS_DENIED', 'line'],
  [new cosmo.DendriteProtocolError('SECRET'), 503, 'NOT_READY', 'traceback'],
  [new cosmo.InvalidContext('SECRET', 'SECRET'), 503, 'NOT_READY', 'line'],
  [new cosmo.InvalidKey('SECRET', 'SECRET'), 503, 'NOT_READY', 'line'],
  [new cosmo.InvalidUrl('SECRET', 'SECRET'), 503, 'NOT_READY', 'line'],
  [new cosmo.PathwayClosedError('SECRET'), 500, 'INTERNAL_ERROR', 'traceback'],
  [new cosmo.Clarification('SECRET'), 502, 'REMOTE_ERROR', 'traceback'],
  [new RangeError('SECRET'), 500, 'INTERNAL_ERROR', 'traceback'],
]) {
  test(`what the service has to mend is logged and not shown: ${thrown.name}`, () => {
    const answer = answerOf(thrown)

    assert.deepEqual([answer.status, answer.body.code, answer.log], [status, code, log])
    assert.equal(JSON.stringify(answer.body).includes('SECRET'), false)
  })
}

test('the reason of an AbortSignal that a task was given is the outcome of that task only', async () => {
  const awake = setInterval(() => {}, 1000) // the timer of an AbortSignal keeps no process alive
  const late = await new Promise((resolve) => {
    const timer = AbortSignal.timeout(0)
    timer.addEventListener('abort', () => resolve(timer.reason))
  })
  clearInterval(awake)
  const aborted = AbortSignal.abort().reason

  assert.equal(answerOf(late).status, 500)
  assert.equal(answerOf(mark(late, TRACE)).status, 504)
  assert.equal(answerOf(mark(aborted, TRACE)).status, 499)
})

test('a Signal that settles nothing is a failure of the service', () => {
  assert.equal(answerOf(signal('TASK', { input: {} })).status, 500)
})

test('a marked error knows its trace, and any value may be marked', () => {
  const late = mark(new cosmo.TimeoutError('late'), TRACE)

  assert.equal(traceOf(late), TRACE)
  assert.equal(answerOf(late).body.trace_id, TRACE)
  assert.equal(mark('a text', TRACE), 'a text')
  assert.equal(traceOf('a text'), null)
})
