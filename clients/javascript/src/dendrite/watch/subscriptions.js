// The handlers of a Dendrite: subscribes to their topics and passes them their Signals.
// Spec: docs/spec/05-broadcast.md; 09-resync.md, "At listeners".
import { BadSignal } from '../../errors.js'
import { count } from '../../runtime/counter.js'
import { DeadlineTimer } from '../../runtime/deadline-timer.js'
import { OF_TASKS } from '../../signals/payloads.js'
import { isOfCard } from '../../signals/cards.js'
import { QUESTIONS } from '../../signals/signal-types.js'
import { readHeard } from '../../signals/runs.js'
import { CODE, TYPE, setOrigin } from '../../signals/signals.js'
import { bytesId, idBytes } from '../../signals/ids.js'
import { HandlerRunner } from './handler-runner.js'
import { HandlerTable, nameOf } from './handlers.js'
import { RecentIds } from './recent-ids.js'
import { GRACE_MS, TraceDeadlines } from './trace-deadlines.js'
import { TraceOrders } from './trace-orders.js'

const SYNC_MS = 5000
const WARN_EVERY_MS = 10_000
const MANY_TRACES = 10_000
/** The types whose sender, or whose caller, may get something in answer. */
const ANSWERABLE = new Set([...QUESTIONS, 'STOP', 'CLARIFICATION_ANSWER', 'PERMISSION_DECISION'])

/**
 * The handlers of one Dendrite, fed from its own traffic and from the broadcast plane.
 *
 * Our own traffic is fed when it is sent or received, and its copies are passed over; so a Signal
 * calls a handler once.
 */
export class Subscriptions {
  #client
  #logger
  #decoding
  #table = new HandlerTable()
  #runners = new Map() // handler -> runner
  #ofProgram = new Set() // those of `addForUser` ahead of the start
  #orders
  #seenByType = new RecentIds()
  #seenByTrace = new RecentIds()
  #senders = new WeakMap() // Signal -> instance id
  #traceDeadlines = new TraceDeadlines()
  #ending = new Map() // trace id -> the handlers that end with it
  #endTimer
  #isStarted = false
  #awaited = 0 // how many subscriptions a `settle` has to wait for, from the start on
  #taskWatchers = 0
  #traceHandlers = 0
  #hasWarnedOfTraces = false
  #nextWarningAtMs = { missed: -Infinity, bad: -Infinity }

  /**
   * @param {object} client The transport: carries the subscriptions.
   * @param {object} options
   * @param {{ warn: (text: string, error?: unknown) => void }} options.logger
   * @param {boolean} [options.floats] Whether whole floats arrive as Float.
   */
  constructor(client, { logger, floats = false }) {
    this.#client = client
    this.#logger = logger
    this.#decoding = { keepFloats: floats }
    this.#orders = new TraceOrders((signal) => this.#putOrdered(signal))
    this.#endTimer = new DeadlineTimer(
      () => this.#traceDeadlines.nextAtMs(),
      (nowMs) => {
        for (const traceId of this.#traceDeadlines.due(nowMs)) this.#endTrace(traceId)
      },
    )
    this.counts = {}
    /** Whether a handler may want a TASK or a reply: the one test that costs where nobody watches. */
    this.watchesTasks = false
    /** Whether a subscription is not in force yet. */
    this.outOfDate = false
    /** Whether `close` was called. */
    this.isClosed = false
  }

  // ---- handlers

  /**
   * Add a handler; it is in force after the next `settle`.
   *
   * @param {import('./handlers.js').Handler} handler
   * @param {{ waits?: boolean }} [options] false if `settle` need not wait for it: it is in force
   *   some time later.
   */
  add(handler, { waits = true } = {}) {
    this.#table.add(handler)
    this.#runners.set(handler, new HandlerRunner(handler, this.counts, this.#logger))
    this.#countWatchers(handler, 1)
    if (handler.ordered) this.#orders.follow(handler.traceId)
    if (!this.#isStarted) return
    if (waits) {
      this.outOfDate = true
      this.#awaited++
    }
    for (const topic of topicsOf(handler)) this.#client.listen(topic)
  }

  /** Add a handler of the program; one of a single trace ends some time after its trace. */
  addForUser(handler) {
    if (!this.#isStarted) this.#ofProgram.add(handler)
    this.add(handler)
    const { traceId } = handler
    if (traceId === null) return
    this.#traceDeadlines.begin(traceId)
    this.#ending.set(traceId, [...(this.#ending.get(traceId) ?? []), handler])
    this.#traceHandlers++
    if (this.#traceHandlers < MANY_TRACES || this.#hasWarnedOfTraces) return
    this.#hasWarnedOfTraces = true
    this.#logger.warn(
      `${MANY_TRACES} handlers of single traces are in force, the last one is ` +
        `${nameOf(handler)}: each ends ${GRACE_MS / 1000} s after the last task of its trace has ` +
        'ended; call what onTrace returned to end one at once',
    )
  }

  /** Remove every handler of that function and return their number. */
  remove(fn) {
    const found = [...this.#runners.keys()].filter((each) => each.fn === fn)
    for (const each of found) this.discard(each)
    return found.length
  }

  /** Remove one handler, if it is in force; it is called no more. */
  discard(handler) {
    const runner = this.#runners.get(handler)
    if (runner === undefined) return
    this.#runners.delete(handler)
    this.#table.discard(handler)
    this.#countWatchers(handler, -1)
    if (this.#isStarted) for (const topic of topicsOf(handler)) this.#client.unlisten(topic)
    if (handler.traceId !== null) this.#leaveTrace(handler)
    runner.retire()
    handler.onEnd?.()
  }

  /** Return the handlers that the program added ahead of the start, once. */
  ofProgram() {
    const found = [...this.#ofProgram].filter((each) => this.#runners.has(each))
    this.#ofProgram.clear()
    return found
  }

  #countWatchers(handler, by) {
    const { types } = handler
    if (types.size === 0 || [...types].some((each) => OF_TASKS.has(each))) this.#taskWatchers += by
    this.watchesTasks = this.#taskWatchers > 0
  }

  #leaveTrace(handler) {
    const { traceId } = handler
    if (!this.#table.ofTraceId(traceId).some((each) => each.ordered)) this.#orders.leave(traceId)
    const ending = this.#ending.get(traceId)
    if (ending === undefined || !ending.includes(handler)) return
    this.#traceHandlers--
    const left = ending.filter((each) => each !== handler)
    if (left.length > 0) this.#ending.set(traceId, left)
    else {
      this.#ending.delete(traceId)
      this.#traceDeadlines.forget(traceId)
    }
  }

  #endTrace(traceId) {
    for (const each of this.#ending.get(traceId) ?? []) this.discard(each)
  }

  /** Return the topics to open the transport with; later handlers subscribe by themselves. */
  topics() {
    this.#isStarted = true
    return [...this.#runners.keys()].flatMap(topicsOf)
  }

  /** Resolve when every subscription is in force. Rejects with SynapseUnreachable after 5 s. */
  async settle() {
    while (this.outOfDate) {
      // It stays out of date until then: whoever else comes meanwhile has to wait, too.
      const awaited = this.#awaited
      await this.#client.sync(SYNC_MS)
      if (awaited === this.#awaited) this.outOfDate = false
    }
  }

  /** Call no handler any more; one that runs ends by itself. */
  close() {
    this.isClosed = true
    this.#isStarted = false
    this.#orders.close()
    this.#endTimer.close()
    for (const handler of [...this.#runners.keys()]) this.discard(handler)
  }

  // ---- Signals

  /** Return, before a Signal is made or decoded, whether a handler could want it. */
  mayWant(type, traceId) {
    return this.#table.mayWant(type, traceId)
  }

  /** Pass a Signal of our own traffic to every handler that wants it. @param {Buffer | null} [caller] of a question */
  feed(signal, caller = null) {
    if (caller !== null && ANSWERABLE.has(signal.type)) this.#senders.set(signal, caller)
    for (const each of this.#unordered(signal)) this.#put(each, signal)
    this.#hold(signal)
  }

  /** Pass on a question to us; call `ended` once each handler that may answer returned. */
  feedQuestion(question, ended) {
    const unordered = this.#unordered(question)
    const able = unordered.filter((each) => each.types.has(question.type) && !each.direct)
    let left = able.length
    const oneEnded = () => {
      left--
      if (left === 0) ended()
    }
    for (const each of able) this.#put(each, question, oneEnded)
    for (const each of unordered) if (!able.includes(each)) this.#put(each, question)
    this.#hold(question)
    if (able.length === 0) ended()
  }

  #unordered(signal) {
    const ofTrace = this.#table.ofTrace(signal).filter((each) => !each.ordered)
    return [...this.#table.ofType(signal), ...ofTrace]
  }

  /** Give an own Signal to the order of its trace, if a handler wants that order. */
  #hold(signal) {
    if (this.#traceDeadlines.has(signal.traceId)) this.#saw(signal)
    this.#orders.own(signal)
  }

  /**
   * Handle a broadcast Signal; a copy of our own traffic gives only its place.
   *
   * @param {number} kind Its type code; -1 if it came by its trace.
   * @param {Buffer} trace
   * @param {Buffer} caller
   * @param {Buffer} worker
   * @param {Buffer} body
   */
  onHeard(kind, trace, caller, worker, body) {
    const own = this.#client.instance
    const isCopy = !isZero(caller)
    const isOurs = same(caller, own) || (isCopy && same(worker, own))
    const source = { caller, worker }
    if (kind < 0) this.#onHeardByTrace(bytesId('trc_', trace), isOurs, isCopy, source, body)
    else if (!isOurs) this.#onHeardByType(TYPE[kind], isCopy, source, body)
  }

  #onHeardByType(type, isCopy, source, body) {
    if (!this.mayWant(type, '')) {
      count(this.counts, 'drop.no_handler')
      return
    }
    for (const signal of this.#read(body, source, type)) {
      if (isCopy && this.#isRepeated(signal, this.#seenByType)) continue
      for (const each of this.#table.ofType(signal)) this.#put(each, signal)
    }
  }

  #onHeardByTrace(traceId, isOurs, isCopy, source, body) {
    const isOrdered = this.#orders.isFollowed(traceId)
    if (isOurs && !isOrdered) return
    if (!this.mayWant(null, traceId)) {
      count(this.counts, 'drop.no_handler')
      return
    }
    for (const signal of this.#read(body, source)) {
      if (isCopy && this.#isRepeated(signal, this.#seenByTrace)) continue
      if (!isOurs) {
        this.#saw(signal)
        for (const each of this.#table.ofTrace(signal)) if (!each.ordered) this.#put(each, signal)
      }
      if (isOrdered) this.#orders.heard(signal)
    }
  }

  /** Return whether the copy of a TASK or a reply arrived before, and count it. */
  #isRepeated(signal, seen) {
    if (seen.add(signal.id)) return false
    count(this.counts, 'drop.repeated_copy')
    return true
  }

  /** Record a Signal of a trace whose handlers end with it. */
  #saw(signal) {
    const overAtMs = this.#traceDeadlines.saw(signal, performance.now())
    if (overAtMs !== Infinity) this.#endTimer.arm(overAtMs)
  }

  /**
   * Return whom an answer to a Signal is for: the caller of the task of a question, the sender of another one. Null if
   * it did not come by the broadcast plane.
   */
  senderOf(signal) {
    return this.#senders.get(signal) ?? null
  }

  /** Return the Signal of a body, or the Signals of a run; none of a bad one, or of one of another type. */
  #read(body, { caller, worker }, wanted = null) {
    try {
      const signals = readHeard(body, this.#decoding)
      if (isOfCard(signals[0])) {
        count(this.counts, 'hidden_cards')
        return []
      }
      const isOfTask = !isZero(caller) && !isZero(worker)
      checkBelongs(signals[0].type, wanted, isOfTask)
      // A TASK comes from its caller, a reply from its worker; what is published has no worker.
      const sender = signals[0].type === 'TASK' || isZero(worker) ? caller : worker
      const origin = this.#client.originOf(sender)
      for (const each of signals) setOrigin(each, origin)
      if (ANSWERABLE.has(signals[0].type) && !isZero(caller)) {
        this.#senders.set(signals[0], Buffer.from(caller)) // a copy: it may be kept for long
      }
      return signals
    } catch (error) {
      if (!(error instanceof BadSignal)) throw error
      count(this.counts, 'drop.bad_signal')
      this.#warn('bad', `a broadcast message is dropped: ${error.message}`)
      return []
    }
  }

  #put(handler, signal, ended) {
    // It may be gone since its list was made: a direct handler may have removed it.
    const runner = this.#runners.get(handler)
    if (runner === undefined) ended?.()
    else runner.put(signal, ended)
  }

  #putOrdered(signal) {
    for (const each of this.#table.ofTrace(signal)) if (each.ordered) this.#put(each, signal)
  }

  /** Count broadcast Signals that were lost before they arrived. */
  onMissed(missed) {
    count(this.counts, 'gap.broadcast', missed)
    this.#warn('missed', `${this.counts['gap.broadcast']} broadcast Signals were lost so far`)
  }

  #warn(what, text) {
    const nowMs = performance.now()
    if (nowMs < this.#nextWarningAtMs[what]) return
    this.#nextWarningAtMs[what] = nowMs + WARN_EVERY_MS
    this.#logger.warn(text)
  }
}

/**
 * Check the type in a body: the Synapse knows only the one that it was sent as, and what comes with a caller and a
 * worker is the copy of a TASK or of a reply (07-signals, "Origin", 5).
 * @throws {BadSignal} It does not belong there.
 */
function checkBelongs(type, wanted, isOfTask) {
  if (wanted !== null && type !== wanted) throw new BadSignal(`a ${type} was sent as a ${wanted}`)
  if (isOfTask && !OF_TASKS.has(type)) throw new BadSignal(`a ${type} came as part of a task`)
}

// By hand: two ids differ in the first byte nearly always, and a call of Buffer costs more.
function same(a, b) {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return false
  return true
}

function isZero(id) {
  for (let i = 0; i < 16; i++) if (id[i] !== 0) return false
  return true
}

function topicsOf({ traceId, types }) {
  if (traceId !== null) return [{ trace: idBytes(traceId) }]
  return Array.from(types, (type) => ({ kind: CODE[type] }))
}
