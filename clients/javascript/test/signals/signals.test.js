import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  BadSignal,
  NeedsAnswer,
  NeuronError,
  SignalTooLarge,
  UnencodableValue,
} from '../../src/errors.js'
import { isId } from '../../src/signals/ids.js'
import { CODE, Directed, Signal, SignalType, TYPE } from '../../src/signals/signals.js'
import { bytes, sent, signalOf } from './support.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8'))

test('a type is its own name, and has the code of the specification', () => {
  assert.equal(SignalType.PLAN, 'PLAN')
  assert.equal(CODE.TASK, 1)
  assert.equal(CODE.STOPPED, 27)
  assert.equal(TYPE[0], null)
  assert.equal(TYPE[CODE.BID], 'BID')
  assert.equal(CODE.toString, undefined)
})

test('a Signal alone begins a trace, with the 26 characters of its own id', () => {
  const signal = signalOf({ steps: [] })

  assert.ok(isId(signal.id) && isId(signal.traceId))
  assert.equal(signal.traceId.slice(4), signal.id.slice(4))
  assert.equal(signal.parentId, null)
  assert.ok(Math.abs(signal.ts - Date.now() / 1000) < 60)
})

test('a reply is of the same trace, its parent the Signal', () => {
  const signal = signalOf({})
  const reply = signal.reply('ERROR', { code: 'X' }, { meta: { a: 1 } })

  assert.deepEqual(
    [reply.traceId, reply.parentId, reply.type, reply.payload, reply.meta],
    [signal.traceId, signal.id, 'ERROR', { code: 'X' }, { a: 1 }],
  )
})

test('a wrong type, payload or meta is refused where it is made', () => {
  assert.throws(() => new Signal({ type: 'NOPE' }), /NOPE is no type of Signal; they are TASK, /)
  assert.throws(() => new Signal({ type: 'toString' }), RangeError)
  for (const payload of [null, [], 'text', new Map(), Buffer.alloc(1), new Date()])
    assert.throws(() => signalOf(payload), TypeError)
  assert.throws(() => signalOf({}, { meta: [] }), TypeError)
})

test('output gives the output, or throws what stands for it', () => {
  const output = (type, payload) => new Signal({ type, payload }).output

  assert.deepEqual(output('AGENT_OUTPUT', { output: { a: 1 } }), { a: 1 })
  assert.deepEqual(output('FINAL', { result: { a: 1 } }), { a: 1 })
  assert.throws(
    () => output('ERROR', { code: 'C', message: 'm', recoverable: true, retry_after_s: 2 }),
    (error) =>
      error instanceof NeuronError &&
      error.code === 'C' &&
      error.recoverable &&
      error.retryAfterMs === 2000,
  )
  assert.throws(() => output('ERROR', {}), { code: 'NEURON_EXCEPTION', recoverable: false })
  for (const type of ['CLARIFICATION', 'PERMISSION', 'ESCALATION'])
    assert.throws(() => output(type, {}), NeedsAnswer)
  assert.throws(() => output('PLAN', {}), /a PLAN carries no output/)
})

test('every field arrives', () => {
  const signal = signalOf(
    { steps: ['a'] },
    {
      directed: new Directed('id', 'neuron', ['chat']),
      meta: { m: 1 },
      parentId: 'evt_' + '0'.repeat(26),
    },
  )
  assert.deepEqual(Signal.decode(signal.encode()), signal)
  assert.deepEqual(
    Signal.decode(signalOf({}, { directed: new Directed() }).encode()).directed,
    new Directed(),
  )
})

for (const { name, field, body } of vectors.bad_signals)
  test(`a BadSignal names its field: ${name}`, () =>
    assert.throws(
      () => Signal.decode(Buffer.from(body, 'hex')),
      (error) => error instanceof BadSignal && (field === null || error.message.includes(field)),
    ))
for (const { name, body, payload } of vectors.accepted_signals)
  test(`accepted: ${name}`, () =>
    assert.deepEqual(Signal.decode(Buffer.from(body, 'hex')).payload, payload))

test('a value that cannot be read is named with its path', () => {
  const good = signalOf({ input: { items: [1, 2, 'x'] } }).encode()
  const at = good.indexOf(bytes('a178'))
  const bad = bytes(good.subarray(0, at), 'd50561', good.subarray(at + 2))

  assert.throws(() => Signal.decode(bad), /payload\.input\.items\[2\]: an extension type/)
})

test('a value that cannot be written is named with its path, in payload, meta and directed', () => {
  const path = (signal, expected) =>
    assert.throws(
      () => signal.encode(),
      (error) => error instanceof UnencodableValue && error.path === expected,
    )
  path(signalOf({ input: { items: [0, () => {}] } }), 'payload.input.items[1]')
  path(signalOf({}, { meta: { at: new Date() } }), 'meta.at')
  path(signalOf({}, { directed: new Directed(Symbol('x')) }), 'directed')
})

test('a Signal over the limit is refused with its size, before anything is made of it', () => {
  const signal = signalOf({ text: 'x'.repeat(1000) })
  const size = signal.encode().length

  assert.equal(signal.encode(size).length, size)
  assert.throws(
    () => signal.encode(size - 1),
    (error) => error instanceof SignalTooLarge && error.size === size && error.limit === size - 1,
  )
  assert.deepEqual(sent({ a: 1 }), { a: 1 })
})

test('a huge Signal is given up long before it is whole', () => {
  const part = 'x'.repeat(100_000)
  let read = 0
  const parts = new Proxy(new Array(100_000), {
    get: (target, key) => (key === 'length' ? target.length : (read++, part)),
  })
  assert.throws(() => signalOf({ parts }).encode(1 << 20), SignalTooLarge)
  assert.ok(read < 100, `${read} parts were written`)
})

test('the bytes of one Signal are not touched by the next', () => {
  const first = signalOf({ text: 'a'.repeat(300_000) }).encode()
  const copy = Buffer.from(first)
  signalOf({ text: 'b'.repeat(300_000) }).encode()
  assert.ok(first.equals(copy))
})
