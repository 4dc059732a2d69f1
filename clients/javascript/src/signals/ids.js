// Ids of Signals and traces: docs/spec/07-signals.md, "Ids".
//
// An id is `evt_` or `trc_` and 26 characters of base 32 (0-9 a-v) over 16 bytes: 18 bits of the
// counter, mixed, so that the eight characters that screens show differ; 60 random bits of this
// process (a worker thread loads this module anew and has its own); 50 bits of the counter.
import { randomBytes } from 'node:crypto'
import { BadSignal } from '../errors.js'

export { blake2b16, instanceOf } from './blake2b.js'

/** Length of an id, its prefix included. */
export const ID_CHARS = 30

const DIGITS = '0123456789abcdefghijklmnopqrstuv'
const PAIRS = Array.from({ length: 1024 }, (_, i) => DIGITS[i >> 5] + DIGITS[i & 31])
const VALUE = new Int8Array(128).fill(-1)
for (let i = 0; i < 32; i++) VALUE[DIGITS.charCodeAt(i)] = i
const TAIL = /^[0-7][0-9a-v]{25}$/ // 130 bits, of which the first two are zero
const MIX = 0x2545f

const random60 = Array.from(randomBytes(12), (byte) => DIGITS[byte & 31]).join('')
let high = 0
let low = randomBytes(4).readUInt32BE() & 0xfffff
let stem = ''
setStem()

function setStem() {
  stem = random60 + PAIRS[(high >>> 20) & 1023] + PAIRS[(high >>> 10) & 1023] + PAIRS[high & 1023]
}

/** Return the 26 characters of a new id; two ids may share them if their prefixes differ. */
export function newTail() {
  low = (low + 1) & 0xfffff
  if (low === 0) {
    high++
    setStem()
  }
  const mixed = Math.imul(low, MIX) & 0x3ffff
  return PAIRS[mixed >>> 10] + PAIRS[mixed & 1023] + stem + PAIRS[low >>> 10] + PAIRS[low & 1023]
}

/**
 * Return a new id of a Signal; those after it, see `idsFrom`, are taken too.
 * @param {number} count how many ids in all, from 1 to 2^20
 */
export function newRunId(count) {
  const first = newEventId()
  low += count - 1
  if (low > 0xfffff) {
    low &= 0xfffff
    high++
    setStem()
  }
  return first
}

/**
 * Return an id and those that were made after it; they follow from its text.
 * @param {string} first a valid id
 * @param {number} count from 1 to 2^20
 * @returns {string[]}
 */
export function idsFrom(first, count) {
  const mixed = parseInt(first.slice(4, 8), 32)
  const random = first.slice(8, 20)
  let top = parseInt(first.slice(20, 26), 32) // 30 bits
  let end = parseInt(first.slice(26), 32) // 20 bits
  const ids = [first]
  for (let k = 1; k < count; k++) {
    end = (end + 1) & 0xfffff
    if (end === 0) top = (top + 1) & 0x3fff_ffff
    const bits = (mixed + Math.imul(k, MIX)) & 0x3ffff
    const counter =
      PAIRS[top >>> 20] +
      PAIRS[(top >>> 10) & 1023] +
      PAIRS[top & 1023] +
      PAIRS[end >>> 10] +
      PAIRS[end & 1023]
    ids.push(first.slice(0, 4) + PAIRS[bits >>> 10] + PAIRS[bits & 1023] + random + counter)
  }
  return ids
}

/** Return a new id of a Signal. */
export const newEventId = () => 'evt_' + newTail()
/** Return a new id of a trace. */
export const newTraceId = () => 'trc_' + newTail()

/** Tell whether a value is an id. @param {unknown} value @returns {boolean} */
export const isId = (value) =>
  typeof value === 'string' &&
  value.length === ID_CHARS &&
  (value.startsWith('evt_') || value.startsWith('trc_')) &&
  TAIL.test(value.slice(4))

/**
 * Return the 16 bytes behind an id.
 * @param {string} id
 * @returns {Buffer}
 * @throws {BadSignal} It is no id.
 */
export function idBytes(id) {
  if (typeof id !== 'string' || id.length !== ID_CHARS || id[3] !== '_') throw noId(id)
  const bytes = Buffer.allocUnsafe(16)
  let bits = VALUE[id.charCodeAt(4) & 127]
  let bad = bits | (7 - bits) | (id.charCodeAt(4) >> 7 && -1)
  let have = 3
  for (let i = 5, at = 0; i < ID_CHARS; i++) {
    const code = id.charCodeAt(i)
    const value = code < 128 ? VALUE[code] : -1
    bad |= value
    bits = (bits << 5) | value
    have += 5
    if (have >= 8) {
      have -= 8
      bytes[at++] = bits >>> have
      bits &= (1 << have) - 1
    }
  }
  if (bad < 0) throw noId(id)
  return bytes
}

function noId(value) {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeof value
  return new BadSignal(`not an id: ${text}; an id is 'evt_' or 'trc_' and 26 characters of 0-9 a-v`)
}

/**
 * Return the id of 16 bytes.
 * @param {'evt_' | 'trc_'} prefix
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function bytesId(prefix, bytes) {
  // Five bytes are eight digits, so four pairs. The first byte stands alone behind two zero bits.
  let id = prefix + PAIRS[bytes[0]]
  for (let i = 1; i < 16; i += 5) {
    const top = (bytes[i] << 12) | (bytes[i + 1] << 4) | (bytes[i + 2] >>> 4)
    const end = ((bytes[i + 2] & 15) << 16) | (bytes[i + 3] << 8) | bytes[i + 4]
    id += PAIRS[top >>> 10] + PAIRS[top & 1023] + PAIRS[end >>> 10] + PAIRS[end & 1023]
  }
  return id
}
