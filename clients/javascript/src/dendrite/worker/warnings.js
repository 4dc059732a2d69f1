// Warnings of a worker, for the people who run it: process.emitWarning, at most one of a kind a second.
const EVERY_MS = 1000

export class Warnings {
  #kinds = new Map()
  #clock

  /** @param {() => number} [clock] Returns milliseconds of a monotonic clock. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock
  }

  /**
   * Print a warning; count the others of its kind within one second, for the next one to name.
   * @param {string} kind What warnings have in common, such as a code and a neuron id.
   * @param {string} text What happened, and what to do now.
   * @param {{ detail?: string, everyMs?: number }} [options] `detail`: further lines, such as a stack.
   */
  warn(kind, text, { detail, everyMs = EVERY_MS } = {}) {
    const nowMs = this.#clock()
    const last = this.#kinds.get(kind)
    if (last !== undefined && nowMs < last.untilMs) {
      last.passedOver++
      return
    }
    const more = last === undefined || last.passedOver === 0 ? '' : ` (and ${last.passedOver} more)`
    this.#kinds.set(kind, { untilMs: nowMs + everyMs, passedOver: 0 })
    process.emitWarning(text + more, { type: 'CosmonapseWarning', detail })
  }
}
