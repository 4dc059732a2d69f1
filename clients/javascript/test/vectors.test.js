import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as wire from '../src/wire/wire.js'
import { Signal, Directed } from '../src/signals/signals.js'
import { instanceOfUser, tagOf } from '../src/access/origin.js'
import { idBytes, bytesId, isId, instanceOf } from '../src/signals/ids.js'
import { Float, pack } from '../src/signals/msgpack.js'
import { encodeRun, readHeard, readRun } from '../src/signals/runs.js'

const file = new URL('../../../docs/spec/vectors.json', import.meta.url)
const v = JSON.parse(readFileSync(file, 'utf8'))
const hex = (text) => Buffer.from(text, 'hex')
test('verbs', () => assert.deepEqual(wire.VERB, v.verbs))
test('recipients', () => assert.deepEqual(wire.RECIPIENTS, v.recipients))
for (const m of v.messages)
  test('message: ' + m.name, () => {
    const items = m.items.map((it, i) => ({
      ...it,
      verb: wire.VERB[it.verb],
      task: hex(it.task),
      trace: hex(it.trace),
      body: hex(m.bodies[i]),
    }))
    const [head, body] = wire.packMessage(items, m.address, hex(m.peer))
    assert.equal(head.toString('hex'), m.head)
    assert.equal(body.toString('hex'), m.body)
    const back = wire.parseMessage(hex(m.head), hex(m.body))
    assert.equal(back.address, m.address)
    assert.equal(back.peer.toString('hex'), m.peer)
    assert.deepEqual(
      back.items.map((it) => [
        it.verb,
        it.flags,
        it.kind,
        it.number,
        it.task.toString('hex'),
        it.trace.toString('hex'),
        it.body.toString('hex'),
      ]),
      m.items.map((it, i) => [
        wire.VERB[it.verb],
        it.flags,
        it.kind,
        it.number,
        it.task,
        it.trace,
        m.bodies[i],
      ]),
    )
  })
for (const m of [...v.bad_heads, ...v.bad_bodies])
  test('bad head: ' + m.name, () =>
    assert.equal(wire.parseMessage(hex(m.head), hex(m.body ?? '')), m.reason),
  )
for (const m of v.accepted_heads)
  test('accepted head: ' + m.name, () => {
    const known = v.messages.find(({ name }) => name === m.reads_as)
    const body = hex(known.body)
    assert.deepEqual(wire.parseMessage(hex(m.head), body), wire.parseMessage(hex(known.head), body))
  })
for (const m of v.bad_headers)
  test('bad header: ' + m.name, () =>
    assert.equal(wire.parseBroadcast(hex(m.header), hex(m.body)), m.reason),
  )
for (const m of v.bounced_whole)
  test('bounced whole: ' + m.name, () => {
    const back = wire.parseMessage(hex(m.bounced.head), hex(m.bounced.body))
    const [head, body] = wire.packMessage(back.items.slice(1), back.address, back.peer)
    assert.equal(head.toString('hex'), m.sent.head)
    assert.equal(body.toString('hex'), m.sent.body)
    assert.equal(back.items[0].body.toString(), m.reason)
  })
for (const m of v.bundles)
  test('bundle: ' + m.name, () => {
    const parts = m.singles.map((s) => wire.parseMessage(hex(s.head), hex(s.body)))
    const [head, body] = wire.packMessage(
      parts.flatMap((p) => p.items),
      parts[0].address,
      parts[0].peer,
    )
    assert.equal(head.toString('hex'), m.head)
    assert.equal(body.toString('hex'), m.body)
  })
for (const m of v.batches)
  test('batch: ' + m.name, () => {
    const back = wire.parseBroadcast(hex(m.header), hex(m.body))
    assert.deepEqual(
      back.bodies.map((b) => b.toString('hex')),
      m.singles.map((s) => s.body),
    )
  })
for (const m of v.broadcasts)
  test('broadcast: ' + m.name, () =>
    assert.equal(
      wire
        .packHeader(hex(m.publisher), BigInt(m.sequence), hex(m.caller), hex(m.worker))
        .toString('hex'),
      m.header,
    ),
  )
for (const m of v.addresses.valid)
  test('address: ' + m.address, () =>
    assert.equal(wire.addressOf(m.name ?? undefined, m.capabilities), m.address),
  )
for (const m of v.instances)
  test('instance ' + m.instance, () =>
    assert.equal(instanceOf(hex(m.secret)).toString('hex'), m.instance),
  )
for (const m of v.users)
  test(`instance of ${m.user} ${m.instance}`, () => {
    assert.equal(tagOf(m.user).toString('hex'), m.tag)
    assert.equal(instanceOfUser(hex(m.secret), m.user).toString('hex'), m.instance)
  })
for (const m of v.ids.valid)
  test('id ' + m.text, () => {
    assert.equal(idBytes(m.text).toString('hex'), m.bytes)
    assert.equal(bytesId(m.text.slice(0, 4), hex(m.bytes)), m.text)
  })
for (const text of v.ids.invalid)
  test('no id ' + JSON.stringify(text), () => assert.equal(isId(text), false))
const TAGS = {
  $int: BigInt,
  $float: (text) => new Float(Number(text)),
  $bytes: hex,
  $map: (pairs) => new Map(pairs.map(([key, value]) => [key, revive(value)])),
}
/** The value behind the notation of the vectors. */
function revive(x) {
  if (Array.isArray(x)) return x.map(revive)
  if (typeof x !== 'object' || x === null) return x
  const entries = Object.entries(x)
  const tag = entries.length === 1 && TAGS[entries[0][0]]
  return tag
    ? tag(entries[0][1])
    : Object.fromEntries(entries.map(([key, value]) => [key, revive(value)]))
}
for (const m of v.maps.filter((each) => ['hello', 'welcome', 'who', 'facts'].includes(each.as)))
  test('map: ' + m.name, () => assert.equal(pack(revive(m.fields)).toString('hex'), m.body))
for (const s of v.signals)
  test('signal: ' + s.name, () => {
    const back = Signal.decode(hex(s.body), { keepFloats: true })
    // An object of JavaScript has an order of keys of its own; it means nothing on the wire.
    if (!JSON.stringify(s.payload).includes('$map'))
      assert.equal(back.encode().toString('hex'), s.body, 'round trip')
    assert.deepEqual(
      [back.id, back.traceId, back.parentId, back.type, back.ts],
      [s.id, s.trace_id, s.parent_id, s.type, s.ts],
    )
    const made = new Signal({
      id: s.id,
      traceId: s.trace_id,
      parentId: s.parent_id,
      type: s.type,
      ts: s.ts,
      payload: revive(s.payload),
      meta: revive(s.meta),
      directed: s.directed && new Directed(...s.directed),
    })
    assert.equal(made.encode().toString('hex'), s.body, 'made of its fields')
  })
for (const s of v.bad_signals)
  test('bad signal: ' + s.name, () =>
    assert.throws(
      () => Signal.decode(hex(s.body)),
      (e) => e.name === 'BadSignal',
    ),
  )
for (const s of v.accepted_signals)
  test('accepted signal: ' + s.name, () => assert.ok(Signal.decode(hex(s.body))))
for (const r of v.runs)
  test('run: ' + r.name, () => {
    const made = r.signals.map(
      ({ id, delta, seq }) =>
        new Signal({
          id,
          traceId: r.trace_id,
          parentId: r.parent_id,
          type: r.type,
          ts: r.ts,
          payload: { delta, seq },
          directed: new Directed(...r.directed),
        }),
    )
    const [first, ...others] = made
    const texts = others.map(({ payload }) => payload.delta)

    assert.deepEqual(readRun(hex(r.body)), made)
    assert.deepEqual(readHeard(hex(r.body)), made)
    assert.equal(encodeRun(first, texts).toString('hex'), r.body)
    assert.deepEqual(Signal.decode(hex(r.body)), first) // as one that knows no runs reads it
  })
for (const r of v.bad_runs)
  test('bad run: ' + r.name, () =>
    assert.throws(
      () => readRun(hex(r.body)),
      (e) => e.name === 'BadSignal',
    ),
  )
