// A Pathway: all Signals of one task, or of one trace, for any number of readers.
import { inspect } from 'node:util'
import { InvalidArgument, PathwayClosedError, TimeoutError, shown, textOf } from '../../errors.js'
import { count } from '../../runtime/counter.js'
import { whenAborted } from '../../runtime/aborts.js'
import { atMostLongest } from '../../runtime/deadline-timer.js'
import { checkAbortSignal, checkedTimeout, checkedType } from './checks.js'
import { SignalBuffer } from './signal-buffer.js'

const ESTIMATED_BYTES = 1024
const nothing = () => {}

/**
 * The Signals of a dispatched TASK, or of a trace of another Dendrite, in order.
 *
 * Read it in several ways, also at once: `for await`, `thoughts`, `wait`, `waitFor`, `on`,
 * `outcome`. Each receives every Signal since the Pathway was opened; no reader takes one from
 * another. Signals that have arrived can be read after the end. Up to 65,536 Signals and 64 MiB are
 * stored; over that the oldest are dropped, and `dropped` counts them. A Pathway that nobody reads
 * costs that memory and raises nothing.
 *
 * A Pathway of a dispatch ends by itself with the Signal that settles its TASK. After a question
 * (CLARIFICATION, PERMISSION, ESCALATION) it continues with the answer. It ends when all handlers
 * that could answer have returned and a reader waits for more.
 *
 * `break` leaves the loop of a `for await` and nothing else: the task runs on, for other readers.
 * `close()`, `await using` and the AbortSignal of the dispatch cancel it.
 */
export class Pathway {
  #buffer = new SignalBuffer()
  #closed = false
  #outcome = null
  #unanswered = null
  #sleepers = new Set()
  #waiting = null
  #waitingFor = new Map()
  #hooks

  /**
   * @internal
   * @param {string} traceId The workflow.
   * @param {object} [hooks] `task`, the TASK that opened it, null for an observer; `scope`;
   *   `cancel`, called by `close`; `ended`, called once at the end; `failed`, called with the error
   *   of a handler.
   */
  constructor(traceId, { task = null, scope = 'all', cancel, ended, failed } = {}) {
    this.traceId = traceId
    /** `caller` if our dispatch opened it, else `observer`. */
    this.role = task === null ? 'observer' : 'caller'
    /** `all`: it follows one TASK; `terminal`: the whole trace. */
    this.scope = scope
    /** The TASK that it follows now; null for an observer. */
    this.task = task
    /** The failures of its handlers. */
    this.counts = {}
    this.#hooks = { cancel: cancel ?? nothing, ended: ended ?? nothing, failed: failed ?? nothing }
  }

  /** Whether no further Signal will arrive; those that have arrived can still be read. */
  get closed() {
    return this.#closed
  }

  /** The number of oldest Signals that were dropped. */
  get dropped() {
    return this.#buffer.start
  }

  // ---- reading

  /**
   * Resolve to the next Signal that no `wait` has returned yet.
   *
   * @param {{ timeoutMs?: number, signal?: AbortSignal }} [limits]
   * @throws {PathwayClosedError} There is none and none will arrive.
   * @throws {TimeoutError} There is none within `timeoutMs` milliseconds.
   */
  async wait(limits) {
    this.#waiting ??= this.#buffer.cursor(null, false)
    return this.#one(this.#waiting, 'Signal', limits)
  }

  /**
   * Resolve to the next Signal of a type that no `waitFor` of this type has returned yet.
   *
   * @param {string} type A type of Signal.
   * @param {{ timeoutMs?: number, signal?: AbortSignal }} [limits]
   * @throws {PathwayClosedError} There is none and none will arrive.
   * @throws {TimeoutError} There is none within `timeoutMs` milliseconds.
   */
  async waitFor(type, limits) {
    checkedType(type)
    let cursor = this.#waitingFor.get(type)
    if (cursor === undefined) {
      cursor = this.#buffer.cursor(type, false)
      this.#waitingFor.set(type, cursor)
    }
    return this.#one(cursor, type, limits)
  }

  /**
   * Resolve to the Signal that ended this Pathway: an output, an ERROR or a question.
   *
   * @param {{ timeoutMs?: number, signal?: AbortSignal }} [limits]
   * @throws {PathwayClosedError} It ended without one.
   * @throws {TimeoutError} Not within `timeoutMs` milliseconds; the task runs on.
   */
  async outcome(limits) {
    const cursor = this.#buffer.cursor('', false) // no Signal is of this type: it waits for the end
    try {
      await this.#next(cursor, 'outcome', limits)
    } finally {
      cursor.leave()
    }
    if (this.#outcome !== null) return this.#outcome
    throw new PathwayClosedError(`${this} was closed before its outcome`)
  }

  /** Yield every Signal from the first on; end with the Pathway. */
  [Symbol.asyncIterator]() {
    return this.#follow(null)
  }

  /** Yield the texts of the THOUGHT_DELTAs without reasoning; end with the Pathway. */
  async *thoughts() {
    for await (const { payload } of this.#follow('THOUGHT_DELTA'))
      if (payload.kind !== 'reasoning') yield textOf(payload.delta ?? '')
  }

  /**
   * Call a function for every Signal of a type, from the first on.
   *
   * The calls do not overlap: a promise that it returns is awaited before the next call. An error
   * is counted and logged, and the next Signal comes all the same.
   *
   * @param {string | Function} type A type of Signal; or the function, for every type.
   * @param {(signal: object) => unknown} [fn] The function.
   * @returns {() => void} Stops the calls.
   */
  on(type, fn) {
    const wanted = typeof type === 'function' ? null : checkedType(type)
    const handler = wanted === null ? type : fn
    if (typeof handler !== 'function')
      throw new InvalidArgument(`on(type, fn) needs a function, not ${shown(handler)}`)
    const cursor = this.#buffer.cursor(wanted, true)
    const serving = { isOff: false }
    this.#serve(handler, cursor, serving)
    return () => {
      serving.isOff = true
      cursor.leave()
      this.#endIfUnanswered()
      this.#wake()
    }
  }

  async #serve(fn, cursor, serving) {
    for (;;) {
      const signal = await this.#next(cursor, '', undefined, serving)
      if (signal === null || serving.isOff) break
      try {
        await fn(signal)
      } catch (error) {
        count(this.counts, 'handler_raised')
        this.#hooks.failed(error, signal)
      }
    }
    cursor.leave()
  }

  async *#follow(type) {
    const cursor = this.#buffer.cursor(type, true)
    try {
      for (;;) {
        const signal = cursor.next() ?? (await this.#next(cursor, ''))
        if (signal === null) return
        yield signal
      }
    } finally {
      cursor.leave() // and nothing else: the task runs on for other readers
      this.#endIfUnanswered()
    }
  }

  async #one(cursor, what, limits) {
    const signal = await this.#next(cursor, what, limits)
    if (signal !== null) return signal
    const last = this.#outcome === null ? '' : `; it ended with ${this.#outcome.type}`
    throw new PathwayClosedError(`${this} has no ${what} left${last}`)
  }

  /** Resolve to the next Signal for a cursor, or to null at the end. */
  async #next(cursor, what, limits = {}, serving = null) {
    const sleeper = new Sleeper(limits, () => `no ${what} on ${this} within ${limits.timeoutMs} ms`)
    try {
      for (;;) {
        const signal = cursor.next()
        if (signal !== null || this.#closed || serving?.isOff) return signal
        await this.#sleep(cursor, sleeper)
      }
    } finally {
      sleeper.end()
    }
  }

  async #sleep(cursor, sleeper) {
    cursor.waits = true
    sleeper.cursor = cursor
    this.#sleepers.add(sleeper)
    try {
      this.#endIfUnanswered()
      await sleeper.sleep(this.#closed)
    } finally {
      this.#sleepers.delete(sleeper)
      cursor.waits = this.#hasSleeper(cursor)
    }
  }

  /** Return whether another reader of the same cursor still waits. */
  #hasSleeper(cursor) {
    for (const each of this.#sleepers) if (each.cursor === cursor && each.sleeps) return true
    return false
  }

  // ---- the end

  /** End it, and cancel the task if it still runs. Idempotent. */
  close() {
    if (this.#closed) return
    this.#hooks.cancel()
    this.end(null)
  }

  /** Close it, at the end of an `await using`. */
  async [Symbol.asyncDispose]() {
    this.close()
  }

  /** Name it as `Pathway(trace, role, scope, open or closed)`. */
  toString() {
    const state = this.#closed ? 'closed' : 'open'
    return `Pathway(${this.traceId}, ${this.role}, ${this.scope}, ${state})`
  }

  /** Show it as `toString` does. */
  [inspect.custom]() {
    return this.toString()
  }

  // ---- for the parts that feed it

  /** @internal Add a Signal of `size` bytes. */
  take(signal, size = ESTIMATED_BYTES) {
    if (this.#closed) return
    this.#buffer.append(signal, size)
    if (this.#unanswered !== null && this.#unanswered.id === signal.id) this.#buffer.asked(signal)
    this.#wake()
  }

  /** @internal Record that so many replies are lost on their way before the next one. */
  lose(replies) {
    if (!this.#closed && this.scope === 'all') this.#buffer.lose(replies)
  }

  /** @internal Return a position at the first Signal, for a reader that says what it missed. */
  cursor() {
    return this.#buffer.cursor(null, true)
  }

  /** @internal Resolve to the next Signal for such a position, or to null at the end. */
  async nextOf(cursor) {
    return cursor.next() ?? this.#next(cursor, '')
  }

  /** @internal Record that only a reader may still answer a question, which may arrive later. */
  unanswered(question) {
    this.#unanswered = question
    this.#buffer.asked(question)
    this.#endIfUnanswered()
  }

  /** @internal Continue with the TASK that an answer led to. */
  answered(task) {
    this.task = task
    this.#unanswered = null
    this.#buffer.answered()
  }

  /** @internal Call a function at the end; at once if it is over. */
  whenClosed(fn) {
    if (this.#closed) return fn()
    const { ended } = this.#hooks
    this.#hooks.ended = () => {
      ended()
      fn()
    }
  }

  /** @internal End it with an outcome, or with null; accept no further Signal. */
  end(outcome) {
    if (this.#closed) return
    this.#closed = true
    this.#outcome = outcome
    const { ended } = this.#hooks
    this.#hooks = { cancel: nothing, ended: nothing, failed: this.#hooks.failed }
    ended()
    this.#wake()
  }

  #endIfUnanswered() {
    if (this.#unanswered !== null && this.#buffer.hasAbandonedQuestion()) this.end(this.#unanswered)
  }

  #wake() {
    for (const each of this.#sleepers) each.wake()
  }
}

/** One call for a Signal that waits, with its limits. Rejects only while somebody awaits it. */
class Sleeper {
  #limits
  #describe
  #timer = null
  #unlink = null
  #resolve = nothing
  #reject = nothing
  #failure = null

  constructor(limits, describe) {
    this.#limits = limits
    this.#describe = describe
    /** The cursor that it waits at, and whether it does. */
    this.cursor = null
    this.sleeps = false
  }

  /** Resolve at the next `wake`, or at once; reject at the end of the time or at an abort. */
  sleep(isOver) {
    this.sleeps = true
    this.#begin()
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure.error)
      else if (isOver) resolve()
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  wake() {
    this.sleeps = false
    this.#resolve()
  }

  /** Set up the limits at the first sleep; a Signal that is there costs none of it. */
  #begin() {
    const { timeoutMs, signal } = this.#limits
    if (timeoutMs !== undefined && this.#timer === null) {
      const fail = () => this.#fail(new TimeoutError(this.#describe()))
      this.#timer = setTimeout(fail, atMostLongest(checkedTimeout(timeoutMs)))
    }
    if (signal === undefined || signal === null || this.#unlink !== null) return
    checkAbortSignal(signal)
    this.#unlink = whenAborted(signal, () => this.#fail(signal.reason))
  }

  #fail(error) {
    this.sleeps = false
    this.#failure ??= { error }
    this.#reject(error)
  }

  end() {
    clearTimeout(this.#timer)
    this.#unlink?.()
  }
}
