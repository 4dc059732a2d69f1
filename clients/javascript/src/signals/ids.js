// Ids (docs/spec/07-signals.md "Ids") and the hash that makes an instance id out of its secret (02-session.md "Ids").
import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789abcdefghijklmnopqrstuv'
const VALUE = new Int8Array(256).fill(-1)
for (let i = 0; i < 32; i++) VALUE[DIGITS.charCodeAt(i)] = i
const SHAPE = /^[0-7][0-9a-v]{25}$/

let process60 = ''
for (const b of randomBytes(12)) process60 += DIGITS[b & 31]
let counter = 0

/** 26 characters, new at every call. */
export function newTail() {
  const n = ++counter
  let mixed = Math.imul(n, 0x9e3779b1) >>> 14 // 18 bits
  const c = DIGITS
  // 20 bits in 4 characters, of which the first two are zero
  let out =
    c[(mixed >>> 15) & 7] +
    c[(mixed >>> 10) & 31] +
    c[(mixed >>> 5) & 31] +
    c[mixed & 31] +
    process60
  let tail = ''
  let rest = n
  for (let i = 0; i < 10; i++) {
    tail = c[rest % 32] + tail
    rest = Math.floor(rest / 32)
  }
  return out + tail
}
export const newEventId = () => 'evt_' + newTail()
export const newTraceId = () => 'trc_' + newTail()

export function idBytes(id) {
  const tail = id.slice(4)
  if (!SHAPE.test(tail) || id[3] !== '_') throw new RangeError(`${JSON.stringify(id)} is no id`)
  const out = Buffer.allocUnsafe(16)
  let bits = 0,
    have = -2,
    at = 0 // the first two of 130 bits are zero
  for (let i = 0; i < 26; i++) {
    bits = (bits << 5) | VALUE[tail.charCodeAt(i)]
    have += 5
    if (have >= 8) {
      have -= 8
      out[at++] = (bits >>> have) & 255
      bits &= (1 << have) - 1
    }
  }
  return out
}
export function bytesId(prefix, bytes) {
  let out = ''
  let bits = 0,
    have = 2
  for (let i = 0; i < 16; i++) {
    bits = (bits << 8) | bytes[i]
    have += 8
    while (have >= 5) {
      have -= 5
      out += DIGITS[(bits >>> have) & 31]
      bits &= (1 << have) - 1
    }
  }
  return prefix + out
}
/** Whether a text is an id, for tests. */
export const isId = (text) => /^(evt|trc)_[0-7][0-9a-v]{25}$/.test(text)

// BLAKE2b, one block, as RFC 7693; `person` is padded with zeros to 16 bytes.
const IV = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
]
const SIGMA = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
  '0123456789abcdef',
  'ea489fd61c02b753',
]
const M64 = (1n << 64n) - 1n
const rotr = (x, n) => ((x >> n) | (x << (64n - n))) & M64

export function blake2b16(message, person) {
  const params = Buffer.alloc(64)
  params[0] = 16
  params[2] = 1
  params[3] = 1
  params.write(person, 48, 16, 'latin1')
  const h = IV.map((iv, i) => iv ^ params.readBigUInt64LE(i * 8))
  const block = Buffer.alloc(128)
  message.copy(block)
  const m = Array.from({ length: 16 }, (_, i) => block.readBigUInt64LE(i * 8))
  const v = [...h, ...IV]
  v[12] ^= BigInt(message.length)
  v[14] ^= M64
  const mix = (a, b, c, d, x, y) => {
    v[a] = (v[a] + v[b] + x) & M64
    v[d] = rotr(v[d] ^ v[a], 32n)
    v[c] = (v[c] + v[d]) & M64
    v[b] = rotr(v[b] ^ v[c], 24n)
    v[a] = (v[a] + v[b] + y) & M64
    v[d] = rotr(v[d] ^ v[a], 16n)
    v[c] = (v[c] + v[d]) & M64
    v[b] = rotr(v[b] ^ v[c], 63n)
  }
  for (const row of SIGMA) {
    const s = [...row].map((x) => m[parseInt(x, 16)])
    mix(0, 4, 8, 12, s[0], s[1])
    mix(1, 5, 9, 13, s[2], s[3])
    mix(2, 6, 10, 14, s[4], s[5])
    mix(3, 7, 11, 15, s[6], s[7])
    mix(0, 5, 10, 15, s[8], s[9])
    mix(1, 6, 11, 12, s[10], s[11])
    mix(2, 7, 8, 13, s[12], s[13])
    mix(3, 4, 9, 14, s[14], s[15])
  }
  const out = Buffer.alloc(64)
  h.forEach((x, i) => out.writeBigUInt64LE(x ^ v[i] ^ v[i + 8], i * 8))
  return out.subarray(0, 16)
}
export const instanceOf = (secret) => blake2b16(secret, 'instance')
