// Values as msgpack: docs/spec/07-signals.md, "Values". Pure.
//
// Own code, because no library keeps the rules: what cannot travel is refused where it was made, with
// its path. Hot: no object, closure or path is made for a value; the keys on the way to it are kept
// in one array, which is read only when something is wrong.
import { isMap, isUint8Array } from 'node:util/types'
import { SignalTooLarge, UnencodableValue } from '../errors.js'
import { Float, MAX_DEPTH, MAX_ELEMENTS, isPlain, pathOf } from './values.js'

const START_BYTES = 4096
const KEPT_BYTES = 1 << 18
const SLACK = 4
const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER)
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const MIN_INT64 = -(1n << 63n)
const MAX_UINT64 = (1n << 64n) - 1n
// Below it a text is cheaper to write by hand than by a call of Buffer.
const SHORT_CHARS = 16
const LONG_CHARS = 1 << 14

/** Writes values one behind the other. Take one with `borrow` and give it back with `taken`. */
export class Writer {
  constructor() {
    this.buffer = Buffer.allocUnsafeSlow(START_BYTES)
    this.at = 0
    this.limit = Infinity
    this.root = 'value'
    this.keys = []
  }

  /** Make room for some bytes. @throws {SignalTooLarge} That is far over the limit. */
  room(bytes) {
    if (this.at + bytes > this.buffer.length) this.#grow(this.at + bytes)
  }
  #grow(needed) {
    // Up to four times the limit it goes on, so that the error can name the size.
    if (needed > this.limit * SLACK) throw new SignalTooLarge(needed, this.limit)
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, needed))
    this.buffer.copy(grown, 0, 0, this.at)
    this.buffer = grown
  }

  byte(value) {
    this.room(1)
    this.buffer[this.at++] = value
  }

  nil() {
    this.byte(0xc0)
  }

  /** Write a float, whole or not. @param {number} value */
  float(value) {
    this.room(9)
    this.buffer[this.at] = 0xcb
    this.at = this.buffer.writeDoubleBE(value, this.at + 1)
  }

  arrayHead(size) {
    this.#head(size, 0x90, 15, 0xdc)
  }
  #mapHead(size) {
    this.#head(size, 0x80, 15, 0xde)
  }
  /** The head of a container; the code for 32 bits of size follows that for 16. */
  #head(size, fix, fixMax, code16) {
    this.room(5)
    const b = this.buffer
    if (size <= fixMax) b[this.at++] = fix | size
    else if (size < 0x10000) {
      b[this.at] = code16
      this.at = b.writeUInt16BE(size, this.at + 1)
    } else {
      b[this.at] = code16 + 1
      this.at = b.writeUInt32BE(size, this.at + 1)
    }
  }
  /** The head of bytes or of a longer text; the codes for 16 and 32 bits of size follow that for 8. */
  #head8(size, code8) {
    this.room(5)
    if (size < 0x100) {
      this.buffer[this.at] = code8
      this.buffer[this.at + 1] = size
      this.at += 2
    } else this.#head(size, 0, -1, code8 + 1)
  }

  /**
   * Write an integer.
   * @param {number} value safe
   */
  int(value) {
    this.room(9)
    if (value >= 0 && value < 128) this.buffer[this.at++] = value
    else if (value >= 0) this.#positive(value)
    else this.#negative(value)
  }
  #positive(value) {
    const b = this.buffer
    if (value < 0x100) {
      b[this.at] = 0xcc
      b[this.at + 1] = value
      this.at += 2
    } else if (value < 0x10000) {
      b[this.at] = 0xcd
      this.at = b.writeUInt16BE(value, this.at + 1)
    } else if (value < 0x1_0000_0000) {
      b[this.at] = 0xce
      this.at = b.writeUInt32BE(value, this.at + 1)
    } else {
      b[this.at] = 0xcf
      this.at = b.writeBigUInt64BE(BigInt(value), this.at + 1)
    }
  }
  #negative(value) {
    const b = this.buffer
    if (value >= -32) b[this.at++] = value & 0xff
    else if (value >= -0x80) {
      b[this.at] = 0xd0
      this.at = b.writeInt8(value, this.at + 1)
    } else if (value >= -0x8000) {
      b[this.at] = 0xd1
      this.at = b.writeInt16BE(value, this.at + 1)
    } else if (value >= -0x8000_0000) {
      b[this.at] = 0xd2
      this.at = b.writeInt32BE(value, this.at + 1)
    } else {
      b[this.at] = 0xd3
      this.at = b.writeBigInt64BE(BigInt(value), this.at + 1)
    }
  }
  #bigint(value, depth) {
    if (value >= MIN_SAFE && value <= MAX_SAFE) return this.int(Number(value))
    if (value < MIN_INT64 || value > MAX_UINT64)
      throw this.#fault('the integer has over 64 bits', depth)
    this.room(9)
    this.buffer[this.at] = value < 0n ? 0xd3 : 0xcf
    this.at = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), this.at + 1)
  }

  /**
   * Write a text.
   * @param {string} text
   * @param {number} [depth] how many of the keys lead to it
   * @param {string} [what] for the error
   * @throws {UnencodableValue} It has a lone surrogate.
   */
  text(text, depth = 0, what = 'the text') {
    const chars = text.length
    if (chars < SHORT_CHARS && this.#asciiByHand(text, chars)) return
    if (chars > LONG_CHARS) this.#textOf(text, Buffer.byteLength(text), depth, what)
    else this.#textInOnePass(text, chars, depth, what)
  }
  #asciiByHand(text, chars) {
    this.room(chars + 1)
    const b = this.buffer
    let at = this.at
    b[at++] = 0xa0 | chars
    for (let i = 0; i < chars; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) return false
      b[at++] = code
    }
    this.at = at
    return true
  }
  /** Most texts are ASCII, so as many bytes as characters: assume it, write, and look. */
  #textInOnePass(text, chars, depth, what) {
    const start = this.at
    this.room(5 + 3 * chars)
    this.#textHead(chars)
    const size = this.buffer.utf8Write(text, this.at, 3 * chars)
    if (size === chars) this.at += size
    else {
      this.at = start
      this.#textOf(text, size, depth, what)
    }
  }
  #textOf(text, size, depth, what) {
    if (!text.isWellFormed()) throw this.#fault(`${what} has a lone surrogate`, depth)
    this.#textHead(size)
    this.room(size)
    this.at += this.buffer.utf8Write(text, this.at, size)
  }
  #textHead(size) {
    if (size < 32) this.byte(0xa0 | size)
    else this.#head8(size, 0xd9)
  }

  #bytes(bytes) {
    this.#head8(bytes.length, 0xc4)
    this.room(bytes.length)
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }

  /**
   * Write any value that may travel.
   * @param {unknown} value
   * @param {number} depth 0 for payload and meta, one more for each container around it
   * @throws {UnencodableValue} It may not; the path names it.
   */
  value(value, depth) {
    switch (typeof value) {
      case 'string':
        return this.text(value, depth)
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) return this.int(value)
        return this.float(value)
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2)
      case 'object':
        return this.#object(value, depth)
      case 'bigint':
        return this.#bigint(value, depth)
      case 'undefined':
        throw this.#fault('it is undefined, in an array; null can be sent', depth)
      default:
        throw this.#fault(`it is a ${typeof value}`, depth)
    }
  }

  #object(value, depth) {
    if (value === null) return this.nil()
    if (Array.isArray(value)) return this.#array(value, depth)
    if (isPlain(value)) return this.map(value, depth)
    if (value instanceof Float) return this.float(value.value)
    if (isMap(value)) return this.#entries(value, depth)
    if (isUint8Array(value)) return this.#bytes(value)
    throw this.#fault(`it is an object of the class ${nameOf(value)}`, depth)
  }

  #checkContainer(size, depth) {
    if (depth > MAX_DEPTH)
      throw this.#fault(`it is nested over ${MAX_DEPTH} deep, or cyclic`, depth)
    if (size > MAX_ELEMENTS)
      throw this.#fault(`it has over ${MAX_ELEMENTS.toLocaleString('en')} elements`, depth)
  }

  #array(value, depth) {
    const size = value.length
    this.#checkContainer(size, depth)
    this.arrayHead(size)
    for (let i = 0; i < size; i++) {
      this.keys[depth] = i
      this.value(value[i], depth + 1)
    }
  }

  /** Write a plain object; a key whose value is undefined is left out, as in JSON. */
  map(value, depth) {
    const keys = Object.keys(value)
    this.#checkContainer(keys.length, depth)
    const start = this.at
    this.#mapHead(keys.length)
    let left = keys.length
    for (const key of keys) {
      const item = value[key]
      if (item === undefined) left--
      else this.#entry(key, item, depth)
    }
    if (left < keys.length) this.#shrink(start, keys.length, left)
  }

  #entries(value, depth) {
    this.#checkContainer(value.size, depth)
    const start = this.at
    this.#mapHead(value.size)
    const { size } = value
    let seen = 0
    let left = size
    for (const [key, item] of value) {
      if (typeof key !== 'string')
        throw this.#fault(`a key of the Map is a ${typeof key}, not a string`, depth)
      seen++
      if (item === undefined) left--
      else this.#entry(key, item, depth)
    }
    // Its size is written already, and a getter within it may have changed it.
    if (seen !== size) throw this.#fault('the Map changed while it was read', depth)
    if (left < size) this.#shrink(start, size, left)
  }

  #entry(key, item, depth) {
    this.keys[depth] = key
    this.text(key, depth, 'a key of it')
    this.value(item, depth + 1)
  }

  /** Give a map that was begun at `start` a lower size; its head may get shorter. */
  #shrink(start, before, size) {
    const end = this.at
    const old = headBytes(before)
    const shorter = old - headBytes(size)
    this.buffer.copyWithin(start + old - shorter, start + old, end)
    this.at = start
    this.#mapHead(size)
    this.at = end - shorter
  }

  #fault(reason, depth) {
    return new UnencodableValue(pathOf(this.root, this.keys, depth), reason)
  }

  /** Return what was written, and give the writer back. @returns {Buffer} */
  taken() {
    const { at, buffer, limit } = this
    if (at > limit) {
      giveBack(this)
      throw new SignalTooLarge(at, limit)
    }
    const isHandedOver = at > KEPT_BYTES && at > buffer.length / 2
    const bytes = isHandedOver ? buffer.subarray(0, at) : Buffer.from(buffer.subarray(0, at))
    if (isHandedOver) this.buffer = Buffer.allocUnsafeSlow(START_BYTES)
    giveBack(this)
    return bytes
  }
}

const nameOf = (value) => String(value.constructor?.name || 'without a name').slice(0, 80)

const headBytes = (size) => (size < 16 ? 1 : size < 0x10000 ? 3 : 5)

// A getter of the program may write another Signal in between, so a writer is borrowed.
const idle = [new Writer()]

/**
 * Borrow a writer.
 * @param {string} root what the values are called in paths
 * @param {number} limit in bytes; over it `taken` throws SignalTooLarge
 * @returns {Writer}
 */
export function borrow(root, limit) {
  const writer = idle.pop() ?? new Writer()
  writer.at = 0
  writer.root = root
  writer.limit = limit
  return writer
}

/** Give a writer back of which nothing is wanted, since a value was refused. @param {Writer} writer */
export function giveBack(writer) {
  // Its buffer has grown to the size of the largest Signal that it ever wrote.
  if (writer.buffer.length > KEPT_BYTES) writer.buffer = Buffer.allocUnsafeSlow(START_BYTES)
  idle.push(writer)
}

/**
 * Write one value.
 * @param {unknown} value
 * @param {string} [root] what it is called in the path of an error
 * @returns {Buffer}
 * @throws {UnencodableValue} It holds something that cannot travel.
 */
export function pack(value, root = 'value') {
  const writer = borrow(root, Infinity)
  try {
    writer.value(value, 0)
  } catch (error) {
    giveBack(writer)
    throw error
  }
  return writer.taken()
}
