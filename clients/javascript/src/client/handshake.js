// The start and the end of one client: it waits for WELCOME and for GOODBYE, and says HELLO again in
// between. Spec: docs/spec/02-session.md. The link decides when a HELLO is due; this has the timer.
import { Deferred } from '../runtime/waits.js'

// 02, Greeting 4: a client that waits for WELCOME repeats HELLO once a second.
const HELLO_INTERVAL_MS = 1000

/** The waits of one client. Its timer does not keep the process alive. */
export class Handshake {
  #welcomed = new Deferred()
  #left = new Deferred()
  #awaySinceMs = null
  #timer

  /** @param {() => void} onTick is called once a second until `close` */
  constructor(onTick) {
    this.#timer = setInterval(onTick, HELLO_INTERVAL_MS)
    this.#timer.unref()
  }

  /** For how long the proxy has been away since the last WELCOME, in ms; null while it is there. */
  get awayMs() {
    return this.#awaySinceMs === null ? null : performance.now() - this.#awaySinceMs
  }

  /** Wait for the first WELCOME. @returns {Promise<void>} */
  untilWelcomed() {
    return this.#welcomed.promise
  }

  /** Wait until it has left. @returns {Promise<boolean>} true if the proxy has read everything */
  untilLeft() {
    return this.#left.promise
  }

  /** Record a WELCOME. @returns {boolean} whether it is the first one */
  onWelcomed() {
    this.#awaySinceMs = null
    if (this.#welcomed.isSettled) return false
    this.#welcomed.resolve(undefined)
    return true
  }

  /** Record a REFUSED. @param {Error} error @returns {boolean} whether it ends the opening of the client */
  onRefused(error) {
    if (this.#welcomed.isSettled) return false
    this.#welcomed.reject(error)
    return true
  }

  /** Record that the proxy is out of reach. */
  onAway() {
    this.#awaySinceMs ??= performance.now()
  }

  /** Record the end of the leaving. @param {boolean} isRead whether the proxy has read everything */
  onLeft(isRead) {
    this.#left.resolve(isRead)
  }

  /** End the timer and every wait. @param {Error} error for one who still waits for WELCOME */
  close(error) {
    clearInterval(this.#timer)
    this.#welcomed.reject(error)
    this.#left.resolve(false)
  }
}
