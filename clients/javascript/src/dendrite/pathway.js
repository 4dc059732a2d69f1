// What one TASK brings back, in order; every reader sees all of it, none drains another.
import { PathwayClosedError, TimeoutError } from '../errors.js'

const TERMINAL = new Set([
  'AGENT_OUTPUT',
  'FINAL',
  'ERROR',
  'CLARIFICATION',
  'PERMISSION',
  'ESCALATION',
])

export class Pathway {
  #seen = []
  #closed = false
  #wake = new Set()
  #handlers = []
  #cancel
  constructor(traceId, task, cancel) {
    this.traceId = traceId
    this.task = task
    this.#cancel = cancel
  }
  get closed() {
    return this.#closed
  }
  /** @internal */
  push(signal) {
    this.#seen.push(signal)
    for (const [type, fn] of this.#handlers)
      if (type === null || type === signal.type) callQuietly(fn, signal)
    this.#stir()
  }
  /** @internal */
  end() {
    this.#closed = true
    this.#stir()
  }
  #stir() {
    const wake = this.#wake
    if (wake.size === 0) return
    this.#wake = new Set()
    for (const fn of wake) fn()
  }
  /** `pw.on('THOUGHT_DELTA', fn)` or `pw.on(fn)`; hears what came before, too. */
  on(type, fn) {
    if (typeof type === 'function') {
      fn = type
      type = null
    }
    this.#handlers.push([type, fn])
    for (const s of this.#seen) if (type === null || type === s.type) callQuietly(fn, s)
    return this
  }
  async *[Symbol.asyncIterator]() {
    let at = 0
    try {
      for (;;) {
        while (at < this.#seen.length) yield this.#seen[at++]
        if (this.#closed) return
        await new Promise((resolve) => this.#wake.add(resolve))
      }
    } finally {
      /* leaving a loop does not cancel: another reader may be there */
    }
  }
  async *thoughts() {
    for await (const signal of this) if (signal.type === 'THOUGHT_DELTA') yield signal.payload.delta
  }
  wait({ timeoutMs, signal } = {}) {
    return this.#find((s) => TERMINAL.has(s.type), timeoutMs, signal, 'its outcome')
  }
  waitFor(type, { timeoutMs, signal } = {}) {
    return this.#find((s) => s.type === type, timeoutMs, signal, type)
  }
  #find(fits, timeoutMs, abort, what) {
    return new Promise((resolve, reject) => {
      let timer
      const done = (fn, value) => {
        clearTimeout(timer)
        abort?.removeEventListener('abort', aborted)
        this.#wake.delete(look)
        fn(value)
      }
      const aborted = () => done(reject, abort.reason)
      let at = 0
      const look = () => {
        for (; at < this.#seen.length; at++)
          if (fits(this.#seen[at])) return done(resolve, this.#seen[at])
        if (this.#closed)
          return done(reject, new PathwayClosedError(`the pathway of ${this.traceId} is closed`))
        this.#wake.add(look)
      }
      if (abort?.aborted) return reject(abort.reason)
      abort?.addEventListener('abort', aborted, { once: true })
      if (timeoutMs !== undefined)
        timer = setTimeout(
          () =>
            done(
              reject,
              new TimeoutError(`${this.traceId}: ${what} did not come within ${timeoutMs} ms`),
            ),
          timeoutMs,
        )
      look()
    })
  }
  /** Idempotent; cancels the remote task if it still runs. */
  close() {
    if (!this.#closed) {
      this.#cancel()
      this.end()
    }
  }
  async [Symbol.asyncDispose]() {
    this.close()
  }
  [Symbol.dispose]() {
    this.close()
  }
}
export function callQuietly(fn, ...args) {
  try {
    const r = fn(...args)
    if (r && typeof r.catch === 'function') r.catch((error) => process.emitWarning(error))
  } catch (error) {
    process.emitWarning(error)
  }
}
