// One ZMTP connection over node:net, from the attempt to its end. It is not made again: see dialer.js.
// Spec: docs/spec/06-sockets.md. The bytes are read by zmtp-decoder.js and written by zmtp-frames.js.
import { connect } from 'node:net'
import { Fault } from './diagnosis.js'
import { Liveness, TICK_MS } from './liveness.js'
import { Outgoing } from './outgoing.js'
import { ZmtpDecoder, ZmtpFault } from './zmtp-decoder.js'
import { GREETING, PING, PROBE, pong, ready } from './zmtp-frames.js'

/** A far end of ZMTP 3.0 may not know PING: its system tells whether it is there. */
const KEEPALIVE_MS = 5000
const MAX_CONTEXT_BYTES = 16
const MAX_WAITING_PONGS = 64
/** Messages and bytes that may wait for the far end; one message of any size is let through. */
export const MAX_WAITING_MESSAGES = 10_000
export const MAX_WAITING_BYTES = 32 * 2 ** 20
/** How the system ends a connection whose far end does not answer. */
const SILENT_CODES = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])
/** The system answers so at once when no process listens there. */
const CLOSED_PORT_CODES = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'])

/**
 * One connection of a socket of one type.
 *
 * `events` gets, never from within a call: `onConnected()`, `onEstablished(minor)`, `onMessage(frames)`,
 * `onSubscription(topic, joins)`, `onWritable()` after a refused `send`, `onLate(lateMs)` when the loop was
 * blocked and the far end is one that waits for PONGs, and at last, once and unless `destroy` was called,
 * `onDown(fault, seen, why)`: one of `Fault`, who is there instead of a proxy as far as that is known, and the reason
 * for people.
 */
export class ZmtpConnection {
  #kind
  #events
  #socket
  #decoder
  #outgoing = new Outgoing()
  #written = [] // messages and bytes of each write that the system has not taken yet
  #writtenMessages = 0
  #writtenBytes = 0
  #waitingPongs = 0
  #onPongTaken = () => this.#waitingPongs--
  #isWaitedFor = false
  #isTcp = false
  #isConnected = false
  #isKeyed = false
  #isOver = false
  #limit
  #ticker
  #liveness = null
  #isPinged = false
  #minor = 0
  #end = { fault: Fault.CLOSED_PORT, seen: '', why: '' }
  #onTaken = () => this.#onWritten()
  /** True once the handshake has succeeded, until the end. */
  isReady = false

  /**
   * @param {{ socketType: string, peerTypes: string[], maxFrameBytes: number, isProbing?: boolean }} kind
   *   `peerTypes`: the types of the sockets that belong at the far end; `isProbing`: begin with an empty message.
   * @param {object} events See above.
   */
  constructor(kind, events) {
    this.#kind = kind
    this.#events = events
    this.#decoder = new ZmtpDecoder(this, {
      maxFrameBytes: kind.maxFrameBytes,
      readsSubscriptions: kind.socketType === 'XPUB',
    })
  }

  /**
   * Begin the attempt.
   * @param {{ address: object, connectMs: number, handshakeMs: number }} attempt Where, and its limits.
   */
  open({ address, connectMs, handshakeMs }) {
    const socket = (this.#socket = connect({ ...address.netOptions, noDelay: true }))
    this.#isTcp = address.path === undefined
    socket.setKeepAlive(true, KEEPALIVE_MS)
    this.#limit = setTimeout(() => this.#fail(Fault.NO_ANSWER, '', 'no answer'), connectMs)
    socket.on('connect', () => this.#onConnect(handshakeMs))
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => this.#onError(error))
    socket.on('close', () => this.#onClose())
  }

  /** What this connection has seen of a far end that came to no READY, for people. */
  get description() {
    return this.#decoder.description
  }

  /**
   * Send a message of two frames, or of three, whole or not at all. It leaves with the next `flush`.
   * The frames must not change any more.
   * @returns {boolean} False without a connection or without room; an `onWritable` follows when there is.
   */
  send(first, second, third) {
    const messages = this.#writtenMessages + this.#outgoing.messages
    const waiting = this.#writtenBytes + this.#outgoing.bytes
    const size = first.length + second.length + (third === undefined ? 0 : third.length)
    const isFull =
      messages >= MAX_WAITING_MESSAGES || (waiting > 0 && waiting + size > MAX_WAITING_BYTES)
    if (!this.isReady || isFull) {
      this.#isWaitedFor = true
      return false
    }
    this.#outgoing.appendMessage(first, second, third)
    return true
  }

  /** Send a whole frame past every bound, with the next `flush`. */
  sendBytes(bytes) {
    if (this.isReady) this.#outgoing.appendBytes(bytes)
  }

  /** Write everything that was sent since the last flush. */
  flush() {
    const { messages, bytes } = this.#outgoing
    if (bytes === 0) return
    const pieces = this.#outgoing.take()
    this.#written.push(messages, bytes)
    this.#writtenMessages += messages
    this.#writtenBytes += bytes
    const last = pieces.length - 1
    if (last > 0) this.#socket.cork()
    for (let i = 0; i < last; i++) this.#socket.write(pieces[i])
    this.#socket.write(pieces[last], this.#onTaken)
    if (last > 0) this.#socket.uncork()
  }

  /** End it now, without an event. What was not written yet is gone. */
  destroy() {
    this.#isOver = true
    this.#isPinged = false
    this.#stop()
  }

  // ---- what the decoder says

  onGreeting(minor, mechanism) {
    if (mechanism !== 'NULL') {
      this.#isKeyed = mechanism === 'CURVE'
      throw new ZmtpFault(`a ZeroMQ socket with the security mechanism ${printable(mechanism)}`)
    }
    this.#minor = minor
    this.#socket.write(ready(this.#kind.socketType))
  }

  onReady(properties) {
    const type = properties.get('socket-type') ?? ''
    if (!this.#kind.peerTypes.includes(type)) {
      throw new ZmtpFault(`a ZeroMQ socket of type ${printable(type)}`)
    }
    clearTimeout(this.#limit)
    this.isReady = true
    this.#isWaitedFor = false
    if (this.#kind.isProbing) this.#socket.write(PROBE)
    this.#liveness = new Liveness(performance.now())
    this.#ticker = setInterval(() => this.#onTick(), TICK_MS)
    this.#call('onEstablished', this.#minor)
  }

  onMessage(frames) {
    try {
      this.#events.onMessage(frames)
    } catch (error) {
      throwLater(error)
    }
  }

  onSubscription(topic, joins) {
    this.#call('onSubscription', topic, joins)
  }

  onPing(ttlMs, context) {
    this.#isPinged = true
    this.#liveness.limit(ttlMs)
    // A far end that sends more and reads none of them would fill our memory.
    if (this.#waitingPongs >= MAX_WAITING_PONGS) return
    this.#waitingPongs++
    this.#socket.write(pong(context.subarray(0, MAX_CONTEXT_BYTES)), this.#onPongTaken)
  }

  onPong() {}

  // ---- what the socket says

  #onConnect(handshakeMs) {
    this.#isConnected = true
    clearTimeout(this.#limit)
    this.#limit = setTimeout(() => this.#fail(Fault.STRANGER, this.description), handshakeMs)
    this.#socket.write(GREETING)
    this.#call('onConnected')
  }

  #onData(chunk) {
    this.#liveness?.heard(performance.now())
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ZmtpFault)) throw error
      this.#fail(this.#isKeyed ? Fault.KEYED : Fault.STRANGER, error.message)
    }
  }

  #onError(error) {
    if (this.isReady && SILENT_CODES.has(error.code)) this.#end.fault = Fault.NO_ANSWER
    if (this.isReady || this.#isConnected) this.#end.why ||= error.code ?? error.message
    else if (!CLOSED_PORT_CODES.has(error.code)) this.#end.fault = Fault.NO_ANSWER
  }

  #onClose() {
    const isTold = this.#end.fault === Fault.STRANGER || this.#end.fault === Fault.KEYED
    if (this.#isConnected && !this.isReady && !isTold) {
      // What it sent may be lost with a reset, so who it is shows when it is asked again, see `peek`.
      this.#end.fault = Fault.STRANGER
    }
    this.#stop()
    if (this.#isOver) return
    this.#isOver = true
    const { fault, seen, why } = this.#end
    this.#events.onDown(fault, seen, why || seen || 'the far end closed the connection')
  }

  #onWritten() {
    const written = this.#written
    this.#writtenMessages -= written[0]
    this.#writtenBytes -= written[1]
    written.splice(0, 2)
    // Half of it must be free again, or a sender that waits would be called for every message.
    const hasRoom =
      this.#writtenMessages <= MAX_WAITING_MESSAGES / 2 &&
      this.#writtenBytes <= MAX_WAITING_BYTES / 2
    if (this.#isWaitedFor && hasRoom && this.isReady) {
      this.#isWaitedFor = false
      this.#events.onWritable()
    }
  }

  #onTick() {
    const nowMs = performance.now()
    const verdict = this.#liveness.tick(nowMs)
    const { lateMs } = this.#liveness
    if (lateMs > 0) setImmediate(() => this.#tellLate(lateMs)) // when its PINGs are read
    // A peer of ZMTP 3.0 may not know PING; TCP finds out whether it is gone.
    if (this.#minor === 0 || this.#isOver) return
    if (verdict === 'DEAD') {
      const silentS = (this.#liveness.silentMs(nowMs) / 1000).toFixed(1)
      this.#fail(Fault.NO_ANSWER, '', `no sign of life for ${silentS} s`)
    } else if (verdict === 'ASK') this.#socket.write(PING)
  }

  #tellLate(lateMs) {
    if (this.#isPinged) this.#call('onLate', lateMs)
  }

  #fail(fault, seen, why = '') {
    if (this.#end.why === '') this.#end = { fault, seen, why: why || seen }
    this.#decoder.stop()
    // 12, What remains open: the system sends nothing more of what waits there, as it goes over the next connection.
    if (this.isReady && this.#isTcp) this.#socket.resetAndDestroy()
    else this.#socket.destroy() // its event 'close' follows
  }

  #stop() {
    this.isReady = false
    clearTimeout(this.#limit)
    clearInterval(this.#ticker)
    this.#decoder.stop()
    this.#socket?.destroy()
  }

  #call(name, ...values) {
    try {
      this.#events[name](...values)
    } catch (error) {
      throwLater(error)
    }
  }
}

/** Throw where it cuts no message in two: the bytes behind it are still to be read. */
function throwLater(error) {
  process.nextTick(() => {
    throw error
  })
}

function printable(text) {
  return /^[\x20-\x7e]{1,24}$/.test(text) ? text : JSON.stringify(text.slice(0, 24))
}
