import test from 'node:test'
import assert from 'node:assert/strict'
import vm from 'node:vm'
import { UnencodableValue } from '../../src/errors.js'
import { Float, Malformed, pack, unpack } from '../../src/signals/msgpack.js'
import { bytes, u32 } from './support.js'

const back = (value, options) => unpack(pack(value), options)
const hex = (value) => pack(value).toString('hex')
const refused = (value, path, reason) =>
  assert.throws(
    () => pack(value, 'payload'),
    (error) => {
      assert.ok(error instanceof UnencodableValue, error.stack)
      assert.equal(error.path, path)
      assert.match(error.reason, reason)
      return true
    },
  )
const malformed = (body, text) =>
  assert.throws(
    () => unpack(body),
    (error) => error instanceof Malformed && error.message.includes(text),
  )

test('an integer has the shortest form that holds it', () => {
  const forms = [
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65_535, 'cdffff'],
    [65_536, 'ce00010000'],
    [2 ** 32 - 1, 'ceffffffff'],
    [2 ** 32, 'cf0000000100000000'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32_768, 'd18000'],
    [-32_769, 'd2ffff7fff'],
    [-(2 ** 31), 'd280000000'],
    [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
    [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
  ]
  for (const [value, form] of forms) {
    assert.equal(hex(value), form)
    assert.equal(back(value), value)
    assert.equal(hex(BigInt(value)), form)
  }
})

test('an integer beyond 2^53 is a BigInt, to the ends of 64 bits', () => {
  for (const value of [2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)])
    assert.equal(back(value), value)
  for (const value of [2n ** 64n, -(2n ** 63n) - 1n, 10n ** 30n])
    refused({ n: value }, 'payload.n', /over 64 bits/)
})

test('a number with a fraction, beyond 2^53, NaN, infinite or -0 is a float', () => {
  for (const value of [0.5, -1.25, 2 ** 53, 1e300, NaN, Infinity, -Infinity, -0]) {
    assert.equal(pack(value)[0], 0xcb)
    assert.ok(Object.is(back(value), value))
  }
})

test('a Float stays one where it is asked for, and is a number elsewhere', () => {
  assert.equal(hex(new Float(2)), 'cb4000000000000000')
  assert.equal(back(new Float(2)), 2)
  assert.deepEqual(back(new Float(2), { keepFloats: true }), new Float(2))
  assert.equal(back(0.5, { keepFloats: true }), 0.5)
  assert.equal(back(2, { keepFloats: true }), 2)
  assert.equal(new Float(2) + 1, 3)
  assert.equal(JSON.stringify({ n: new Float(2) }), '{"n":2}')
})

test('a text has its length in bytes, whatever its characters', () => {
  for (const chars of [0, 1, 11, 12, 15, 16, 31, 32, 255, 256, 5_000, 16_384, 16_385, 70_000])
    for (const char of ['x', 'é', '€'])
      for (const text of [char.repeat(chars), 'x'.repeat(chars) + char])
        assert.equal(back(text), text)
  for (const text of ['😀', '\ufffd', '\ufeffBOM', '\0', '\u2028']) assert.equal(back(text), text)
  assert.equal(hex('x'.repeat(31)).slice(0, 2), 'bf')
  assert.equal(hex('x'.repeat(32)).slice(0, 4), 'd920')
  assert.equal(hex('é'.repeat(16)).slice(0, 4), 'd920')
  assert.equal(hex('é'.repeat(128)).slice(0, 6), 'da0100')
})

test('a lone surrogate is refused, in a short, a long and a key text', () => {
  refused({ a: ['ok', '\ud800'] }, 'payload.a[1]', /lone surrogate/)
  refused({ a: 'x'.repeat(40) + '\udfff' }, 'payload.a', /lone surrogate/)
  refused({ a: 'x'.repeat(20_000) + '\ud800' }, 'payload.a', /lone surrogate/)
  refused({ a: { 'k\ud800': 1 } }, 'payload.a', /a key of it has a lone surrogate/)
})

test('bytes arrive as a Buffer', () => {
  for (const size of [0, 1, 255, 256, 65_535, 65_536]) {
    const value = Buffer.alloc(size, 7)
    assert.deepEqual(back({ value }).value, value)
  }
  assert.deepEqual(back(new Uint8Array([1, 2])), Buffer.of(1, 2))
  assert.ok(Buffer.isBuffer(back(new Uint8Array([1, 2]))))
})

test('a small value does not keep a large frame alive, a large one is not copied', () => {
  const frame = pack({ small: Buffer.alloc(10, 1), large: Buffer.alloc(200_000, 2) })

  const { small, large } = unpack(frame)

  assert.notEqual(small.buffer, frame.buffer)
  assert.equal(large.buffer, frame.buffer)
})

test('containers have heads of 4, 16 and 32 bits of size', () => {
  for (const size of [0, 15, 16, 65_535, 65_536, 1 << 20]) {
    assert.equal(back(new Array(size).fill(0)).length, size)
    const map = new Map(Array.from({ length: size }, (_, i) => [`k${i}`, i]))
    assert.equal(Object.keys(back(map)).length, size)
  }
  refused({ a: new Array((1 << 20) + 1).fill(0) }, 'payload.a', /over 1,048,576 elements/)
  malformed(bytes('dd', u32((1 << 20) + 1), Buffer.alloc(1 << 21)), 'elements')
})

test('undefined is left out of a map, as in JSON, and refused in an array', () => {
  assert.deepEqual(back({ a: undefined, b: 1 }), { b: 1 })
  assert.deepEqual(
    back(
      new Map([
        ['a', undefined],
        ['b', 1],
      ]),
    ),
    { b: 1 },
  )
  refused({ a: [1, undefined] }, 'payload.a[1]', /undefined/)
  refused({ a: new Array(2) }, 'payload.a[0]', /undefined/)
})

test('a map whose head gets shorter by what is left out stays whole', () => {
  for (const [keys, gone] of [
    [16, 1],
    [20, 20],
    [65_536, 1],
    [65_536, 65_530],
    [300, 7],
  ]) {
    const value = {}
    for (let i = 0; i < keys; i++) value[`k${i}`] = i < gone ? undefined : i
    const expected = Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined))
    assert.deepEqual(back([value, 'behind']), [expected, 'behind'])
    assert.equal(hex([value, 1]), hex([expected, 1]))
  }
})

test('a Map travels as a map, and only with text keys', () => {
  assert.deepEqual(back(new Map([['a', new Map([['b', 1]])]])), { a: { b: 1 } })
  refused({ m: new Map([[1, 2]]) }, 'payload.m', /a number, not a string/)
})

test('integer-like keys come first in a JavaScript object, whatever their order on the wire', () => {
  assert.deepEqual(
    Object.keys(
      back(
        new Map([
          ['2', 0],
          ['b', 0],
          ['1', 0],
        ]),
      ),
    ),
    ['1', '2', 'b'],
  )
})

test('__proto__ is a key like any other', () => {
  const value = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}')

  const read = back(value)

  assert.deepEqual(Object.keys(read), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(read), Object.prototype)
  assert.equal(read.admin, undefined)
  assert.equal({}.admin, undefined)
})

test('a key twice: the last one counts', () => {
  assert.deepEqual(unpack(bytes('82', 'a178', 1, 'a178', 2)), { x: 2 })
})

test('what comes of another realm is what it looks like', () => {
  const foreign = (code) => back(vm.runInNewContext(code))
  assert.deepEqual(foreign('new Map([["a", [1]]])'), { a: [1] })
  assert.deepEqual(foreign('new Uint8Array([1, 2])'), Buffer.of(1, 2))
  refused(vm.runInNewContext('({ d: new Date() })'), 'payload.d', /class Date/)
})

test('a plain object of another realm and one without a prototype are plain', () => {
  assert.deepEqual(back(vm.runInNewContext('({ a: [1, { b: 2 }] })')), { a: [1, { b: 2 }] })
  assert.deepEqual(back(Object.assign(Object.create(null), { a: 1 })), { a: 1 })
})

test('what no Signal can carry is refused with its path and its class', () => {
  class Point {}
  refused({ at: new Date() }, 'payload.at', /class Date/)
  refused({ s: [new Set()] }, 'payload.s[0]', /class Set/)
  refused({ a: { b: new Point() } }, 'payload.a.b', /class Point/)
  refused({ f: () => {} }, 'payload.f', /function/)
  refused({ s: Symbol('x') }, 'payload.s', /symbol/)
  refused({ f: new Float32Array(2) }, 'payload.f', /Float32Array/)
  refused({ b: new ArrayBuffer(2) }, 'payload.b', /ArrayBuffer/)
  refused({ p: Promise.resolve(1) }, 'payload.p', /Promise/)
  refused({ e: new Error('x') }, 'payload.e', /Error/)
  refused(new Map([['k', [/x/]]]), 'payload.k[0]', /RegExp/)
})

test('a path is cut short', () => {
  const value = { ['k'.repeat(1000)]: [new Date()] }
  assert.throws(
    () => pack(value),
    ({ path }) => path.length <= 201 && path.startsWith('value.kkk'),
  )
})

const nested = (levels, around) => {
  let value = around(null)
  for (let i = 1; i < levels; i++) value = around(value)
  return value
}
for (const [name, around] of [
  ['arrays', (inner) => (inner === null ? [] : [inner])],
  ['maps', (inner) => (inner === null ? {} : { a: inner })],
  ['Maps', (inner) => new Map(inner === null ? [] : [['a', inner]])],
])
  test(`${name} may be nested 200 deep below the root, not 201`, () => {
    assert.ok(back(nested(201, around)))
    assert.throws(() => pack(nested(202, around)), /nested over 200 deep/)
  })

test('what arrives nested too deep is refused, before the stack is', () => {
  malformed(bytes(Buffer.alloc(201, 0x91), 'c0', 0x90), 'behind the end')
  malformed(bytes(Buffer.alloc(202, 0x91), 'c0'), 'nested over 200 deep')
  malformed(Buffer.alloc(1_000_000, 0x91), 'nested over 200 deep')
  malformed(Buffer.alloc(1_000_000, 0x81), 'a key that is no text')
})

test('a cycle is refused', () => {
  const value = { list: [] }
  value.list.push({ value })
  assert.throws(() => pack(value), /nested over 200 deep, or cyclic/)
})

test('no size is believed before its bytes are there', () => {
  const claims = bytes(...new Array(200).fill(bytes('dd', u32(1 << 20))), Buffer.alloc(1 << 20))
  malformed(claims, 'end too early')
  for (const head of ['dd', 'df', 'db', 'c6']) malformed(bytes(head, u32(0xffff_ffff)), '')
  for (const cut of ['', 'cd01', 'cb00', 'a5616263', '9201', '81a161', 'd9', 'dc00', 'c403aa'])
    malformed(bytes(cut), 'end too early')
})

test('what arrives breaks no rule: extensions, other keys, bad UTF-8', () => {
  malformed(bytes('81a178', 'd505', '6162'), 'x: an extension type')
  malformed(bytes('d6ff00000001'), 'an extension type')
  malformed(bytes('c1'), 'does not use')
  malformed(bytes('8101', 2), 'a key that is no text')
  malformed(bytes('81c4016b', 2), 'a key that is no text')
  malformed(bytes('a1ff'), 'not valid UTF-8')
  malformed(bytes('b4', Buffer.alloc(19, 0x61), 'ff'), 'not valid UTF-8')
  malformed(bytes('a3eda080'), 'not valid UTF-8') // a surrogate
  malformed(bytes('a2c080'), 'not valid UTF-8') // NUL in two bytes
  malformed(bytes('81a1ff', 2), 'not valid UTF-8')
})

test('the path of a malformed value is named', () => {
  malformed(bytes('81a161', '92', '01', '81a162', 'c1'), '.a[1].b: a byte')
  malformed(bytes('83a16101a16202a163c1'), '.c: a byte')
})

test('keys that differ in one byte are kept apart, with ASCII and without', () => {
  // Each of these has the bytes of another as its characters.
  const keys = ['é', 'Ã©', 'ab', 'ba', 'aa', '']
  for (let round = 0; round < 3; round++)
    for (const key of keys) assert.deepEqual(back({ [key]: 1 }), { [key]: 1 })
})

test('a getter that writes another value meanwhile disturbs nothing', () => {
  const value = {
    a: 1,
    get b() {
      return pack('inner').length
    },
    c: 3,
  }
  assert.deepEqual(back(value), { a: 1, b: 6, c: 3 })
})

test('a getter that throws is the error of the program, and the next value is whole', () => {
  const value = {
    get a() {
      throw new RangeError('mine')
    },
  }
  assert.throws(() => pack(value), { message: 'mine' })
  assert.deepEqual(back({ a: 1 }), { a: 1 })
})

test('a Map that changes while it is read is refused, and the next one is sent', () => {
  for (const change of [(map) => map.set('c', 1), (map) => map.delete('b')]) {
    const map = new Map()
    map.set('a', {
      get x() {
        change(map)
        return 1
      },
    })
    map.set('b', 2)
    assert.throws(
      () => pack({ map }),
      /value\.map.* cannot be sent: the Map changed while it was read/,
    )
  }
  assert.deepEqual(
    unpack(
      pack(
        new Map([
          ['a', undefined],
          ['b', 1],
        ]),
      ),
    ),
    { b: 1 },
  )
})
