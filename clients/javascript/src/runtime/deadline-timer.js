// One timer of the event loop for any number of deadlines.

/** The longest time of a setTimeout, 24 days; for more it fires at once. */
const LONGEST_MS = 2 ** 31 - 1

/** Return a time for setTimeout: for a longer one it would fire at once. */
export const atMostLongest = (ms) => Math.min(LONGEST_MS, ms)

/** Calls `expire` when the next deadline passes. Keeps the process alive while it is armed. */
export class DeadlineTimer {
  #nextAtMs
  #expire
  #now
  #timer = null

  /**
   * @param {() => number} nextAtMs Returns the next deadline on that clock; infinity
   *   for never.
   * @param {(nowMs: number) => void} expire Receives the time and ends everything that is due.
   * @param {() => number} [now] The clock.
   */
  constructor(nextAtMs, expire, now = () => performance.now()) {
    this.#nextAtMs = nextAtMs
    this.#expire = expire
    this.#now = now
    /** When the timer fires; infinity for never. */
    this.armedAtMs = Infinity
  }

  /** Make sure that the timer fires at `atMs` or before. */
  arm(atMs) {
    if (atMs >= this.armedAtMs) return
    clearTimeout(this.#timer)
    this.armedAtMs = atMs
    const waitMs = atMostLongest(Math.max(1, Math.ceil(atMs - this.#now())))
    this.#timer = setTimeout(() => this.#fire(), waitMs)
  }

  /** Stop the timer; nothing expires any more. */
  close() {
    clearTimeout(this.#timer)
    this.#timer = null
    this.armedAtMs = Infinity
  }

  #fire() {
    this.#timer = null
    this.armedAtMs = Infinity
    try {
      this.#expire(this.#now())
    } finally {
      const nextAtMs = this.#nextAtMs()
      if (nextAtMs !== Infinity) this.arm(nextAtMs)
    }
  }
}
