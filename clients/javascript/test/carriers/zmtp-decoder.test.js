// The codec of ZMTP: whatever way the bytes are cut, and whatever is done to them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fc from 'fast-check'
import { ZmtpDecoder, ZmtpFault } from '../../src/carriers/zmtp-decoder.js'
import {
  COMMAND,
  GREETING,
  MORE,
  OPENING,
  PING,
  PROBE,
  command,
  frame,
  pong,
  ready,
  subscription,
} from '../../src/carriers/zmtp-frames.js'

const OPENED = Buffer.concat([GREETING, ready('ROUTER')])
const VECTORS = JSON.parse(
  readFileSync(new URL('../../../../docs/spec/vectors.json', import.meta.url)),
).zmtp
const hex = (text) => Buffer.from(text, 'hex')
const textOf = (bytes) => bytes.toString('latin1')

/** Read `chunks`; return the events as plain values, and the fault in the end. */
function read(chunks, options = {}) {
  const events = []
  const sink = {
    onGreeting: (minor, mechanism) => events.push(['greeting', minor, mechanism]),
    onReady: (properties) => events.push(['ready', ...properties.entries()]),
    onMessage: (frames) => events.push(['message', ...frames.map(textOf)]),
    onSubscription: (topic, joins) => events.push(['subscription', topic, joins]),
    onPing: (ttlMs, context) => events.push(['ping', ttlMs, textOf(context)]),
    onPong: () => events.push(['pong']),
  }
  const decoder = new ZmtpDecoder(sink, { maxFrameBytes: 2 ** 20, ...options })
  try {
    for (const each of chunks) decoder.push(each)
  } catch (error) {
    assert.ok(error instanceof ZmtpFault, error.stack)
    events.push(['fault', error.message])
  }
  return events
}

const afterOpening = (bytes, options) => read([OPENED, bytes], options).slice(2)

function cut(bytes, places) {
  const at = [0, ...[...new Set(places)].sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

const body = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 250, maxLength: 300 }),
)
const message = fc.array(body, { minLength: 1, maxLength: 8 }).map((frames) => ({
  bytes: Buffer.concat(
    frames.map((each, i) => frame(i < frames.length - 1 ? MORE : 0, Buffer.from(each))),
  ),
  event: ['message', ...frames.map((each) => textOf(Buffer.from(each)))],
}))
const ping = fc.uint8Array({ maxLength: 16 }).map((context) => ({
  bytes: command('PING', Buffer.concat([Buffer.from([0, 30]), context])),
  event: ['ping', 3000, textOf(Buffer.from(context))],
}))
const traffic = fc.array(fc.oneof(message, ping), { maxLength: 12 })

test('our greeting is the one of the vectors', () => {
  assert.equal(GREETING.toString('hex'), VECTORS.greeting)
})

for (const each of VECTORS.commands) {
  test(`${each.name} is written and read as in the vectors`, () => {
    const { command: name, data, bytes } = each
    const expected = {
      READY: () => ['ready', ...each.properties.map(([key, value]) => [key.toLowerCase(), value])],
      PING: () => ['ping', each.ttl * 100, textOf(hex(each.context))],
      PONG: () => ['pong'],
      SUBSCRIBE: () => ['subscription', each.topic, true],
      CANCEL: () => ['subscription', each.topic, false],
    }[name]()
    const before = name === 'READY' ? [GREETING] : [OPENED]

    assert.equal(command(name, hex(data)).toString('hex'), bytes)
    assert.deepEqual(read([...before, hex(bytes)], { readsSubscriptions: true }).at(-1), expected)
  })
}

const WRITTEN = [
  ...['DEALER', 'SUB', 'XPUB'].map((type) => [`READY of the ${type} of a client`, ready(type)]),
  ['PING as the proxy sends it', PING],
  ['PONG that echoes the context', pong(Buffer.from('context'))],
  ['SUBSCRIBE demo/t/1/', subscription('demo/t/1/', true, 1)],
  ['CANCEL demo/t/1/', subscription('demo/t/1/', false, 1)],
  ['the probe', PROBE],
  ['a subscription in the form of a message', subscription('demo/t/1/', true, 0)],
  ['an unsubscription in the form of a message', subscription('demo/t/1/', false, 0)],
]
for (const [name, bytes] of WRITTEN) {
  test(`we write ${name} as in the vectors`, () => {
    const vector = [...VECTORS.commands, ...VECTORS.messages].find((each) => each.name === name)

    assert.equal(bytes.toString('hex'), vector.bytes)
  })
}

for (const { name, frames, bytes } of VECTORS.messages) {
  test(`${name} is written and read as in the vectors`, () => {
    const bodies = frames.map(hex)
    const written = bodies.map((each, i) => frame(i < frames.length - 1 ? MORE : 0, each))

    assert.equal(Buffer.concat(written).toString('hex'), bytes)
    assert.deepEqual(afterOpening(hex(bytes)), [['message', ...bodies.map(textOf)]])
  })
}

test('reserved flags are ignored', () => {
  assert.deepEqual(afterOpening(Buffer.from([0xf8, 0])), [['message', '']])
})

test('the events are the same at every cut of the bytes', () => {
  fc.assert(
    fc.property(traffic, fc.array(fc.nat()), (parts, places) => {
      const bytes = Buffer.concat([OPENED, ...parts.map((each) => each.bytes)])
      const chunks = cut(
        bytes,
        places.map((each) => each % (bytes.length + 1)),
      )

      assert.deepEqual(
        read(chunks).slice(2),
        parts.map((each) => each.event),
      )
    }),
  )
})

test('the events are the same byte by byte', () => {
  const parts = [subscription('a/', true, 1), subscription('b/', false, 0), PING, pong(OPENING)]
  const bytes = Buffer.concat([OPENED, ...parts])
  const whole = read([bytes], { readsSubscriptions: true })

  assert.deepEqual(read([...bytes].map((each) => Buffer.from([each])), { readsSubscriptions: true }), whole) // prettier-ignore
  assert.deepEqual(whole.slice(2), [
    ['subscription', 'a/', true],
    ['subscription', 'b/', false],
    ['ping', 0, ''],
    ['pong'],
  ])
})

test('bytes that were changed end as events or as a fault, never as another error', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(traffic, fc.array(change, { minLength: 1 }), fc.boolean(), (parts, changes, readsSubscriptions) => {
      const bytes = Buffer.concat([OPENED, ...parts.map((each) => each.bytes)])
      for (const [place, value] of changes) bytes[place % bytes.length] = value

      read([bytes], { readsSubscriptions })
    }),
    { numRuns: 500 },
  ) // prettier-ignore
})

test('any bytes at all end as events or as a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isOpened) => {
      read(isOpened ? [OPENED, Buffer.from(bytes)] : [Buffer.from(bytes)])
    }),
    { numRuns: 500 },
  )
})

for (const minor of [0, 1]) {
  test(`subscriptions of ZMTP 3.${minor} are read, and only by an XPUB`, () => {
    const bytes = Buffer.concat([subscription('n/', true, minor), subscription('n/', false, minor)])

    assert.deepEqual(afterOpening(bytes, { readsSubscriptions: true }), [
      ['subscription', 'n/', true],
      ['subscription', 'n/', false],
    ])
    assert.equal(afterOpening(bytes).filter(([kind]) => kind === 'subscription').length, 0)
  })
}

test('an XPUB ignores messages that are no subscriptions', () => {
  const bytes = Buffer.concat([frame(0, Buffer.from([2, 3])), PROBE, frame(MORE, Buffer.from([1])), PROBE]) // prettier-ignore

  assert.deepEqual(afterOpening(bytes, { readsSubscriptions: true }), [])
})

test('a command that nobody knows is ignored', () => {
  assert.deepEqual(afterOpening(Buffer.concat([command('JOIN', OPENING), PROBE])), [
    ['message', ''],
  ])
})

const HUGE = Buffer.from('02ffffffffffffffff', 'hex')
const FAULTS = [
  ['no ZMTP', Buffer.from('HTTP/1.1 400 Bad Request'), /does not speak our protocol \(it sent "HTTP/],
  ['a version of before', Buffer.from('ff00000000000000017f01', 'hex'), /before version 4 \(ZMTP 1/],
  ['a message before READY', Buffer.concat([GREETING, PROBE]), /message before READY/],
  ['another command before READY', Buffer.concat([GREETING, PING]), /PING before READY/],
  ['an ERROR', Buffer.concat([GREETING, command('ERROR', Buffer.from('\x03no!'))]), /refuses us, with "no!"/],
  ['a READY that is cut off', Buffer.concat([GREETING, command('READY', Buffer.from('\x0bSocket'))]), /cut off/],
  ['a command without a name', Buffer.concat([OPENED, frame(COMMAND, Buffer.alloc(0))]), /without a name/],
  ['a name beyond the command', Buffer.concat([OPENED, frame(COMMAND, Buffer.from('\x09PING'))]), /without a name/],
  ['a short PING', Buffer.concat([OPENED, command('PING', Buffer.alloc(1))]), /PING of less than 2 bytes/],
  ['a huge frame', Buffer.concat([OPENED, HUGE]), /18446744073709552000 bytes, over our limit/],
  ['a huge command', Buffer.concat([OPENED, Buffer.from('060000000000010001', 'hex')]), /65537 bytes, over/],
  ['nine frames', Buffer.concat([OPENED, ...Array(8).fill(Buffer.from([MORE, 0]))]), /more than 8 frames/],
] // prettier-ignore
for (const [name, bytes, says] of FAULTS) {
  test(`${name} is a fault that is named`, () => {
    const [kind, text] = read([bytes]).at(-1)

    assert.equal(kind, 'fault')
    assert.match(text, says)
  })
}

test('the limit is for a frame, and for the frames of one message together', () => {
  const half = frame(MORE, Buffer.alloc(60))
  const fits = Buffer.concat([half, frame(0, Buffer.alloc(40))])
  const options = { maxFrameBytes: 100 }

  assert.equal(afterOpening(Buffer.concat([fits, fits]), options).length, 2)
  assert.match(afterOpening(frame(0, Buffer.alloc(101)), options)[0][1], /101 bytes, over our limit/)
  assert.match(afterOpening(Buffer.concat([half, frame(0, Buffer.alloc(41))]), options)[0][1], /41 bytes/)
}) // prettier-ignore

test('a frame that comes in many pieces is not copied at each of them', () => {
  const size = 16 * 2 ** 20
  const bytes = frame(0, Buffer.alloc(size))
  const joined = []
  const { concat } = Buffer
  Buffer.concat = (...values) => {
    const result = concat(...values)
    joined.push(result.length)
    return result
  }
  try {
    const chunks = cut(
      bytes,
      Array.from({ length: 255 }, (_, i) => (i + 1) * 2 ** 16),
    )
    assert.equal(read([OPENED, ...chunks], { maxFrameBytes: 2 ** 25 }).at(-1)[1].length, size)
  } finally {
    Buffer.concat = concat
  }

  assert.ok(joined.reduce((sum, each) => sum + each, 0) < 1.1 * size, joined.join())
})

test('a decoder that was stopped emits nothing more', () => {
  const seen = []
  const sink = { onGreeting() {}, onReady() {}, onMessage: () => decoder.stop() || seen.push(1) }
  const decoder = new ZmtpDecoder(sink, { maxFrameBytes: 100 })

  decoder.push(Buffer.concat([OPENED, PROBE, PROBE]))
  decoder.push(PROBE)

  assert.deepEqual(seen, [1])
})
