// The line of a `Dialer` over our own ZMTP: a new `ZmtpConnection` for each attempt.
import { Dialer } from './dialer.js'
import { ZmtpConnection } from './zmtp-connection.js'

/** Largest frame that comes in: a limit on Signals binds those who send, see P29 in docs/spec/08-port.md. */
export const MAX_FRAME_BYTES = 2 ** 31 - 2 ** 16
/** Only subscriptions come to an XPUB: a topic of 512 bytes, and what ZMTP and CURVE add to it. */
export const MAX_SUBSCRIPTION_BYTES = 576

const KINDS = {
  DEALER: {
    socketType: 'DEALER',
    peerTypes: ['ROUTER'],
    maxFrameBytes: MAX_FRAME_BYTES,
    isProbing: true,
  },
  SUB: { socketType: 'SUB', peerTypes: ['XPUB'], maxFrameBytes: MAX_FRAME_BYTES },
  XPUB: { socketType: 'XPUB', peerTypes: ['XSUB'], maxFrameBytes: MAX_SUBSCRIPTION_BYTES },
}

/**
 * A socket of one type that is kept connected to one endpoint until `close`.
 *
 * `events` gets those of a `ZmtpConnection`, but `onEnded(why)` for the end of a connection that stood; each may
 * be missing but `onMessage` and `onWritable`.
 */
export class ZmtpLine {
  #kind
  #events
  #dialer
  #connection = null
  #isWaitedFor = false

  /**
   * @param {'DEALER' | 'SUB' | 'XPUB'} socketType The type.
   * @param {object} endpoint Where the far end is; of a DEALER it may be one of several.
   * @param {object} events See above.
   * @param {{ warn: (text: string) => void }} logger Gets the warnings about strangers.
   */
  constructor(socketType, endpoint, events, logger) {
    this.#kind = KINDS[socketType]
    this.#events = events
    this.endpoint = endpoint
    this.#dialer = new Dialer(endpoint, this, {
      peerType: this.#kind.peerTypes[0],
      logger,
      isSteady: socketType !== 'DEALER',
      onEnded: (why) => events.onEnded?.(why),
      onRefused: (refusal) => events.onRefused?.(refusal),
    })
    this.#dialer.start()
  }

  get isEstablished() {
    return this.#dialer.isEstablished
  }

  get address() {
    return this.#dialer.address
  }

  get hasMetStandby() {
    return this.#dialer.hasMetStandby
  }

  get isAlone() {
    return this.#dialer.isAlone
  }

  onWelcomed() {
    this.#dialer.onWelcomed()
  }

  passOver(fabric) {
    this.#dialer.passOver(fabric)
  }

  get description() {
    return this.#connection?.description ?? ''
  }

  diagnosis() {
    return this.#dialer.diagnosis()
  }

  hurry() {
    this.#dialer.hurry()
  }

  /** See `ZmtpConnection`; an `onWritable` follows a refusal, after the next connection at the latest. */
  send(first, second, third) {
    const isSent = this.#connection?.send(first, second, third) ?? false
    if (!isSent) this.#isWaitedFor = true
    return isSent
  }

  /** Send a whole frame, if there is a connection. */
  sendBytes(bytes) {
    this.#connection?.sendBytes(bytes)
  }

  flush() {
    this.#connection?.flush()
  }

  close() {
    this.#dialer.close()
  }

  // ---- what the dialer wants

  dial(attempt) {
    this.#connection = new ZmtpConnection(this.#kind, this)
    this.#connection.open(attempt)
  }

  hangUp() {
    this.#connection?.destroy()
    this.#connection = null
  }

  // ---- what the connection says

  onConnected() {
    this.#dialer.onConnected()
  }

  onEstablished(minor) {
    this.#dialer.onEstablished()
    this.#events.onEstablished?.(minor)
    if (this.#isWaitedFor) this.onWritable()
  }

  onMessage(frames) {
    this.#events.onMessage(frames)
  }

  onSubscription(topic, joins) {
    this.#events.onSubscription?.(topic, joins)
  }

  onWritable() {
    this.#isWaitedFor = false
    this.#events.onWritable?.()
  }

  onLate(lateMs) {
    this.#events.onLate?.(lateMs)
  }

  onDown(fault, seen, why) {
    this.#connection = null
    this.#dialer.onDown(fault, seen, why)
  }
}
