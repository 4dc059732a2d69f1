// Values out of msgpack: docs/spec/07-signals.md, "Values". Pure.
//
// What arrives is held to the rules of a writer. No size is believed before the bytes for it are
// there: a container may claim at most as many elements as bytes follow, all containers together.
import { Float, MAX_DEPTH, MAX_ELEMENTS, pathOf } from './values.js'

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER)
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
// Below it a text is cheaper to make by hand than by a call of Buffer.
const SHORT_BYTES = 12
const KNOWN_KEYS = 512
const knownKeys = new Array(KNOWN_KEYS).fill('')
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Say that bytes are no values of a Signal. `path` names the value. Stays within the client. */
export class Malformed extends Error {
  /** @param {string} path @param {string} reason */
  constructor(path, reason) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.name = 'Malformed'
    this.path = path
  }
}

/** Reads values one behind the other. */
export class Reader {
  /**
   * @param {Buffer} bytes
   * @param {boolean} [keepFloats] give whole floats as Float
   */
  constructor(bytes, keepFloats = false) {
    this.bytes = bytes
    this.at = 0
    this.keepFloats = keepFloats
    this.budget = bytes.length
    this.root = ''
    this.keys = []
    this.level = 0
  }

  /** Tell whether everything has been read. */
  get isAtEnd() {
    return this.at === this.bytes.length
  }

  fault(reason) {
    return new Malformed(pathOf(this.root, this.keys, this.level), reason)
  }

  #take(count) {
    const at = this.at
    this.at = at + count
    if (this.at > this.bytes.length) throw this.fault('the bytes end too early')
    return at
  }

  /** Read the head of an array. @returns {number} its size; -1 if something else comes */
  arrayHead() {
    const code = this.bytes[this.#take(1)]
    if ((code & 0xf0) === 0x90) return code & 15
    if (code === 0xdc) return this.bytes.readUInt16BE(this.#take(2))
    return code === 0xdd ? this.bytes.readUInt32BE(this.#take(4)) : -1
  }

  /** Tell whether a float of 64 bits comes next. */
  get isFloatNext() {
    return this.bytes[this.at] === 0xcb
  }

  #text(size) {
    const at = this.#take(size)
    const b = this.bytes
    if (size < SHORT_BYTES) {
      const text = shortAscii(b, at, this.at)
      if (text !== null) return text
    }
    const text = b.utf8Slice(at, this.at)
    // Buffer puts U+FFFD where bytes are invalid; it may also have been sent.
    return text.includes('\ufffd') ? this.#strictText(at, this.at) : text
  }
  #strictText(at, end) {
    try {
      return strict.decode(this.bytes.subarray(at, end))
    } catch {
      throw this.fault('a text that is not valid UTF-8')
    }
  }

  #bin(size) {
    const at = this.#take(size)
    const view = this.bytes.subarray(at, at + size)
    // A view keeps alive all that was read from the socket with it.
    return size * 2 < view.buffer.byteLength ? Buffer.from(view) : view
  }

  #key() {
    const code = this.bytes[this.#take(1)]
    if ((code & 0xe0) === 0xa0) return this.#shortKey(code & 31)
    if (code === 0xd9) return this.#text(this.bytes[this.#take(1)])
    if (code === 0xda) return this.#text(this.bytes.readUInt16BE(this.#take(2)))
    if (code === 0xdb) return this.#text(this.bytes.readUInt32BE(this.#take(4)))
    throw this.fault('a key that is no text')
  }

  /** The same few keys come again and again: a text that is known need not be made. */
  #shortKey(size) {
    const b = this.bytes
    const start = this.at
    const end = start + size
    if (end > b.length) throw this.fault('the bytes end too early')
    let hash = size
    for (let i = start; i < end; i++) hash = (hash * 31 + b[i]) & 0x3fff_ffff
    const slot = hash & (KNOWN_KEYS - 1)
    if (equals(knownKeys[slot], b, start, size)) {
      this.at = end
      return knownKeys[slot]
    }
    const key = this.#text(size)
    if (key.length === size) knownKeys[slot] = key // ASCII only, or bytes could not be compared
    return key
  }

  #enter(size, values, depth) {
    if (depth > MAX_DEPTH) throw this.fault(`nested over ${MAX_DEPTH} deep`)
    if (size > MAX_ELEMENTS) throw this.fault(`it has over ${MAX_ELEMENTS} elements`)
    this.budget -= values
    if (this.budget < 0) throw this.fault('the bytes end too early')
  }

  #map(size, depth) {
    this.#enter(size, 2 * size, depth)
    const map = {}
    for (let i = 0; i < size; i++) {
      this.level = depth
      const key = this.#key()
      this.keys[depth] = key
      this.level = depth + 1
      const value = this.value(depth + 1)
      if (key === '__proto__') setOwn(map, key, value)
      else map[key] = value
    }
    this.level = depth
    return map
  }

  #array(size, depth) {
    this.#enter(size, size, depth)
    const array = []
    for (let i = 0; i < size; i++) {
      this.keys[depth] = i
      this.level = depth + 1
      array.push(this.value(depth + 1))
    }
    this.level = depth
    return array
  }

  #float(value) {
    return this.keepFloats && Number.isInteger(value) && !Object.is(value, -0)
      ? new Float(value)
      : value
  }

  /**
   * Read the next value.
   * @param {number} depth 0 for payload and meta, one more for each container around it
   * @returns {unknown}
   * @throws {Malformed} It breaks a rule, or the bytes end.
   */
  value(depth) {
    const code = this.bytes[this.#take(1)]
    if (code < 0x80) return code
    if (code < 0x90) return this.#map(code & 15, depth)
    if (code < 0xa0) return this.#array(code & 15, depth)
    if (code < 0xc0) return this.#text(code & 31)
    if (code >= 0xe0) return code - 256
    return this.#coded(code, depth)
  }

  // eslint-disable-next-line complexity -- the table of msgpack's codes
  #coded(code, depth) {
    const b = this.bytes
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#bin(b[this.#take(1)])
      case 0xc5:
        return this.#bin(b.readUInt16BE(this.#take(2)))
      case 0xc6:
        return this.#bin(b.readUInt32BE(this.#take(4)))
      case 0xca:
        return this.#float(b.readFloatBE(this.#take(4)))
      case 0xcb:
        return this.#float(b.readDoubleBE(this.#take(8)))
      case 0xcc:
        return b[this.#take(1)]
      case 0xcd:
        return b.readUInt16BE(this.#take(2))
      case 0xce:
        return b.readUInt32BE(this.#take(4))
      case 0xcf:
        return fitted(b.readBigUInt64BE(this.#take(8)))
      case 0xd0:
        return b.readInt8(this.#take(1))
      case 0xd1:
        return b.readInt16BE(this.#take(2))
      case 0xd2:
        return b.readInt32BE(this.#take(4))
      case 0xd3:
        return fitted(b.readBigInt64BE(this.#take(8)))
      case 0xd9:
        return this.#text(b[this.#take(1)])
      case 0xda:
        return this.#text(b.readUInt16BE(this.#take(2)))
      case 0xdb:
        return this.#text(b.readUInt32BE(this.#take(4)))
      case 0xdc:
        return this.#array(b.readUInt16BE(this.#take(2)), depth)
      case 0xdd:
        return this.#array(b.readUInt32BE(this.#take(4)), depth)
      case 0xde:
        return this.#map(b.readUInt16BE(this.#take(2)), depth)
      case 0xdf:
        return this.#map(b.readUInt32BE(this.#take(4)), depth)
      case 0xc1:
        throw this.fault('a byte that msgpack does not use')
      default:
        throw this.fault('an extension type')
    }
  }
}

function shortAscii(b, at, end) {
  let text = ''
  let i = at
  for (; i + 4 <= end; i += 4) {
    const [w, x, y, z] = [b[i], b[i + 1], b[i + 2], b[i + 3]]
    if ((w | x | y | z) > 127) return null
    text += String.fromCharCode(w, x, y, z)
  }
  for (; i < end; i++) {
    if (b[i] > 127) return null
    text += String.fromCharCode(b[i])
  }
  return text
}

function equals(text, b, at, size) {
  if (text.length !== size) return false
  for (let i = 0; i < size; i++) if (text.charCodeAt(i) !== b[at + i]) return false
  return true
}

const fitted = (value) => (value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value)

function setOwn(map, key, value) {
  // An assignment would set the prototype.
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
}

/**
 * Read one value that fills all the bytes.
 * @param {Buffer} bytes
 * @param {{ keepFloats?: boolean }} [options]
 * @returns {unknown}
 * @throws {Malformed} They hold no value, a forbidden one, or more than one.
 */
export function unpack(bytes, { keepFloats = false } = {}) {
  const reader = new Reader(bytes, keepFloats)
  const value = reader.value(0)
  if (!reader.isAtEnd) throw reader.fault('there are bytes behind the end')
  return value
}
