// The line of a `Dialer` over a DEALER of libzmq. Spec: docs/spec/06-sockets.md, Connecting.
import { Fault } from './diagnosis.js'
import { Dialer } from './dialer.js'
import { ExpectedKeys } from '../access/expected-keys.js'
import { connect, dealer, disconnect, onEvent, receiveAll, setProxy } from './libzmq-sockets.js'

const GRACE_MS = 500
const NEARLY = 0.9

/**
 * A DEALER that is kept connected to one endpoint until `close`.
 *
 * `events` gets `onMessage(frames)`, `onWritable()` after a refused `send`, and `onEnded(why)`.
 */
export class LibzmqDealer {
  #socket
  #events
  #dialer
  #expected // the public key of the proxy; null without keys
  #attempt = null
  #isConnected = false
  #sinceMs = 0
  #limit
  #isWaitedFor = false
  #isPending = false
  #refused = [] // accepted and not sent: libzmq says so only later

  /**
   * @param {object} library What `loadLibrary` returned.
   * @param {object} endpoint Where the far end is, or one of several.
   * @param {object} events See above.
   * @param {{ warn: (text: string) => void }} logger Gets the warnings about strangers.
   * @param {object | null} [keys] Those of this client; see `curveOf`.
   */
  constructor(library, endpoint, events, logger, keys = null) {
    this.#events = events
    this.#expected = keys === null ? null : new ExpectedKeys(keys.proxies)
    this.#socket = dealer(library, keys)
    this.#watch()
    void receiveAll(this.#socket, (frames) => events.onMessage(frames))
    this.#dialer = new Dialer(endpoint, this, {
      peerType: 'ROUTER',
      logger,
      onEnded: (why) => events.onEnded(why),
      onRefused: (refusal) => events.onRefused(refusal),
      keys,
    })
    this.#dialer.start()
  }

  get isEstablished() {
    return this.#dialer.isEstablished
  }

  get address() {
    return this.#dialer.address
  }

  /** The public key that is expected of the proxy, and the one that it had last; null without keys. */
  get proxy() {
    return this.#expected?.key ?? null
  }

  /** Nothing: libzmq does not tell what answers instead of a proxy. It is asked by `peek`. */
  get description() {
    return ''
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

  diagnosis() {
    return this.#dialer.diagnosis()
  }

  /**
   * Send a message whole or not at all. The Buffers must not change any more.
   *
   * The promise of `send` comes too late for an answer, so whether there is room is asked before. The one message
   * for which there is none waits in the library; when it left, there is room again.
   *
   * @returns {boolean} False: no room, or no connection; an `onWritable` follows.
   */
  send(head, body) {
    // A first message may come before the report of its connection: to be writable is enough then.
    const isWritable = !this.#socket.closed && this.#socket.writable
    const mustWait = this.#isPending || this.#refused.length > 0
    if (mustWait || !(isWritable || this.isEstablished)) {
      this.#isWaitedFor = true
      return false
    }
    if (isWritable) {
      this.#socket.send([head, body]).catch(() => this.#onRefused(head, body))
    } else {
      this.#sendWhenWritable(head, body)
    }
    return true
  }

  close() {
    this.#dialer.close()
    this.#refused = []
    this.#socket.close()
  }

  // ---- what the dialer wants

  dial(attempt) {
    this.#attempt = attempt
    this.#isConnected = false
    this.#sinceMs = performance.now()
    if (this.#expected !== null) {
      this.#expected.turnTo(attempt.address)
      setProxy(this.#socket, this.proxy)
    }
    this.#socket.connectTimeout = Math.round(attempt.connectMs)
    this.#socket.handshakeInterval = Math.round(attempt.handshakeMs)
    connect(this.#socket, attempt.address)
    // Some far ends that do not speak ZMTP cause no event at all.
    const limitMs = attempt.connectMs + attempt.handshakeMs + GRACE_MS
    this.#limit = setTimeout(() => this.#onDown('no answer'), limitMs)
  }

  /** A handshake failed without a reason: the proxy may have another of its public keys. The good one stays. */
  expectNext() {
    return this.#expected?.expectNext() ?? false
  }

  hangUp() {
    clearTimeout(this.#limit)
    // libzmq makes no second connection to an endpoint that it still holds, even a dead one.
    if (this.#attempt !== null) disconnect(this.#socket, this.#attempt.address)
    this.#attempt = null
  }

  // ---- what libzmq says

  #watch() {
    const on = (name, then) =>
      onEvent(this.#socket, name, ({ address }) => {
        // The report of an attempt that was given up may come after the next one has begun.
        const isOurs = this.#attempt !== null && String(this.#attempt.address) === address
        if (isOurs) then()
      })
    on('connect', () => {
      this.#isConnected = true
      this.#dialer.onConnected()
    })
    on('handshake', () => this.#onEstablished())
    on('handshake:error:auth', () => {
      // Nothing comes over this connection any more: libzmq gives it up for good.
      this.hangUp()
      this.#dialer.onUnknownKey()
    })
    on('disconnect', () => this.#onDown('the far end closed the connection'))
    on('connect:retry', () => this.#onDown('the connection was lost'))
  }

  #onEstablished() {
    clearTimeout(this.#limit)
    this.#expected?.onGood()
    this.#dialer.onEstablished()
    this.#onRoom()
  }

  #onDown(why) {
    const fault = this.#fault()
    this.hangUp()
    this.#dialer.onDown(fault, '', why)
  }

  #fault() {
    if (this.#isConnected) return Fault.STRANGER
    const tookMs = performance.now() - this.#sinceMs
    const isSlow = tookMs >= NEARLY * (this.#attempt?.connectMs ?? Infinity)
    return isSlow ? Fault.NO_ANSWER : Fault.CLOSED_PORT
  }

  // ---- messages that have to wait

  #sendWhenWritable(head, body) {
    this.#isPending = true
    this.#socket.sendTimeout = -1 // the library waits for room, for one message at a time
    const sent = this.#socket.send([head, body])
    this.#socket.sendTimeout = 0
    sent.then(
      () => {
        this.#isPending = false
        this.#onRoom()
      },
      () => {
        this.#isPending = false
        this.#onRefused(head, body)
      },
    )
  }

  /** A message that was accepted did not leave, as its connection ended: it goes out before all others. */
  #onRefused(head, body) {
    if (this.#socket.closed) return
    this.#refused.push([head, body])
    this.#onRoom()
  }

  #onRoom() {
    if (this.#isPending || !this.isEstablished) return
    if (this.#refused.length > 0) {
      this.#sendWhenWritable(...this.#refused.shift())
    } else if (this.#isWaitedFor) {
      this.#isWaitedFor = false
      this.#events.onWritable()
    }
  }
}
