// Which address of a proxy to try next, for how long, and after which pause.
// Spec: docs/spec/06-sockets.md, Connecting. Pure: the dice are an argument, and so is every length of time.
import { refusedMs } from '../access/refusals.js'

const CONNECT_MS = 750
const CONNECT_MAX_MS = 1200
const HANDSHAKE_MS = 750
const HANDSHAKE_MAX_MS = 3000
const PAUSE_MS = 20
const PAUSE_MAX_MS = 200
const STRANGER_PAUSE_MAX_MS = 800
const STEADY_MS = 1000
const MAX_DOUBLINGS = 10

/**
 * The order, the limits and the pauses of the attempts of one client.
 *
 * A round tries every address once, without a pause in between. The limits and the pause double from
 * round to round, up to their maximum. Addresses are compared by their text.
 */
export class DialPlan {
  #dice
  #addresses = []
  #tried = new Set()
  #current = ''
  #good = ''
  #round = 0
  #refusals = 0

  /** @param {() => number} dice Returns a random number from 0 up to 1, for the jitter of the pauses. */
  constructor(dice) {
    this.#dice = dice
  }

  /**
   * Return the next attempt.
   * @param {object[]} addresses Every address of the proxy as far as it is known now, at least one.
   * @returns {{ address: object, connectMs: number, handshakeMs: number }} The limits of the connection and of
   *   the handshake that follows.
   */
  nextAttempt(addresses) {
    this.#addresses = addresses.map(String)
    let left = addresses.filter((each) => !this.#tried.has(String(each)))
    if (left.length === 0) {
      this.#tried.clear()
      left = addresses
    }
    // The last address that was good comes first: most proxies come back where they were.
    const good = this.#tried.size === 0 && left.find((each) => String(each) === this.#good)
    const address = good || left[0]
    this.#current = String(address)
    this.#tried.add(this.#current)
    return {
      address,
      connectMs: this.#doubled(CONNECT_MS, CONNECT_MAX_MS),
      handshakeMs: this.#handshakeMs(),
    }
  }

  /** Record that the handshake of the current attempt succeeded. */
  onEstablished() {
    this.#tried.clear()
    this.#good = this.#current
    this.#refusals = 0
  }

  /**
   * Record that the current attempt failed; return the pause in milliseconds.
   * @param {boolean} isStranger True if another protocol or another socket type answered.
   */
  onFailed(isStranger) {
    if (this.#addresses.some((each) => !this.#tried.has(each))) return 0
    return this.#pauseMs(isStranger ? STRANGER_PAUSE_MAX_MS : PAUSE_MAX_MS)
  }

  /**
   * Record that the far end refused this client; return the pause in milliseconds. It follows `onFailed`, once every
   * address was tried.
   * @param {readonly [number, number]} pauses One of `Pauses`.
   */
  onRefused(pauses) {
    this.#refusals++
    return refusedMs(pauses, this.#refusals, this.#dice)
  }

  /** Record that an established connection ended after `lastedMs`; return the pause in milliseconds. */
  onEnded(lastedMs) {
    if (lastedMs >= STEADY_MS) this.#round = 0
    return this.#pauseMs(PAUSE_MAX_MS)
  }

  #handshakeMs() {
    // One address alone leaves nothing else to try, so a slow far end gets all its time.
    if (this.#addresses.length === 1) return HANDSHAKE_MAX_MS
    return this.#doubled(HANDSHAKE_MS, HANDSHAKE_MAX_MS)
  }

  #pauseMs(mostMs) {
    const lengthMs = this.#doubled(PAUSE_MS, mostMs)
    this.#tried.clear()
    this.#round = Math.min(this.#round + 1, MAX_DOUBLINGS)
    return lengthMs * (0.5 + this.#dice())
  }

  #doubled(firstMs, mostMs) {
    return Math.min(firstMs * 2 ** this.#round, mostMs)
  }
}
