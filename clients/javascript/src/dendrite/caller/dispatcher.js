// The caller's side of a Dendrite: sends TASKs, settles them, ends them at their deadline.
//
// Spec: docs/spec/03-routing.md, "At the caller"; docs/spec/09-resync.md, "At the caller". A thin
// shell around open-tasks.js and question-book.js.
import { setTimeout as pause } from 'node:timers/promises'
import { BadSignal, DendriteProtocolError, SignalTooLarge } from '../../errors.js'
import { count } from '../../runtime/counter.js'
import { DeadlineTimer } from '../../runtime/deadline-timer.js'
import { OF_TASKS } from '../../signals/payloads.js'
import { CODE, Signal, TYPE, setOrigin } from '../../signals/signals.js'
import { readRun } from '../../signals/runs.js'
import { addressOf } from '../../wire/addresses.js'
import { KEEP, RUN, SETTLES } from '../../wire/heads.js'
import { idBytes } from '../../signals/ids.js'
import { Permits } from '../permits.js'
import { Absence } from './absence.js'
import { GAP_INTERVAL_MS, OpenTasks, rowOf } from './open-tasks.js'
import { QuestionBook } from './question-book.js'
import { QUESTIONS } from '../../signals/signal-types.js'
import { codeOf, errorFor, timeoutOf, unreadable } from './task-errors.js'

/** What a thought of a run counts beside its text, in a Pathway. */
const ENVELOPE_BYTES = 200
const TIMER_MARGIN_MS = 10
const SETTLE_AGAIN_MS = 100
const BOUNCED = new Set(
  'no_route busy expired bad_address too_large duplicate forbidden'.split(' '),
)
const LOST = new Set('worker_lost reply_lost not_started'.split(' '))

/** The caller's side of a Dendrite. */
export class Dispatcher {
  #client
  #subscriptions
  #permits
  #decoding
  #now
  #timer
  #deferred = []
  #isClosed = false
  /** What traces the tasks; null for nothing. */
  tracing = null

  /**
   * @param {object} client The transport: carries the TASKs.
   * @param {object} subscriptions The handlers that receive copies of our own traffic.
   * @param {object} [options] `url` of the Synapse, for error texts; `keepFloats`, to mark whole
   *   floats in what is decoded; `whyLate(opened)`, which returns what this Dendrite knows about a
   *   task of ours that has no reply yet; `permits`, the rights of our key; `logger`; `now`, a
   *   monotonic clock of milliseconds.
   */
  constructor(client, subscriptions, { url = '', keepFloats = false, whyLate, ...more } = {}) {
    const { logger = null, now = () => performance.now() } = more
    this.#client = client
    this.#subscriptions = subscriptions
    this.#permits = more.permits ?? new Permits(client, url)
    this.#decoding = { keepFloats }
    this.#timer = new DeadlineTimer(
      () => Math.min(this.openTasks.nextAtMs(), this.questions.nextAtMs()),
      (nowMs) => this.expire(nowMs),
      now,
    )
    this.#now = now
    this.openTasks = new OpenTasks()
    this.counts = this.openTasks.counts
    this.questions = new QuestionBook(this.counts)
    this.absence = new Absence(url)
    this.whyLate = whyLate ?? (() => '')
    this.logger = logger
    /** Is called for every question that ends one of our tasks. */
    this.onQuestion = () => {}
  }

  // ---- sending

  /**
   * Send a TASK. Its outcome goes to its waiter, its Pathway, and the handlers.
   *
   * @param {object} opened The task.
   * @throws {UnencodableValue} It holds a value that no Signal can carry.
   * @throws {SignalTooLarge} It is over the limit.
   * @throws {DendriteProtocolError} This Dendrite is not running.
   * @throws {AccessRefused} Our key may not send it; nothing has left.
   */
  launch(opened) {
    const { tracing } = this
    if (tracing === null || !opened.isObserved) return this.#launch(opened)
    const { signal } = opened
    tracing.begin(signal, isWaitedFor(opened))
    try {
      this.#launch(opened)
    } catch (error) {
      tracing.notSent(signal, error)
      throw error
    }
    tracing.sent(signal, isWaitedFor(opened))
  }

  #launch(opened) {
    this.#permits.checkDispatch(opened.signal.directed)
    const body = this.encoded(opened.signal)
    opened.body = body
    if (this.#isClosed) this.#refuse(opened, 'CLOSED')
    if (this.#subscriptions.outOfDate || this.#deferred.length > 0) {
      this.#open(opened)
      this.#defer(opened)
      return
    }
    const outcome = this.#post(opened, opened.timeoutMs)
    if (outcome === 'CLOSED' || outcome === 'TOO_LARGE') this.#refuse(opened, outcome)
    this.#open(opened)
    if (outcome !== 'SENT') this.#notSent(opened, outcome)
  }

  /** Return the bytes of the TASK that goes on with an answer; it throws as `encoded`. */
  prepared(signal, opened) {
    const { tracing } = this
    tracing?.begin(signal, isWaitedFor(opened))
    try {
      return this.encoded(signal)
    } catch (error) {
      tracing?.notSent(signal, error)
      throw error
    }
  }

  /** Return the bytes of a TASK; an error is thrown before anything is sent. */
  encoded(signal) {
    return signal.encode(this.#client.maxSignalBytes)
  }

  #open(opened) {
    setOrigin(opened.signal, this.#client.user || null)
    this.#arm(this.openTasks.open(opened, this.#now()))
    this.#show(opened, opened.signal)
  }

  #arm(atMs) {
    if (atMs < this.#timer.armedAtMs) this.#timer.arm(atMs)
  }

  /** Pass a Signal of a task to our own handlers. */
  #show({ isObserved }, signal) {
    const subscriptions = this.#subscriptions
    if (
      isObserved &&
      subscriptions.watchesTasks &&
      subscriptions.mayWant(signal.type, signal.traceId)
    )
      subscriptions.feed(signal)
  }

  /** Pass a TASK to the transport; return its Outcome. */
  #post(opened, leftMs) {
    const { directed } = opened.signal
    return this.#client.sendTask(
      directed.id,
      directed.capabilities,
      opened.task,
      opened.trace,
      CODE.TASK,
      opened.body,
      Math.max(1, Math.floor(leftMs)),
      opened.keep ? KEEP | RUN : RUN,
    )
  }

  #notSent(opened, outcome) {
    if (outcome === 'WAITING') this.absence.wait(opened)
    else if (outcome === 'BUSY') this.#fail(opened, 'OVERLOADED')
    else this.#fail(opened, 'TASK_LOST')
  }

  #refuse(opened, outcome) {
    if (outcome === 'TOO_LARGE')
      throw new SignalTooLarge(opened.body.length, this.#client.maxSignalBytes)
    throw new DendriteProtocolError(
      'this Dendrite is not running: dispatch between start() and stop()',
    )
  }

  /** Send a TASK when every handler is in force. Its deadline runs; nothing has left yet. */
  async #defer(opened) {
    this.#deferred.push(opened)
    this.absence.wait(opened)
    if (this.#deferred.length > 1) return
    while (this.#subscriptions.outOfDate && this.#deferred.length > 0) {
      try {
        await this.#subscriptions.settle()
      } catch (error) {
        if (!this.#isClosed && this.#client.awayMs === null)
          this.logger?.warn(`a TASK waits: ${error.message}`)
        await pause(SETTLE_AGAIN_MS, undefined, { ref: false })
      }
      this.#deferred = this.#deferred.filter((each) => this.openTasks.has(each))
    }
    const waiting = this.#deferred
    this.#deferred = []
    for (const each of waiting) this.#postLate(each)
  }

  /** Send a TASK that is open already, with the time that is left. */
  #postLate(opened) {
    if (!this.openTasks.has(opened)) return
    const leftMs = opened.expiresAtMs - this.#now()
    if (leftMs <= 0) return // the deadline timer ends it
    const outcome = this.#post(opened, leftMs)
    if (outcome !== 'SENT') this.#notSent(opened, outcome)
    else this.absence.forget(opened)
  }

  /**
   * Send the TASK that an answer led to, in place of the TASK that ended in the question.
   *
   * It has the time that is left of the first TASK (07-signals, "Questions", 3).
   */
  follow(opened, answer, signal, body) {
    this.questions.answer(opened, answer)
    opened.continueWith(signal, idBytes(signal.id))
    opened.body = body
    this.#arm(this.openTasks.reopen(opened))
    opened.pathway?.answered(signal)
    this.#show(opened, signal)
    this.tracing?.sent(signal, isWaitedFor(opened))
    this.#postLate(opened)
  }

  /** Cancel a TASK, or end its question; do nothing if both are over. */
  abandon(opened) {
    if (opened.question !== null) this.questions.withdraw(opened.question)
    else if (this.openTasks.close(opened)) {
      this.#client.sendCancel(opened)
      this.#endWithError(opened, 'CANCELLED')
    }
  }

  /** End every open task; each waiting caller receives the error that we stopped. */
  close() {
    this.#isClosed = true
    this.#timer.close()
    this.#deferred = []
    for (const opened of [...this.openTasks.closeAll(), ...this.questions.closeAll()]) {
      const { waiter, pathway, question } = opened
      if (question === null && (opened.keep || (waiter === null && pathway === null))) {
        count(this.counts, 'abandoned')
        this.tracing?.settled(opened.signal, 'ABANDONED')
        if (waiter === null) continue
      }
      waiter?.fail(
        new DendriteProtocolError(
          `this Dendrite stopped while ${opened.target} worked: await the outcome before stop()`,
        ),
      )
      if (question !== null || opened.keep) continue
      this.#client.sendCancel(opened)
      this.#endWithError(opened, 'CANCELLED')
    }
  }

  /** Return every open task, oldest first, for a resync. */
  rows() {
    const rows = this.openTasks.rows(this.#now())
    if (!this.#client.user) return rows
    // 11-access, What is checked, 4: a worker whose key names Axons may claim what went to them alone.
    return rows.map((row) => {
      const { id, capabilities } = this.openTasks.get(row.task).signal.directed
      return { ...row, address: addressOf(id, capabilities) }
    })
  }

  // ---- replies and losses

  /** Handle a reply: pass it to the handlers, and to the caller if it settles the task. */
  onReply(worker, task, _trace, kind, index, flags, body) {
    if (isRun(flags)) {
      this.#onRun(worker, task, index, flags, body)
      return
    }
    const opened = this.openTasks.replied(task, index, flags)
    if (opened === null) {
      this.#requestMissing(task, index)
      return
    }
    const settles = (flags & SETTLES) !== 0
    if (this.tracing !== null && TYPE[kind] === 'THOUGHT_DELTA') this.tracing.heard(opened.signal)
    const watched = !settles && this.#isWatched(opened, TYPE[kind])
    if (!settles && opened.pathway === null && !watched) return
    const signal = this.#read(opened, body, settles)
    if (signal === null) return
    setOrigin(signal, this.#client.originOf(worker))
    if (settles) this.#end(opened, signal, body.length)
    else this.#streamed(opened, signal, body.length, watched)
  }

  #isWatched(opened, type) {
    const subscriptions = this.#subscriptions
    return subscriptions.watchesTasks && subscriptions.mayWant(type, opened.signal.traceId)
  }

  /** Pass on a Signal of a task that goes on. */
  #streamed({ pathway }, signal, size, isWatched) {
    if (pathway !== null && pathway.scope === 'all') pathway.take(signal, size)
    if (isWatched) this.#subscriptions.feed(signal)
  }

  /** Handle a run: each of its thoughts as a reply of its own, of which some may have come before. */
  #onRun(worker, task, index, flags, body) {
    let signals
    try {
      signals = readRun(body)
    } catch {
      count(this.counts, 'drop.bad_signal')
      return
    }
    const accepted = this.openTasks.repliedByRun(task, index, signals.length, flags)
    if (accepted === null) {
      this.#requestMissing(task, index)
      return
    }
    const { opened, had } = accepted
    this.tracing?.heard(opened.signal)
    const isWatched = this.#isWatched(opened, 'THOUGHT_DELTA')
    if (opened.pathway === null && !isWatched) return
    const origin = this.#client.originOf(worker)
    for (let at = had; at < signals.length; at++) {
      setOrigin(signals[at], origin)
      const size = ENVELOPE_BYTES + signals[at].payload.delta.length
      this.#streamed(opened, signals[at], size, isWatched)
    }
  }

  #read(opened, body, settles) {
    try {
      const signal = Signal.decode(body, this.#decoding)
      if (OF_TASKS.has(signal.type)) return signal
      throw new BadSignal(`a ${signal.type} is no reply`)
    } catch (error) {
      count(this.counts, 'drop.bad_signal')
      if (settles) this.#end(opened, unreadable(opened, error))
      return null
    }
  }

  /** Send a GAP for the replies that are missing before number `index`. */
  #requestMissing(task, index) {
    const nowMs = this.#now()
    const opened = this.openTasks.missed(task, index, nowMs)
    if (opened === null) return
    count(this.counts, 'asked_again')
    // 09-resync, "At the caller", 2. The GAP or its answer may get lost too, and no later reply may
    // arrive that shows the same hole: so a timer asks again.
    const again = () => {
      if (this.openTasks.has(opened)) this.#requestMissing(opened.task, opened.earlyIndex)
    }
    setTimeout(again, GAP_INTERVAL_MS + TIMER_MARGIN_MS).unref()
    this.#client.sendGap(rowOf(opened, Math.max(1, opened.leftMs(nowMs))))
  }

  /** End a task that was not delivered with an ERROR. */
  onBounce(task, reason) {
    this.#failFor(task, reason, `bounced.${BOUNCED.has(reason) ? reason : 'unknown'}`)
  }

  /** End a lost task with an ERROR; send it again if no worker ever had it. */
  onLost(task, reason) {
    const opened = this.openTasks.get(task)
    if (reason === 'reply_waits') {
      // 03-routing, "Bounces": it has ended, its last reply had no room in our queue.
      if (opened !== undefined) this.#requestMissing(task, opened.nextIndex + 1)
      return
    }
    // 09-resync, "At the caller", 1: only a task without any reply so far may be sent again, since a
    // reply proves that some worker has run it.
    if (reason !== 'not_started' || opened === undefined || opened.nextIndex > 0) {
      this.#failFor(task, reason, `lost.${LOST.has(reason) ? reason : 'unknown'}`)
      return
    }
    count(this.counts, 'sent_again')
    this.#postLate(opened)
  }

  #failFor(task, reason, counter) {
    count(this.counts, counter)
    const opened = this.openTasks.get(task)
    if (opened !== undefined) this.#fail(opened, codeOf(reason, opened))
  }

  #fail(opened, code) {
    if (this.openTasks.close(opened)) this.#endWithError(opened, code)
  }

  /**
   * End a task that had no reply with an ERROR, and publish that ERROR.
   *
   * Its worker field is empty: a worker that receives a CANCEL receives this ERROR as any other
   * subscriber does.
   */
  #endWithError(opened, code, why = '') {
    const error = errorFor(opened, code, why)
    this.absence.forget(opened)
    const client = this.#client
    if (opened.isObserved && client.isHeard(CODE.ERROR, opened.trace))
      client.publish(CODE.ERROR, opened.trace, error.encode(), true)
    this.#end(opened, error, 0, why)
  }

  #traceEnd({ isObserved, signal }, outcome) {
    if (isObserved) this.tracing.settled(signal, outcome)
  }

  #end(opened, signal, size = 0, why = '') {
    if (this.tracing !== null) this.#traceEnd(opened, signal)
    if (QUESTIONS.has(signal.type)) {
      this.#endInQuestion(opened, signal, size)
      return
    }
    if (opened.pathway !== null) finish(opened.pathway, signal, size)
    this.#show(opened, signal)
    if (opened.waiter === null) return
    const code = signal.type === 'ERROR' ? signal.payload.code : null
    if (code === 'EXPIRED') {
      // Worker, Synapse and caller each watch the deadline: the first of them must not decide
      // whether the program gets a Signal or a TimeoutError.
      opened.waiter.fail(timeoutOf(opened, why))
    } else if (code === 'SYNAPSE_AWAY' && why !== '') {
      opened.waiter.fail(this.absence.error(opened, this.#now()))
    } else opened.waiter.settle(signal)
  }

  /** Wait for an answer while a handler or another Dendrite may give one. */
  #endInQuestion(opened, question, size) {
    this.onQuestion()
    const oldest = this.questions.add(opened, question)
    if (oldest !== null) this.#deliverQuestion(oldest)
    this.#arm(this.questions.nextAtMs())
    if (opened.pathway !== null && opened.pathway.scope === 'all')
      opened.pathway.take(question, size)
    this.#subscriptions.feedQuestion(question, () => {
      if (opened.question === question && !opened.answerElsewhere) this.#deliverQuestion(opened)
    })
  }

  /** Return an unanswered question to the caller; an answer may still arrive later. */
  #deliverQuestion(opened) {
    opened.waiter?.settle(opened.question)
    opened.pathway?.unanswered(opened.question)
  }

  // ---- deadlines

  /** End every task and question whose deadline has passed. */
  expire(nowMs) {
    for (const opened of this.openTasks.expire(nowMs)) {
      count(this.counts, 'timeout')
      const [code, why] = this.absence.judge(opened, nowMs) ?? this.#lateness(opened)
      this.#client.sendCancel(opened)
      this.#endWithError(opened, code, why)
    }
    for (const opened of this.questions.expire(nowMs)) this.#expireQuestion(opened)
  }

  /** Return the code for a task that has no outcome in its time, and what is known of it. */
  #lateness(opened) {
    const why = this.whyLate(opened)
    if (why !== '') this.logger?.warn(`the task for ${opened.target} timed out: ${why}`)
    return ['EXPIRED', why]
  }

  /** End a waiting caller with a timeout; without one the task ended with its question. */
  #expireQuestion(opened) {
    count(this.counts, 'question_unanswered')
    const { waiter, pathway, question } = opened
    const waits = waiter !== null && !waiter.isDone
    if (waits || (pathway !== null && !pathway.closed)) this.questions.end(question, null)
    waiter?.fail(timeoutOf(opened))
    if (pathway !== null) finish(pathway, errorFor(opened, 'EXPIRED'), 0)
  }
}

/** Tell whether somebody waits for the end of a task, or follows it. */
const isWaitedFor = ({ waiter, pathway }) => waiter !== null || pathway !== null

/** Tell whether a reply is a run: one that settles never is (03-routing, "Runs", 2). */
const isRun = (flags) => (flags & RUN) !== 0 && (flags & SETTLES) === 0

/** End a Pathway of one task with its last Signal; a Pathway of a trace receives the copy. */
function finish(pathway, signal, size) {
  if (pathway.scope !== 'all') return
  pathway.take(signal, size)
  pathway.end(signal)
}
