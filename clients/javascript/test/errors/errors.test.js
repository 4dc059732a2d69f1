import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Pathway } from '../../src/dendrite/caller/pathway.js'
import * as errors from '../../src/errors.js'
import { newTraceId } from '../../src/signals/ids.js'
import { Signal } from '../../src/signals/signals.js'

const SPEC = new URL('../../../../docs/spec/07-signals.md', import.meta.url)
const classes = Object.values(errors).filter((each) => each?.prototype instanceof Error)

test('the table of codes is the one of the specification', () => {
  const rows = readFileSync(SPEC, 'utf8').matchAll(
    /^\| `([A-Z_]+)` \| (yes|no) \| (\d{3}) \| (\d) \|/gm,
  )
  const table = Object.fromEntries(
    Array.from(rows, ([, code, yes, status, exit]) => [
      code,
      { recoverable: yes === 'yes', httpStatus: Number(status), exitCode: Number(exit) },
    ]),
  )
  assert.deepEqual({ ...errors.CODES }, table)
})

test('a code of a Neuron has the facts of any other failure, whatever its name', () => {
  for (const code of ['NO_FILE', 'constructor', '__proto__', 'toString'])
    assert.deepEqual(errors.factsOf(code), { recoverable: false, httpStatus: 502, exitCode: 1 })
})

test('every class has a name and a code of its own, in the text of its stack too', () => {
  const codes = classes.map((each) => each.code)
  assert.equal(new Set(codes).size, codes.length)
  for (const each of classes) assert.equal(each.prototype.name, each.name)
  assert.match(inspect(new errors.InvalidName('neuron', 'a b')), /^InvalidName: neuron must be/)
})

test('every class is of the root, and either local, remote or a timeout', () => {
  for (const each of classes) {
    assert.ok(each === errors.CosmonapseError || each.prototype instanceof errors.CosmonapseError)
  }
})

test('a SynapseAway is a SynapseUnreachable and a TimeoutError; other errors are no TimeoutError', () => {
  const away = new errors.SynapseAway('cosmo://here', 61_000, 'the TASK for x')
  assert.ok(away instanceof errors.SynapseUnreachable)
  assert.ok(away instanceof errors.TimeoutError)
  assert.ok(new errors.TimeoutError('late') instanceof errors.TimeoutError)
  assert.ok(!(new errors.BadSignal('bad') instanceof errors.TimeoutError))
  assert.equal(
    away.message,
    'the Synapse at cosmo://here has been away for 61 s, and the TASK for x never left: send the ' +
      'TASK again when it is back',
  )
})

test('a subclass of a TimeoutError does not hold what is no instance of it', () => {
  class Mine extends errors.TimeoutError {}
  const away = new errors.SynapseAway('cosmo://here', 100, 'the TASK')
  assert.ok(!(away instanceof Mine))
  assert.ok(new Mine('late') instanceof Mine)
})

test('a NeuronError is made of a message, a message and a code, or a code and a message', () => {
  const plain = new errors.NeuronError('no such file')
  const named = new errors.NeuronError('no such file', { code: 'NO_FILE', retryAfterMs: 1500 })
  const short = new errors.NeuronError('OVERLOADED', 'full', { recoverable: false })
  assert.deepEqual([plain.code, plain.message, plain.status], ['NEURON_ERROR', 'no such file', 502])
  assert.deepEqual([named.code, named.retryAfterMs, named.recoverable], ['NO_FILE', 1500, false])
  assert.deepEqual([short.code, short.recoverable, short.status], ['OVERLOADED', false, 503])
  assert.equal(new errors.NeuronError('OVERLOADED', 'full').recoverable, true)
})

test('the cause of a NeuronError is kept, and none is made up', () => {
  const cause = new RangeError('disk')
  assert.equal(new errors.NeuronError('broken', { cause }).cause, cause)
  assert.ok(!Object.hasOwn(new errors.NeuronError('broken'), 'cause'))
})

test('a wait is cut to 30 days, and what is no number of milliseconds is none', () => {
  const waits = [0, 1.5, 1e12, Infinity, -1, NaN, '5', null, true].map(errors.millisecondsOrNull)
  assert.deepEqual(waits, [0, 1.5, 2592e6, 2592e6, null, null, null, null, null])
})

test('an ERROR of any payload becomes a NeuronError', () => {
  const good = errors.neuronErrorOf({
    code: 'BUSY',
    message: 'wait',
    recoverable: true,
    retry_after_s: 2,
  })
  const bad = errors.neuronErrorOf({ code: 7, recoverable: 'yes', retry_after_s: 'soon' })
  assert.deepEqual(
    [good.code, good.message, good.recoverable, good.retryAfterMs],
    ['BUSY', 'wait', true, 2000],
  )
  assert.deepEqual(
    [bad.code, bad.message, bad.recoverable, bad.retryAfterMs],
    ['7', '', false, null],
  )
})

test('a question carries its payload without what was not given', () => {
  assert.deepEqual(new errors.Clarification('which?').payload, { question: 'which?' })
  assert.deepEqual(new errors.PermissionNeeded('delete', { scope: 'a' }).payload, {
    action: 'delete',
    scope: 'a',
  })
  assert.deepEqual(new errors.Escalation('lost', { target: 'boss', context: null }).payload, {
    reason: 'lost',
    target: 'boss',
  })
})

test('a long value is shown on one line and cut', () => {
  const text = errors.shown({ text: 'x'.repeat(5000), list: [1, [2, [3]]] })
  assert.ok(text.length < 220 && !text.includes('\n'), text)
})

test('any value of an ERROR or a question may be of a wrong type', async () => {
  const odd = { toString: 1, valueOf: { a: 1 } } // String() of it throws
  const error = errors.neuronErrorOf({ code: odd, message: odd, retry_after_s: odd })
  assert.ok(error instanceof errors.NeuronError)
  assert.match(error.code, /toString: 1/)
  assert.match(error.message, /toString: 1/)
  const asked = new errors.NeedsAnswer({ type: 'CLARIFICATION', payload: { question: odd } })
  assert.match(asked.message, /toString: 1/)

  const pathway = new Pathway(newTraceId())
  pathway.take(new Signal({ type: 'THOUGHT_DELTA', payload: { delta: odd } }))
  pathway.close()
  const texts = []
  for await (const text of pathway.thoughts()) texts.push(text)
  assert.match(texts[0], /toString: 1/)
})
