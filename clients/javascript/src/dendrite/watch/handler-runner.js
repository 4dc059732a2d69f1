// Calls one handler: a bounded queue, one Signal at a time, in order.
import { count } from '../../runtime/counter.js'
import { Fifo } from '../../runtime/fifo.js'
import { nameOf } from './handlers.js'

export const QUEUE_LIMIT = 32_768
const TURN_MS = 2
const WARN_EVERY_MS = 10_000

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** A Signal for a handler whose end somebody waits for. */
class Awaited {
  constructor(signal, ended) {
    this.signal = signal
    this.ended = ended
  }
}

/** Calls one handler. It may throw, reject or never end: nobody else notices. */
export class HandlerRunner {
  #handler
  #counts
  #logger
  #queue = new Fifo()
  #isRunning = false
  #nextWarningAtMs = -Infinity
  #unsaid = 0

  /**
   * @param {import('./handlers.js').Handler} handler
   * @param {object} counts The counters of its failures.
   * @param {{ warn: (text: string, error?: unknown) => void }} logger
   */
  constructor(handler, counts, logger) {
    this.#handler = handler
    this.#counts = counts
    this.#logger = logger
  }

  /** Let the handler handle a Signal, and call `ended` when it has returned, or never will. */
  put(signal, ended = null) {
    if (this.#handler.direct) {
      this.#callNow(signal)
      ended?.()
      return
    }
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#overflow()
      ended?.()
      return
    }
    this.#queue.push(ended === null ? signal : new Awaited(signal, ended))
    if (this.#isRunning) return
    this.#isRunning = true
    // Not at once: the program may be in the middle of a call of this Dendrite.
    queueMicrotask(() => this.#run())
  }

  #callNow(signal) {
    try {
      this.#handler.fn(signal)
    } catch (error) {
      this.#failed(error, signal)
    }
  }

  #overflow() {
    count(this.#counts, 'drop.handler_queue_full')
    this.#warn(
      `handler ${nameOf(this.#handler)} is too slow: ${QUEUE_LIMIT} Signals wait for it, new ` +
        'ones are dropped',
    )
  }

  /** Call the handler no more; a call that runs ends by itself. */
  retire() {
    for (const each of this.#queue.clear()) if (each instanceof Awaited) each.ended()
  }

  async #run() {
    const queue = this.#queue
    let untilMs = performance.now() + TURN_MS
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const isAwaited = entry instanceof Awaited
      const signal = isAwaited ? entry.signal : entry
      try {
        const result = this.#handler.fn(signal)
        // Only what has a `then` is awaited: each await costs a turn of the microtasks.
        if (typeof result?.then === 'function') await result
      } catch (error) {
        this.#failed(error, signal)
      }
      if (isAwaited) entry.ended()
      if (performance.now() > untilMs) {
        await nextTurn() // a handler that never waits must not keep the loop from its sockets
        untilMs = performance.now() + TURN_MS
      }
    }
    this.#isRunning = false
  }

  /** The last door: the program's error goes to the log, and everything else goes on. */
  #failed(error, { type, traceId }) {
    count(this.#counts, 'handler_raised')
    this.#warn(`handler ${nameOf(this.#handler)} threw on ${type} of trace ${traceId}`, error)
  }

  #warn(text, ...error) {
    const nowMs = performance.now()
    if (nowMs < this.#nextWarningAtMs) {
      this.#unsaid++
      return
    }
    this.#nextWarningAtMs = nowMs + WARN_EVERY_MS
    const before = this.#unsaid > 0 ? ` (${this.#unsaid} warnings before this one not shown)` : ''
    this.#unsaid = 0
    this.#logger.warn(text + before, ...error)
  }
}
