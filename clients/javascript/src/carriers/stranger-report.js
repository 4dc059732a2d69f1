// Find out what answers in place of a proxy, and warn once. Spec: docs/spec/06-sockets.md, Connecting 8.
import { peek } from './peek.js'

const AGAIN_MS = 10_000

/** The far ends of one socket that are none of ours. */
export class StrangerReport {
  #record
  #peerType
  #logger
  #onMechanism
  #nextMs = new Map() // by address, as what follows
  #warned = new Map()
  #isClosed = false

  /**
   * @param {import('./diagnosis.js').FailedAttempts} record Its `stranger` is set.
   * @param {string} peerType The type of the ZeroMQ socket that belongs there.
   * @param {{ warn: (text: string) => void }} logger Gets the warnings.
   * @param {(address: object, mechanism: string) => boolean} [onMechanism] Gets the security mechanism of what answers
   *   there; returns whether that says it all.
   */
  constructor(record, peerType, logger, onMechanism = () => false) {
    this.#record = record
    this.#peerType = peerType
    this.#logger = logger
    this.#onMechanism = onMechanism
  }

  /**
   * Report what answers at `address`.
   * @param {object} address Where.
   * @param {string} seen What was seen of it; when that is empty it is asked, at most every 10 s.
   */
  onStranger(address, seen) {
    if (seen) {
      this.#onFound(address, seen)
      return
    }
    const nowMs = performance.now()
    const where = String(address)
    if (nowMs < (this.#nextMs.get(where) ?? -Infinity)) return
    for (const [each, nextMs] of this.#nextMs) if (nextMs <= nowMs) this.#nextMs.delete(each)
    this.#nextMs.set(where, nowMs + AGAIN_MS)
    peek(address, this.#peerType, (found, mechanism) => {
      if (this.#isClosed || (mechanism !== '' && this.#onMechanism(address, mechanism))) return
      this.#onFound(address, found)
    })
  }

  /** Ask again at the next look: nobody was there meanwhile. */
  hurry() {
    this.#nextMs.clear()
  }

  /** Warn again if it comes again: the right far end was there meanwhile. */
  clear() {
    this.hurry()
    this.#warned.clear()
  }

  /** Warn of nothing any more. */
  close() {
    this.#isClosed = true
  }

  #onFound(address, found) {
    if (this.#isClosed || !found || this.#record.isEmpty) return
    this.#record.stranger = found
    if (found === this.#warned.get(String(address))) return
    this.#warned.set(String(address), found)
    this.#logger.warn(
      `${found} answers at ${address}, where a Synapse was expected; it is tried again until one does`,
    )
  }
}
