// Warnings of a worker, for the people who run it: at most one of a kind a second.
const EVERY_MS = 1000

/** Used without a logger of the Dendrite. */
const PROCESS = Object.freeze({
  warn: (text, error) =>
    process.emitWarning(text, { type: 'CosmonapseWarning', detail: error?.stack }),
})

export class Warnings {
  #logger
  #kinds = new Map()
  #clock

  /**
   * @param {{ warn: (text: string, error?: unknown) => void }} [logger]
   * @param {() => number} [clock] Returns milliseconds of a monotonic clock.
   */
  constructor(logger = PROCESS, clock = () => performance.now()) {
    this.#logger = logger
    this.#clock = clock
  }

  /**
   * Tell a warning; count the others of its kind within one second, for the next one to name.
   * @param {string} kind What warnings have in common, such as a code and a neuron id.
   * @param {string} text What happened, and what to do now.
   * @param {{ error?: unknown, everyMs?: number }} [options] `error`: with its stack and its
   *   causes.
   */
  warn(kind, text, { error, everyMs = EVERY_MS } = {}) {
    const nowMs = this.#clock()
    const last = this.#kinds.get(kind)
    if (last !== undefined && nowMs < last.untilMs) {
      last.passedOver++
      return
    }
    const more = last === undefined || last.passedOver === 0 ? '' : ` (and ${last.passedOver} more)`
    this.#kinds.set(kind, { untilMs: nowMs + everyMs, passedOver: 0 })
    if (error === undefined) this.#logger.warn(text + more)
    else this.#logger.warn(text + more, error)
  }
}
