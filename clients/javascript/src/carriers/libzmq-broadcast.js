// Keep a broadcast socket of libzmq connected, also where it gives up. Spec: docs/spec/06-sockets.md, Connecting 6.
// libzmq reconnects by itself, and keeps what waits in the socket. It gives up for good when another kind of socket
// answers; then, and only then, the socket is disconnected and connected anew.
import { FailedAttempts, Fault, Diagnosis } from './diagnosis.js'
import { StrangerReport } from './stranger-report.js'
import { KeyJudge, Pauses, refusedMs } from '../access/refusals.js'
import {
  CONNECT_MS,
  HANDSHAKE_MS,
  connect,
  disconnect,
  onEvent,
  setProxy,
} from './libzmq-sockets.js'

/** libzmq reports the next attempt at once. Without that report for so long, it gave up. */
const RETRY_MS = 400
const LOOK_AFTER_MS = 1000
const NO_HANDSHAKE_MS = HANDSHAKE_MS + 1000
/** By event: when a handshake that failed for the keys is tried again, if the directed connection does not stand first. */
const REFUSALS = [
  ['auth', Pauses.UNLISTED],
  ['protocol', Pauses.OTHER_PROXY],
  ['other', Pauses.OTHER_PROXY],
]
const NO_ANSWER_MS = 0.9 * CONNECT_MS

/** The connection of one SUB or XPUB. */
export class LibzmqBroadcast {
  #socket
  #onLost
  #proxyOf
  #refusals = 0
  #record = new FailedAttempts()
  #strangers
  #timer
  #begunMs = 0
  #isConnected = false
  /** True while the handshake has succeeded. */
  isEstablished = false
  /** Where it is connected to, or null. */
  endpoint = null

  /**
   * @param {object} socket The socket, not connected yet.
   * @param {string} peerType The type of the socket at the far end.
   * @param {{ warn: (text: string) => void }} logger Gets the warnings about strangers.
   * @param {{ onLost?: () => void, keys?: object | null, proxyOf?: () => Buffer }} [options] `onLost`: a connection has
   *   ended; `keys`: those of this client, null for none; `proxyOf`: returns the public key of the proxy then.
   */
  constructor(socket, peerType, logger, { onLost = () => {}, keys = null, proxyOf } = {}) {
    this.#socket = socket
    this.#onLost = onLost
    this.#proxyOf = keys === null ? null : proxyOf
    const judge = new KeyJudge(keys)
    this.#strangers = new StrangerReport(
      this.#record,
      peerType,
      logger,
      (_, mechanism) => mechanism === 'CURVE' && judge.hasKey,
    )
    onEvent(socket, 'connect:delay', () => (this.#begunMs = performance.now()))
    onEvent(socket, 'connect', () => this.#onConnected())
    onEvent(socket, 'handshake', () => this.#onEstablished())
    for (const [why, pauses] of keys === null ? [] : REFUSALS) {
      onEvent(socket, `handshake:error:${why}`, () => this.#onRefused(pauses))
    }
    onEvent(socket, 'disconnect', () => this.#onDisconnected())
    onEvent(socket, 'connect:retry', () => this.#onRetried())
  }

  /** Connect to `endpoint` and to no other; false if that is so already. */
  connect(endpoint) {
    if (String(endpoint) === String(this.endpoint)) return false
    this.#disconnect()
    this.endpoint = endpoint
    this.#connect()
    return true
  }

  /**
   * Connect at once if there is no connection, and not after the pause of libzmq. Not with messages that wait to be
   * read: these would be lost.
   */
  hurry() {
    const isOnItsWay = this.isEstablished || this.#isConnected
    if (!isOnItsWay && !this.#socket.readable) this.#connectAnew()
  }

  diagnosis() {
    if (this.#isConnected || this.#record.isEmpty) {
      this.#record.add(this.endpoint, this.#isConnected ? Fault.STRANGER : Fault.NO_ANSWER)
    }
    return new Diagnosis(...this.#record.summary(), this.endpoint)
  }

  close() {
    clearTimeout(this.#timer)
    this.#strangers.close()
    this.#socket.close()
  }

  #connect() {
    this.#begunMs = performance.now()
    if (this.#proxyOf !== null) setProxy(this.#socket, this.#proxyOf())
    connect(this.#socket, this.endpoint)
  }

  #disconnect() {
    clearTimeout(this.#timer)
    this.isEstablished = this.#isConnected = false
    if (this.endpoint !== null) disconnect(this.#socket, this.endpoint)
  }

  #connectAnew() {
    this.#disconnect()
    this.#connect()
  }

  #onConnected() {
    this.#isConnected = true
    this.#arm(LOOK_AFTER_MS, () => {
      this.#onStranger()
      this.#arm(NO_HANDSHAKE_MS - LOOK_AFTER_MS, () => this.#connectAnew())
    })
  }

  #onEstablished() {
    clearTimeout(this.#timer)
    this.isEstablished = true
    this.#refusals = 0
    this.#record.clear()
    this.#strangers.clear()
  }

  /** libzmq gives up where a key is not listed, and knocks for ever where its own one does not fit. */
  #onRefused(pauses) {
    if (this.isEstablished || this.endpoint === null) return
    this.#record.add(this.endpoint, Fault.STRANGER, 'a Synapse that does not know this key')
    this.#disconnect()
    this.#refusals++
    this.#arm(refusedMs(pauses, this.#refusals, Math.random), () => this.#connect())
  }

  #onDisconnected() {
    if (!this.isEstablished) this.#onStranger()
    this.isEstablished = this.#isConnected = false
    this.#onLost()
    this.#arm(RETRY_MS * (1 + Math.random()), () => this.#connectAnew())
  }

  #onRetried() {
    clearTimeout(this.#timer)
    if (this.#record.hasStranger) return
    const tookMs = performance.now() - this.#begunMs
    this.#record.add(this.endpoint, tookMs >= NO_ANSWER_MS ? Fault.NO_ANSWER : Fault.CLOSED_PORT)
  }

  #onStranger() {
    this.#record.add(this.endpoint, Fault.STRANGER)
    this.#strangers.onStranger(this.endpoint, '')
  }

  #arm(afterMs, then) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, afterMs)
  }
}
