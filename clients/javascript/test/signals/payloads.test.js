import test from 'node:test'
import assert from 'node:assert/strict'
import { DendriteProtocolError, InvalidArgument } from '../../src/errors.js'
import { SHAPES, STREAMED, checkedEmission, payloadOf } from '../../src/signals/payloads.js'
import { isId } from '../../src/signals/ids.js'
import { SignalType } from '../../src/signals/signals.js'

test('every shape is of a type, and its keys are told apart', () => {
  for (const [type, { required, optional }] of Object.entries(SHAPES)) {
    assert.ok(type in SignalType)
    assert.ok(required.length > 0)
    assert.equal(new Set([...required, ...optional]).size, required.length + optional.length)
  }
  for (const type of STREAMED) assert.ok(type in SHAPES)
})

test('what is missing and what is unknown is named in one text', () => {
  assert.throws(() => payloadOf('CRITIQUE', { verdict: 'no', why: 1 }), {
    name: InvalidArgument.name,
    message:
      'a CRITIQUE takes { target_event_id, issues, verdict }: target_event_id is missing; ' +
      'issues is missing; why is unknown',
  })
  for (const values of [null, undefined, 'text', 5])
    assert.throws(() => payloadOf('PLAN', values), InvalidArgument)
})

test('null counts as not given where a key is optional, and is sent where it is required', () => {
  assert.deepEqual(payloadOf('PLAN', { steps: null, rationale: null }), { steps: null })
  assert.deepEqual(payloadOf('FINAL', { result: 1, cost: undefined }), { result: 1 })
})

test('a tool call and its result have a name twice, an id, and arguments or a result', () => {
  const call = payloadOf('TOOL_CALL', { tool_name: 'find' })
  assert.ok(isId(call.call_id))
  assert.deepEqual(
    { ...call, call_id: '' },
    { tool_name: 'find', tool: 'find', call_id: '', args: {} },
  )
  const failed = payloadOf('TOOL_RESULT', { tool_name: 'find', call_id: 'c', error: 'no' })
  assert.deepEqual(failed, { tool_name: 'find', tool: 'find', call_id: 'c', error: 'no' })
  assert.equal(payloadOf('TOOL_RESULT', { tool_name: 'find' }).result, null)
})

test('an ERROR says whether a retry may help, by its code', () => {
  const recoverable = (more) => payloadOf('ERROR', { message: 'm', ...more }).recoverable
  assert.equal(recoverable({ code: 'OVERLOADED' }), true)
  assert.equal(recoverable({ code: 'MY_OWN' }), false)
  assert.equal(recoverable({ code: 'OVERLOADED', recoverable: false }), false)
})

test('a type without a shape is taken as it is, and what only the fabric sends is refused', () => {
  const payload = { anything: 1 }
  assert.equal(payloadOf('STOP', payload), payload)
  assert.equal(checkedEmission('STOP'), 'STOP')
  assert.throws(() => checkedEmission('TASK'), /a TASK cannot be emitted: dispatch it/)
  assert.throws(() => checkedEmission('REGISTER'), DendriteProtocolError)
})
