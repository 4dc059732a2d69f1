// How late the event loop is. The monitor of perf_hooks is blind for one interval after each reset,
// and a block that begins in it goes unseen; this one looks ten times a second and misses none.
// It only measures, for the roster: what a block does depends on the carrier, which warns of it.
const EVERY_MS = 100

export class LoopLag {
  #clock
  #timer = null
  #lookedAtMs = 0
  #longestMs = 0

  /** @param {() => number} [clock] Returns milliseconds of a monotonic clock. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock
  }

  /** Begin to look; this keeps no process alive. */
  start() {
    this.stop()
    this.#lookedAtMs = this.#clock()
    this.#longestMs = 0
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref()
  }

  stop() {
    clearInterval(this.#timer)
  }

  /** The longest lag since `takeMs` was last called, in whole milliseconds. */
  get longestMs() {
    return Math.max(this.#longestMs, this.#lateMs())
  }

  /** Return the longest lag, and begin anew. */
  takeMs() {
    const { longestMs } = this
    this.#longestMs = 0
    this.#lookedAtMs = Math.max(this.#lookedAtMs, this.#clock() - EVERY_MS)
    return longestMs
  }

  #look() {
    this.#longestMs = this.longestMs
    this.#lookedAtMs = this.#clock()
  }

  #lateMs() {
    return Math.max(0, Math.trunc(this.#clock() - this.#lookedAtMs - EVERY_MS))
  }
}
