// The values of a Signal as msgpack, by docs/spec/07-signals.md "Values": text keys, no extensions, bounded depth and size.
import { UnencodableValue } from '../errors.js'

const MAX_DEPTH = 200
const MAX_ELEMENTS = 1 << 20
const INT64_MIN = -(1n << 63n)
const UINT64_MAX = (1n << 64n) - 1n

/** A number that travels as a float even when it is whole: `new Float(2)`. */
export class Float {
  constructor(value) {
    this.value = value
  }
  valueOf() {
    return this.value
  }
}

class Writer {
  constructor() {
    this.buffer = Buffer.allocUnsafe(4096)
    this.at = 0
  }
  room(bytes) {
    if (this.at + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(grown, 0, 0, this.at)
    this.buffer = grown
  }
  byte(value) {
    this.room(1)
    this.buffer[this.at++] = value
  }
  taken() {
    const out = Buffer.from(this.buffer.subarray(0, this.at))
    this.at = 0
    if (this.buffer.length > 1 << 20) this.buffer = Buffer.allocUnsafe(4096)
    return out
  }
}

function sized(w, size, fix, fixMax, c8, c16, c32) {
  w.room(5)
  const b = w.buffer
  if (fix !== null && size <= fixMax) b[w.at++] = fix | size
  else if (c8 !== null && size < 256) {
    b[w.at++] = c8
    b[w.at++] = size
  } else if (size < 65536) {
    b[w.at++] = c16
    w.at = b.writeUInt16BE(size, w.at)
  } else {
    b[w.at++] = c32
    w.at = b.writeUInt32BE(size, w.at)
  }
}

export function writeFloat(w, value) {
  w.room(9)
  w.buffer[w.at++] = 0xcb
  w.at = w.buffer.writeDoubleBE(value, w.at)
}

function writeInt(w, value) {
  w.room(9)
  const b = w.buffer
  if (value >= 0) {
    if (value < 128) b[w.at++] = value
    else if (value < 256) {
      b[w.at++] = 0xcc
      b[w.at++] = value
    } else if (value < 65536) {
      b[w.at++] = 0xcd
      w.at = b.writeUInt16BE(value, w.at)
    } else if (value < 4294967296) {
      b[w.at++] = 0xce
      w.at = b.writeUInt32BE(value, w.at)
    } else {
      b[w.at++] = 0xcf
      w.at = b.writeBigUInt64BE(BigInt(value), w.at)
    }
  } else if (value >= -32) b[w.at++] = value & 0xff
  else if (value >= -128) {
    b[w.at++] = 0xd0
    w.at = b.writeInt8(value, w.at)
  } else if (value >= -32768) {
    b[w.at++] = 0xd1
    w.at = b.writeInt16BE(value, w.at)
  } else if (value >= -2147483648) {
    b[w.at++] = 0xd2
    w.at = b.writeInt32BE(value, w.at)
  } else {
    b[w.at++] = 0xd3
    w.at = b.writeBigInt64BE(BigInt(value), w.at)
  }
}

export function writeText(w, text, path) {
  const guess = text.length
  if (guess < 32) {
    // short and mostly ASCII: written by hand, which is far cheaper than Buffer.write
    w.room(1 + guess)
    const b = w.buffer
    let at = w.at + 1
    let i = 0
    for (; i < guess; i++) {
      const c = text.charCodeAt(i)
      if (c > 127) break
      b[at++] = c
    }
    if (i === guess) {
      b[w.at] = 0xa0 | guess
      w.at = at
      return
    }
  }
  if (!text.isWellFormed()) throw new UnencodableValue(path, 'a text with a lone surrogate')
  const size = Buffer.byteLength(text)
  sized(w, size, 0xa0, 31, 0xd9, 0xda, 0xdb)
  w.room(size)
  w.at += w.buffer.write(text, w.at, size, 'utf8')
}

export function writeValue(w, value, path, depth) {
  switch (typeof value) {
    case 'string':
      return writeText(w, value, path)
    case 'boolean':
      return w.byte(value ? 0xc3 : 0xc2)
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return writeInt(w, value)
      return writeFloat(w, value)
    case 'bigint':
      if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER))
        return writeInt(w, Number(value))
      if (value < INT64_MIN || value > UINT64_MAX)
        throw new UnencodableValue(path, 'an integer of over 64 bits')
      w.room(9)
      if (value >= 0n) {
        w.byte(0xcf)
        w.at = w.buffer.writeBigUInt64BE(value, w.at)
      } else {
        w.byte(0xd3)
        w.at = w.buffer.writeBigInt64BE(value, w.at)
      }
      return
    case 'object':
      return writeObject(w, value, path, depth)
    default:
      throw new UnencodableValue(path, typeof value)
  }
}

function writeObject(w, value, path, depth) {
  if (value === null) return w.byte(0xc0)
  if (value instanceof Float) return writeFloat(w, value.value)
  if (value instanceof Uint8Array) {
    sized(w, value.length, null, 0, 0xc4, 0xc5, 0xc6)
    w.room(value.length)
    w.buffer.set(value, w.at)
    w.at += value.length
    return
  }
  if (depth > MAX_DEPTH)
    throw new UnencodableValue(path, `nesting of more than ${MAX_DEPTH} levels, or a cycle`)
  if (Array.isArray(value)) {
    if (value.length > MAX_ELEMENTS) throw new UnencodableValue(path, 'too many elements')
    sized(w, value.length, 0x90, 15, null, 0xdc, 0xdd)
    for (let i = 0; i < value.length; i++) writeValue(w, value[i], `${path}[${i}]`, depth + 1)
    return
  }
  const proto = Object.getPrototypeOf(value)
  if (value instanceof Map) {
    sized(w, value.size, 0x80, 15, null, 0xde, 0xdf)
    for (const [key, item] of value) {
      if (typeof key !== 'string') throw new UnencodableValue(path, 'a key that is no text')
      writeText(w, key, path)
      writeValue(w, item, `${path}.${key}`, depth + 1)
    }
    return
  }
  if (proto !== Object.prototype && proto !== null)
    throw new UnencodableValue(path, `an object of ${proto?.constructor?.name ?? 'a class'}`)
  const keys = Object.keys(value)
  if (keys.length > MAX_ELEMENTS) throw new UnencodableValue(path, 'too many elements')
  let gone = 0 // as JSON does, what is undefined is left out
  for (const key of keys) if (value[key] === undefined) gone++
  sized(w, keys.length - gone, 0x80, 15, null, 0xde, 0xdf)
  for (const key of keys) {
    const item = value[key]
    if (item === undefined) continue
    writeText(w, key, path)
    writeValue(w, item, path + '.' + key, depth + 1)
  }
}

export const writer = new Writer()
export function arrayHead(w, size) {
  sized(w, size, 0x90, 15, null, 0xdc, 0xdd)
}

export function pack(value, path = 'value') {
  writer.at = 0
  writeValue(writer, value, path, 0)
  return writer.taken()
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class Reader {
  constructor(b) {
    this.b = b
    this.at = 0
  }
  need(n) {
    if (this.at + n > this.b.length) throw new Error('cut short')
    const at = this.at
    this.at += n
    return at
  }
  text(n) {
    const at = this.need(n)
    const b = this.b
    if (n < 40) {
      let i = at
      const end = at + n
      while (i < end && b[i] < 128) i++
      if (i === end) return b.latin1Slice(at, end)
    }
    return utf8.decode(b.subarray(at, at + n))
  }
  key() {
    const c = this.b[this.need(1)]
    if ((c & 0xe0) === 0xa0) return this.text(c & 0x1f)
    if (c === 0xd9) return this.text(this.b[this.need(1)])
    if (c === 0xda) return this.text(this.b.readUInt16BE(this.need(2)))
    if (c === 0xdb) return this.text(this.b.readUInt32BE(this.need(4)))
    throw new Error('a key that is no text')
  }
  map(n, depth) {
    if (depth > MAX_DEPTH || n > MAX_ELEMENTS) throw new Error('too deep or too long')
    const out = {}
    for (let i = 0; i < n; i++) {
      const key = this.key()
      const item = this.value(depth + 1)
      if (key === '__proto__')
        Object.defineProperty(out, key, {
          value: item,
          enumerable: true,
          configurable: true,
          writable: true,
        })
      else out[key] = item
    }
    return out
  }
  array(n, depth) {
    if (depth > MAX_DEPTH || n > MAX_ELEMENTS || n > this.b.length - this.at)
      throw new Error('too deep or too long')
    const out = new Array(n)
    for (let i = 0; i < n; i++) out[i] = this.value(depth + 1)
    return out
  }
  bin(n) {
    const at = this.need(n)
    return this.b.subarray(at, at + n)
  }
  big(value) {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : value
  }
  value(depth) {
    const b = this.b
    const c = b[this.need(1)]
    if (c < 0x80) return c
    if (c >= 0xe0) return c - 256
    if (c < 0x90) return this.map(c & 15, depth)
    if (c < 0xa0) return this.array(c & 15, depth)
    if (c < 0xc0) return this.text(c & 31)
    switch (c) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.bin(b[this.need(1)])
      case 0xc5:
        return this.bin(b.readUInt16BE(this.need(2)))
      case 0xc6:
        return this.bin(b.readUInt32BE(this.need(4)))
      case 0xca:
        return this.float(b.readFloatBE(this.need(4)))
      case 0xcb:
        return this.float(b.readDoubleBE(this.need(8)))
      case 0xcc:
        return b[this.need(1)]
      case 0xcd:
        return b.readUInt16BE(this.need(2))
      case 0xce:
        return b.readUInt32BE(this.need(4))
      case 0xcf:
        return this.big(b.readBigUInt64BE(this.need(8)))
      case 0xd0:
        return b.readInt8(this.need(1))
      case 0xd1:
        return b.readInt16BE(this.need(2))
      case 0xd2:
        return b.readInt32BE(this.need(4))
      case 0xd3:
        return this.big(b.readBigInt64BE(this.need(8)))
      case 0xd9:
        return this.text(b[this.need(1)])
      case 0xda:
        return this.text(b.readUInt16BE(this.need(2)))
      case 0xdb:
        return this.text(b.readUInt32BE(this.need(4)))
      case 0xdc:
        return this.array(b.readUInt16BE(this.need(2)), depth)
      case 0xdd:
        return this.array(b.readUInt32BE(this.need(4)), depth)
      case 0xde:
        return this.map(b.readUInt16BE(this.need(2)), depth)
      case 0xdf:
        return this.map(b.readUInt32BE(this.need(4)), depth)
      default:
        throw new Error('an extension type')
    }
  }
  float(value) {
    return this.keepFloats && Number.isInteger(value) && !Object.is(value, -0)
      ? new Float(value)
      : value
  }
  isFloat() {
    return this.b[this.at] === 0xcb
  }
}
Reader.prototype.keepFloats = false

export function unpack(bytes, { keepFloats = false } = {}) {
  const reader = new Reader(bytes)
  if (keepFloats) reader.keepFloats = true
  const value = reader.value(0)
  if (reader.at !== bytes.length) throw new Error('bytes behind the end')
  return value
}
export { Reader }
