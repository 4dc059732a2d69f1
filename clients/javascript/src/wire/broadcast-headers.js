// Headers and batches of broadcast messages: docs/spec/01-wire.md and 05-broadcast.md, "Batches". Pure.
//
//   header   publisher 16, sequence u64, caller 16, worker 16; of a batch: `size u32` for each body
import { MAX_ITEMS, ZERO, writeU32 } from './heads.js'

export const HEADER_BYTES = 56
/** Limit of the bodies of a batch, in bytes: the queue of a listener counts messages. */
export const MAX_BATCH_BYTES = 64 * 1024
const SIZE_BYTES = 4

/**
 * Make the header of a broadcast message.
 * @param {Uint8Array} publisher 16 bytes
 * @param {number | bigint} sequence from 0 to 2^64-1
 * @param {Uint8Array} [caller] 16 bytes
 * @param {Uint8Array} [worker] 16 bytes
 * @returns {Buffer} 56 bytes
 */
export function packHeader(publisher, sequence, caller = ZERO, worker = ZERO) {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  // By hand: a set for each id and a BigInt for each message take twice as long.
  for (let i = 0; i < 16; i++) {
    header[i] = publisher[i]
    header[24 + i] = caller[i]
    header[40 + i] = worker[i]
  }
  if (typeof sequence === 'number') {
    writeU32(header, 16, Math.floor(sequence / 0x1_0000_0000))
    writeU32(header, 20, sequence >>> 0)
  } else header.writeBigUInt64BE(sequence, 16)
  return header
}

/**
 * Read a broadcast message: one, or a batch of 2 to 64. Message k has the number `first + k`.
 * @param {Buffer} header
 * @param {Buffer} body
 * @returns {{ publisher: Buffer, first: bigint, caller: Buffer, worker: Buffer, bodies: Buffer[] }
 *   | string} or the reason why it is dropped: `bad_header`, `body_length`
 */
export function parseBroadcast(header, body) {
  const extra = header.length - HEADER_BYTES
  const count = extra / SIZE_BYTES
  if (extra !== 0 && !(Number.isInteger(count) && count >= 2 && count <= MAX_ITEMS))
    return 'bad_header'
  const bodies = extra === 0 ? [body] : cutBodies(header, body)
  if (bodies === null) return 'body_length'
  return {
    publisher: header.subarray(0, 16),
    first: header.readBigUInt64BE(16),
    caller: header.subarray(24, 40),
    worker: header.subarray(40, HEADER_BYTES),
    bodies,
  }
}

function cutBodies(header, body) {
  const bodies = []
  let start = 0
  for (let at = HEADER_BYTES; at < header.length; at += SIZE_BYTES) {
    const size = header.readUInt32BE(at)
    bodies.push(body.subarray(start, start + size))
    start += size
  }
  return start === body.length ? bodies : null
}

/** The messages that a client publishes in one turn of its loop, neighbours put together. */
export class Batcher {
  #batches = []
  #last = null

  /** Tell whether nothing is gathered. */
  get isEmpty() {
    return this.#last === null
  }

  /**
   * Append a message. It joins the one before it if topic, publisher, caller and worker are the
   * same, its number is the next, and the limits of a batch allow it; so nothing changes its place.
   * @param {string} topic
   * @param {Buffer} header 56 bytes, see packHeader
   * @param {Buffer} body
   */
  add(topic, header, body) {
    const last = this.#last
    if (last !== null && continues(last, topic, header, body.length)) {
      last.bodies.push(body)
      last.bytes += body.length
      last.next += 1n
      return
    }
    const next = header.readBigUInt64BE(16) + 1n
    this.#last = { topic, header, bodies: [body], bytes: body.length, next }
    this.#batches.push(this.#last)
  }

  /**
   * Remove and return every message, in order.
   * @returns {[string, Buffer, Buffer][]} topic, header and body of each
   */
  take() {
    const batches = this.#batches
    this.#batches = []
    this.#last = null
    return batches.map(asMessage)
  }
}

function continues(batch, topic, header, size) {
  return (
    batch.topic === topic &&
    batch.bodies.length < MAX_ITEMS &&
    batch.bytes + size <= MAX_BATCH_BYTES &&
    batch.next === header.readBigUInt64BE(16) &&
    isSame(batch.header, header, 0, 16) &&
    isSame(batch.header, header, 24, HEADER_BYTES)
  )
}

function isSame(one, other, start, end) {
  for (let i = start; i < end; i++) if (one[i] !== other[i]) return false
  return true
}

function asMessage({ topic, header, bodies }) {
  if (bodies.length === 1) return [topic, header, bodies[0]]
  const long = Buffer.allocUnsafe(HEADER_BYTES + SIZE_BYTES * bodies.length)
  header.copy(long)
  bodies.forEach((body, i) => long.writeUInt32BE(body.length, HEADER_BYTES + SIZE_BYTES * i))
  return [topic, long, Buffer.concat(bodies)]
}
