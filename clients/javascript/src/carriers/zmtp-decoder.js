// The bytes of a ZMTP 3 peer in, events out. Pure.
// Spec: docs/spec/10-zmtp.md, after ZMTP 3.1 (also 3.0), https://rfc.zeromq.org/spec/37.
import { COMMAND, LONG, MORE } from './zmtp-frames.js'

const GREETING_BYTES = 64
const MAX_COMMAND_BYTES = 64 * 1024
const MAX_FRAMES = 8
const SHOWN_BYTES = 24
const TTL_UNIT_MS = 100
const TWO_32 = 2 ** 32

/** What a far end did that ends its connection; the message names the far end, for people. */
export class ZmtpFault extends Error {}

const STRANGER = 'something that does not speak our protocol'

function shown(bytes) {
  return JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES))
}

/**
 * Reads one connection from its first byte.
 *
 * `sink` gets the events, in order: `onGreeting(minor, mechanism)`, `onReady(properties)` (a Map of
 * texts, names in lower case), `onMessage(frames)` (1 to 8 Buffers), `onSubscription(topic, joins)` (a
 * text, one character a byte), `onPing(ttlMs, context)`, `onPong()`. A sink that needs no more calls
 * `stop()`. The Buffers are parts of the bytes that came in.
 */
export class ZmtpDecoder {
  #sink
  #maxFrameBytes
  #readsSubscriptions
  #pieces = []
  #have = 0
  #need = 0
  #isGreeted = false
  #isReady = false
  #isStopped = false
  #frames = []
  #messageBytes = 0

  /**
   * @param {object} sink See above.
   * @param {{ maxFrameBytes: number, readsSubscriptions?: boolean }} options `maxFrameBytes`: of a frame, and
   *   of all frames of one message together; `readsSubscriptions`: as an XPUB does.
   */
  constructor(sink, { maxFrameBytes, readsSubscriptions = false }) {
    this.#sink = sink
    this.#maxFrameBytes = maxFrameBytes
    this.#readsSubscriptions = readsSubscriptions
  }

  /** True once the far end has sent a whole greeting. */
  get isGreeted() {
    return this.#isGreeted
  }

  /**
   * Who a far end is that came to no READY, for people: something that sends nothing. Empty for one that began to
   * speak ZMTP; what it is shows when it is asked step by step, see `peek`.
   */
  get description() {
    return this.#isGreeted || this.#have > 0 ? '' : `${STRANGER} (it sends nothing)`
  }

  /** Emit nothing more. */
  stop() {
    this.#isStopped = true
    this.#pieces = []
  }

  /**
   * Read the next bytes.
   * @throws {ZmtpFault} They break the protocol or a limit; the connection must end.
   */
  push(chunk) {
    let bytes = chunk
    if (this.#have > 0) {
      // A frame in many pieces is joined once: joining at every piece is quadratic.
      this.#pieces.push(chunk)
      this.#have += chunk.length
      if (this.#have < this.#need) return
      bytes = Buffer.concat(this.#pieces, this.#have)
      this.#pieces = []
      this.#have = 0
    }
    this.#readFrames(bytes, this.#isGreeted ? 0 : this.#readGreeting(bytes))
  }

  #keep(rest, need) {
    if (rest.length === 0) return
    this.#pieces.push(rest)
    this.#have = rest.length
    this.#need = need
  }

  /** Return the place behind the greeting; the end of `bytes` when it is not whole yet. */
  #readGreeting(bytes) {
    const isZmtp = bytes[0] === 0xff && (bytes.length < 10 || bytes[9] === 0x7f)
    if (bytes.length > 0 && !isZmtp) {
      throw new ZmtpFault(`${STRANGER} (it sent ${shown(bytes)})`)
    }
    if (bytes.length > 10 && bytes[10] < 3) {
      throw new ZmtpFault(`a ZeroMQ socket of before version 4 (ZMTP ${bytes[10]}, not 3)`)
    }
    if (bytes.length < GREETING_BYTES) {
      this.#keep(bytes, bytes.length + 1)
      return bytes.length
    }
    this.#isGreeted = true
    this.#sink.onGreeting(bytes[11], bytes.toString('latin1', 12, 32).replace(/\0+$/, ''))
    return GREETING_BYTES
  }

  #readFrames(bytes, begin) {
    const end = bytes.length
    let at = begin
    while (at + 2 <= end && !this.#isStopped) {
      const flags = bytes[at]
      let size = bytes[at + 1]
      let start = at + 2
      if (flags & LONG) {
        start = at + 9
        if (start > end) return this.#keep(bytes.subarray(at), 9)
        size = bytes.readUInt32BE(at + 1) * TWO_32 + bytes.readUInt32BE(at + 5)
      }
      this.#check(flags, size)
      if (start + size > end) return this.#keep(bytes.subarray(at), start + size - at)
      at = start + size
      this.#onFrame(flags, bytes.subarray(start, at))
    }
    if (at < end && !this.#isStopped) this.#keep(bytes.subarray(at), 2)
  }

  #check(flags, size) {
    const most =
      flags & COMMAND
        ? Math.min(MAX_COMMAND_BYTES, this.#maxFrameBytes)
        : this.#maxFrameBytes - this.#messageBytes
    if (size > most) throw new ZmtpFault(`a peer with a frame of ${size} bytes, over our limit`)
  }

  #onFrame(flags, body) {
    if (flags & COMMAND) {
      this.#onCommand(body)
    } else if (!this.#isReady) {
      throw new ZmtpFault('a ZeroMQ socket that sends a message before READY')
    } else if (flags & MORE) {
      if (this.#frames.push(body) >= MAX_FRAMES) {
        throw new ZmtpFault(`a peer with a message of more than ${MAX_FRAMES} frames`)
      }
      this.#messageBytes += body.length
    } else {
      const frames = this.#frames
      this.#frames = []
      this.#messageBytes = 0
      frames.push(body)
      this.#onMessage(frames)
    }
  }

  #onMessage(frames) {
    if (!this.#readsSubscriptions) {
      this.#sink.onMessage(frames)
      return
    }
    // ZMTP 3.0 sends subscriptions as messages; whatever else comes to an XPUB means nothing to us.
    const [body] = frames
    if (frames.length === 1 && body.length > 0 && body[0] <= 1) {
      this.#sink.onSubscription(body.latin1Slice(1), body[0] === 1)
    }
  }

  #onCommand(body) {
    const nameEnd = 1 + body[0]
    if (body.length === 0 || nameEnd > body.length) {
      throw new ZmtpFault('a ZeroMQ socket that sends a command without a name')
    }
    const name = body.latin1Slice(1, nameEnd)
    const rest = body.subarray(nameEnd)
    if (name === 'ERROR') {
      throw new ZmtpFault(`a ZeroMQ socket that refuses us, with ${shown(rest.subarray(1))}`)
    }
    if (!this.#isReady) {
      if (name !== 'READY') throw new ZmtpFault(`a ZeroMQ socket that sends ${name} before READY`)
      this.#isReady = true
      this.#sink.onReady(readProperties(rest))
    } else if (name === 'PING') {
      if (rest.length < 2) throw new ZmtpFault('a peer with a PING of less than 2 bytes')
      this.#sink.onPing(rest.readUInt16BE(0) * TTL_UNIT_MS, rest.subarray(2))
    } else if (name === 'PONG') {
      this.#sink.onPong()
    } else if (this.#readsSubscriptions && (name === 'SUBSCRIBE' || name === 'CANCEL')) {
      this.#sink.onSubscription(rest.latin1Slice(), name === 'SUBSCRIBE')
    } // a command that we do not know is ignored: RFC 37 leaves room for new ones
  }
}

function readProperties(bytes) {
  const properties = new Map()
  let at = 0
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes[at]
    const start = nameEnd + 4
    const end = start <= bytes.length ? start + bytes.readUInt32BE(nameEnd) : Infinity
    if (end > bytes.length) throw new ZmtpFault('a ZeroMQ socket with a READY that is cut off')
    properties.set(bytes.latin1Slice(at + 1, nameEnd).toLowerCase(), bytes.latin1Slice(start, end))
    at = end
  }
  return properties
}
