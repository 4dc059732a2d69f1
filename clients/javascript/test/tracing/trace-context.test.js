// The trace context in the meta of a TASK: what is read, what counts as absent.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { foundIn, isTracestate, passedOn, traceparentOf } from '../../src/tracing/trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const GOOD = `00-${TRACE}-${SPAN}-01`
const CONTEXT = { traceId: TRACE, spanId: SPAN, flags: 1, state: '' }

test('a traceparent says trace, span and whether it is recorded', () => {
  assert.deepEqual(foundIn({}), { context: null, dropped: 0 })
  assert.deepEqual(foundIn({ traceparent: GOOD }), { context: CONTEXT, dropped: 0 })
  assert.equal(foundIn({ traceparent: GOOD.replace(/1$/, '2') }).context.flags, 0)
  assert.deepEqual(foundIn({ traceparent: `cc${GOOD.slice(2)}-more` }).context, CONTEXT)
  assert.deepEqual(foundIn({ traceparent: `cc${GOOD.slice(2)}-\u2028` }).context, CONTEXT)
})

test('one that is invalid counts as absent and is counted', () => {
  const invalid = [
    '',
    GOOD.toUpperCase(),
    `${GOOD}-more`,
    `${GOOD} `,
    `${GOOD}\n`,
    `01${GOOD.slice(2)}-a\nb`,
    `ff${GOOD.slice(2)}`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `01${GOOD.slice(2)}-${'x'.repeat(400)}`,
    7,
    null,
    [GOOD],
  ]
  for (const traceparent of invalid) {
    const found = foundIn({ traceparent, tracestate: 'a=1' })
    assert.deepEqual(found, { context: null, dropped: 1 }, String(traceparent))
  }
})

test('a tracestate that is invalid is dropped alone', () => {
  const state = 'congo=t61rcWkgMzE,vendor@rojo=00f067aa'
  assert.equal(foundIn({ traceparent: GOOD, tracestate: state }).context.state, state)
  for (const bad of [
    'none',
    'a=1,a=2',
    'A=1',
    'a=b=c',
    'a=é',
    'a=1,\u00a0',
    'a=1,\u2028',
    ',',
    `a=${'x'.repeat(511)}`,
    5,
  ]) {
    assert.equal(isTracestate(bad), false, String(bad))
    const found = foundIn({ traceparent: GOOD, tracestate: bad })
    assert.deepEqual(found, { context: CONTEXT, dropped: 1 })
  }
})

test('what is written is read, and nothing that arrives throws', () => {
  const hex = (length) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((each) => each.join(''))
      .filter((each) => !/^0+$/.test(each))
  fc.assert(
    fc.property(hex(32), hex(16), fc.nat(255), (traceId, spanId, traceFlags) => {
      const { context } = foundIn({ traceparent: traceparentOf({ traceId, spanId, traceFlags }) })
      assert.deepEqual(context, { traceId, spanId, flags: traceFlags & 1, state: '' })
    }),
  )
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (traceparent, tracestate) => {
      assert.ok(foundIn({ traceparent, tracestate }).dropped <= 2)
    }),
  )
})

test('headers go on as they came, if they are valid', () => {
  const headers = { traceparent: GOOD, tracestate: 'a=1', cookie: 'x' }
  assert.deepEqual(passedOn(headers), { traceparent: GOOD, tracestate: 'a=1' })
  assert.deepEqual(passedOn({ ...headers, tracestate: 'A' }), { traceparent: GOOD })
  assert.deepEqual(passedOn({ traceparent: 'x' }), {})
})
