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
 * round to round, up to their maximum. An address is good from a WELCOME on: a proxy that stands by has a handshake as
 * well, and lets nobody in. Addresses are compared by their text.
 */
export class DialPlan {
  #dice
  #addresses = []
  #tried = new Set()
  #notWelcomeAt = new Set()
  #silent = new Set()
  #current = ''
  #good = ''
  #round = 0
  #refusals = 0

  /** @param {() => number} dice Returns a random number from 0 up to 1, for the jitter of the pauses. */
  constructor(dice) {
    this.#dice = dice
  }

  /** Whether every address was tried since the last WELCOME, and none gave another: docs/spec/12-failover.md. */
  get isAlone() {
    return (
      this.#addresses.length > 0 && this.#addresses.every((each) => this.#notWelcomeAt.has(each))
    )
  }

  /**
   * Return the next attempt.
   * @param {object[]} addresses Every address of the proxy as far as it is known now, at least one.
   * @returns {{ address: object, connectMs: number, handshakeMs: number }} The limits of the connection and of
   *   the handshake that follows.
   */
  nextAttempt(addresses) {
    this.#addresses = addresses.map(String)
    keepOnly(this.#notWelcomeAt, this.#addresses)
    keepOnly(this.#silent, this.#addresses)
    let left = addresses.filter((each) => !this.#tried.has(String(each)))
    if (left.length === 0) {
      this.#tried.clear()
      left = addresses
    }
    const least = Math.min(...left.map((each) => this.#rank(String(each))))
    const address = left.find((each) => this.#rank(String(each)) === least)
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
    this.#refusals = 0
  }

  /** Record that the proxy at the current address let this client in. */
  onWelcomed() {
    this.#tried.clear()
    this.#notWelcomeAt.clear()
    this.#silent.clear()
    this.#good = this.#current
  }

  /**
   * Record that the current attempt failed; return the pause in milliseconds.
   * @param {{ isStranger?: boolean, isSilent?: boolean, isAgain?: boolean }} [seen] `isStranger`: another protocol or
   *   another socket type answered; `isSilent`: nothing came in all the time of the attempt; `isAgain`: the same
   *   address is tried once more in this round.
   */
  onFailed({ isStranger = false, isSilent = false, isAgain = false } = {}) {
    if (isAgain) {
      this.#tried.delete(this.#current)
      return 0
    }
    this.#onNotWelcome(isSilent)
    return this.#pauseAfterAttempt(isStranger ? STRANGER_PAUSE_MAX_MS : PAUSE_MAX_MS)
  }

  /**
   * Record that the proxy at the current address stands by; return the pause in milliseconds.
   * @param {boolean} hasNamedOthers Whether it named one that was not known.
   */
  onStandby(hasNamedOthers) {
    this.#onNotWelcome(false)
    return hasNamedOthers ? 0 : this.#pauseAfterAttempt(PAUSE_MAX_MS)
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

  /**
   * Record that an established connection ended; return the pause in milliseconds.
   * @param {number} lastedMs How long it lasted.
   * @param {boolean} [isSilent] It ended as nothing came any more: that counts as a try of the address.
   */
  onEnded(lastedMs, isSilent = false) {
    if (lastedMs >= STEADY_MS) this.#round = 0
    if (this.#tried.has(this.#current)) {
      this.#onNotWelcome(isSilent) // it gave no WELCOME
      return this.#pauseAfterAttempt(PAUSE_MAX_MS)
    }
    const pauseMs = this.#pauseMs(PAUSE_MAX_MS)
    if (isSilent) {
      // Its time was that of an attempt, so the next round begins behind it.
      this.#onNotWelcome(true)
      this.#tried.add(this.#current)
    }
    return pauseMs
  }

  /** The last one that was good comes first: most proxies come back where they were. A silent one comes last. */
  #rank(address) {
    return (this.#silent.has(address) ? 2 : 0) + (address === this.#good ? 0 : 1)
  }

  #onNotWelcome(isSilent) {
    this.#notWelcomeAt.add(this.#current)
    // It would hold up the others again for as long.
    if (isSilent) this.#silent.add(this.#current)
    else this.#silent.delete(this.#current)
  }

  #handshakeMs() {
    // One address alone leaves nothing else to try, so a slow far end gets all its time.
    if (this.#addresses.length === 1) return HANDSHAKE_MAX_MS
    return this.#doubled(HANDSHAKE_MS, HANDSHAKE_MAX_MS)
  }

  /** No pause within a round, and one at its end. */
  #pauseAfterAttempt(mostMs) {
    return this.#addresses.every((each) => this.#tried.has(each)) ? this.#pauseMs(mostMs) : 0
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

function keepOnly(set, wanted) {
  for (const each of set) if (!wanted.includes(each)) set.delete(each)
}
