// The worker's side of a Dendrite: receives TASKs, runs Neurons, sends replies.
// Spec: docs/spec/03-routing.md, "Replies" and "CANCEL"; docs/spec/09-resync.md, "What each keeps".
import { BadSignal, InvalidArgument, NeuronError, TimeoutError } from '../../errors.js'
import { bytesId } from '../../signals/ids.js'
import { count } from '../../runtime/counter.js'
import { DeadlineTimer, atMostLongest } from '../../runtime/deadline-timer.js'
import { Deadlines } from '../../runtime/deadlines.js'
import { CARD_MARK } from '../../signals/cards.js'
import { CODE, Signal, setOrigin } from '../../signals/signals.js'
import { KEEP, RUN, SETTLES } from '../../wire/heads.js'
import { AxonSlots } from './axon-slots.js'
import { startChild } from './children.js'
import { invoke, isPending, valueOf } from './invoke.js'
import { Job, keyOf } from './job.js'
import { errorPayload, replyOfReturned, replyOfThrown } from './outcomes.js'
import { checkedReply } from './output-check.js'
import { described, safely } from './raised.js'
import { ReplyCache } from './reply-cache.js'
import { ReplyWriter } from './reply-writer.js'
import { RunQueue } from './run-queue.js'
import { repeat } from './held-tasks.js'
import { Warnings } from './warnings.js'
import { childWaits, whyWaits } from './waiting.js'

const GRACE_MS = 250
/** How long a function that was cancelled may run on before its task ends with `CANCEL_TIMEOUT`. */
const CANCEL_MS = 1000
const BARRIER_MS = 1000

const MESSAGES = Object.freeze({
  CANCELLED: 'the task was cancelled',
  EXPIRED: 'the deadline of the task passed before it ended',
  CANCEL_TIMEOUT:
    `its function did not end within ${CANCEL_MS / 1000} s after its cancellation: give the signal ` +
    'of its context to fetch and timers, or test context.cancelled',
})

/** The Axons of a Dendrite and the TASKs that they run. */
export class Inbox {
  /** The drops of this part, by name. */
  counts = {}
  /** The tasks that run or wait here, by `keyOf`. */
  jobs = new Map()
  replyCache = new ReplyCache()
  /** What traces the tasks; null for nothing. */
  tracing = null
  #client
  #caller
  #subscriptions
  #floats
  #clock
  #axonSlots = new Map()
  #deadlines = new Deadlines()
  #timer
  #warnings
  #runQueue
  #writer
  #port
  #waiters = new Set()

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port, for the replies.
   * @param {string} parts.dendriteId For the meta of a reply.
   * @param {{ dispatch: Function, dispatchAndWait: Function, ask: Function }} parts.caller Sends
   *   child tasks, also in the role `worker`.
   * @param {object} parts.subscriptions The handlers of this Dendrite: `watchesTasks`, `mayWant`,
   *   `feed`.
   * @param {boolean} [parts.floats] Whether whole floats of a TASK are given as Float.
   * @param {(neuronId: string) => void} [parts.onBusy] Hears that a task waits where none
   *   did: the Axon has no place left, or its rate limit lets none begin.
   * @param {Warnings} [parts.warnings]
   * @param {() => number} [parts.clock] Milliseconds of a monotonic clock.
   */
  constructor({ client, dendriteId, caller, subscriptions, ...more }) {
    const { onBusy = () => {}, floats = false } = more
    const { clock = () => performance.now(), warnings = new Warnings() } = more
    this.#client = client
    this.#caller = caller
    this.#subscriptions = subscriptions
    this.#floats = floats
    this.#clock = clock
    this.#warnings = warnings
    this.onBusy = onBusy
    this.#timer = new DeadlineTimer(
      () => this.#deadlines.nextAtMs(),
      (nowMs) => this.#expire(nowMs),
      clock,
    )
    this.#runQueue = new RunQueue((job, nowMs) => this.#run(job, nowMs), clock)
    this.#writer = new ReplyWriter({
      client,
      dendriteId,
      clock,
      counts: this.counts,
      show: (job, signal) => {
        setOrigin(signal, client.user || null)
        this.#show(job, signal)
      },
      isWatched: (job) => this.#isShown(job, 'THOUGHT_DELTA'),
      told: {
        said: (job, signal) => this.tracing?.said(job, signal),
        ended: (job, signal) => this.tracing?.ended(job, signal, this.#clock()),
      },
      store: (job, answered, bytes) =>
        this.replyCache.settle(job.key, answered, bytes, this.#clock()),
    })
    this.#port = {
      clock,
      say: (job, type, payload) => this.#writer.say(job, type, payload),
      think: (job, text, kind) => {
        this.tracing?.thought(job)
        return this.#writer.think(job, text, kind)
      },
      thinkOn: (job, text) => {
        this.tracing?.thought(job)
        return this.#writer.thinkOn(job, text)
      },
      child: (job, verb, options) => startChild(this.#caller, job, verb, options),
    }
  }

  /** The Axons that receive TASKs, in the order in which they were added. */
  get axons() {
    return [...this.#axonSlots.values()]
      .filter((slots) => !slots.isDetaching)
      .map((slots) => slots.axon)
  }

  /** Whether this Dendrite hosts an Axon, one that is being detached included. */
  get isHosting() {
    return this.#axonSlots.size > 0
  }

  /**
   * Host an Axon.
   * @throws {InvalidArgument} One with this id is hosted already.
   */
  add(axon) {
    if (this.#axonSlots.has(axon.neuronId)) {
      throw new InvalidArgument(`an Axon with the id '${axon.neuronId}' is attached already`)
    }
    this.#axonSlots.set(axon.neuronId, new AxonSlots(axon))
  }

  /**
   * Return the Axon with this id.
   * @throws {InvalidArgument} None with this id is hosted.
   */
  axon(neuronId) {
    const slots = this.#axonSlots.get(neuronId)
    if (slots === undefined || slots.isDetaching) {
      throw new InvalidArgument(`no Axon with the id '${neuronId}' is attached`)
    }
    return slots.axon
  }

  /** Return the number of tasks that an Axon runs, and of those that wait for it. */
  load(neuronId) {
    const { running, queued } = this.#axonSlots.get(neuronId)
    return { running, queued }
  }

  /**
   * Return why a task has not begun here or not ended, for the caller of a task that came too late;
   * '' for no reason.
   */
  whyLate(task) {
    const job = this.jobs.get(keyOf(this.#client.instance, task))
    return job === undefined ? '' : whyWaits(job, this.jobs)
  }

  /** Remove an Axon that was never announced. */
  discard(neuronId) {
    this.#axonSlots.delete(neuronId)
  }

  // ---- TASKs and CANCELs

  /**
   * Run a TASK, queue it, or answer it at once with an ERROR. The arguments are those of the
   * transport port.
   */
  onTask(caller, address, task, trace, kind, ttlMs, flags, body) {
    const key = keyOf(caller, task)
    if (this.jobs.has(key) || this.replyCache.has(key)) {
      return this.#repeated(key, caller, task, trace)
    }
    const slots = this.#axonSlots.get(address)
    if (slots === undefined) {
      return this.#refuse(caller, task, trace, 'NO_SUCH_NEURON', `${address} is not hosted here`)
    }
    let signal
    try {
      signal = readTask(body, this.#floats)
    } catch (error) {
      return this.#refuse(caller, task, trace, 'BAD_SIGNAL', error.message)
    }
    if (!Object.hasOwn(signal.payload, 'input'))
      return this.#writer.card(slots.axon, caller, task, trace)
    setOrigin(signal, this.#client.originOf(caller))
    const nowMs = this.#clock()
    const keep = (flags & KEEP) !== 0
    const job = new Job(slots, signal, key, caller, task, trace, nowMs, nowMs + ttlMs, keep)
    if ((flags & RUN) !== 0) this.#writer.allowRuns(job)
    this.#show(job, signal)
    if (ttlMs === 0) return this.#fail(job, 'EXPIRED', 'the task arrived after its deadline')
    this.#place(job)
  }

  #place(job) {
    const { slots } = job
    if (slots.mayBegin(this.#clock())) {
      this.#accept(job)
      this.#start(job)
    } else if (slots.hasRoom) {
      this.#accept(job)
      slots.enqueue(job)
      if (slots.queued === 1) this.onBusy(slots.axon.neuronId)
      this.#startNext(slots)
    } else {
      const waitS = slots.retryAfterS(this.#clock())
      const payload = errorPayload('OVERLOADED', slots.whyFull(), undefined, waitS)
      this.#writer.settle(job, 'ERROR', payload)
    }
  }

  /** Start the jobs that wait, as far as there are places and the rate limit allows it. */
  #startNext(slots) {
    while (slots.queued > 0 && slots.hasPlace) {
      const waitMs = slots.bucket === null ? 0 : slots.bucket.waitMs(this.#clock())
      if (waitMs > 0) return this.#startLater(slots, waitMs)
      this.#start(slots.next())
    }
  }

  #startLater(slots, waitMs) {
    // While the token is taken, the job that has it goes on when it begins.
    if (slots.timer !== null || waitMs === Infinity) return
    const look = () => {
      slots.timer = null
      this.#startNext(slots)
    }
    slots.timer = setTimeout(look, Math.max(1, Math.ceil(waitMs)))
  }

  /** Send the replies of a TASK that arrived before again; it is not run again. */
  #repeated(key, caller, task, trace) {
    count(this.counts, 'drop.repeated_task')
    if (!this.jobs.has(key) && !repeat(this.#client, this.replyCache, caller, task, 0)) {
      const message = 'the task ran before and its replies are no longer stored'
      this.#refuse(caller, task, trace, 'REPLY_LOST', message)
    }
  }

  /** Cancel a TASK that runs or waits, for its caller. */
  onCancel(caller, task) {
    const job = this.jobs.get(keyOf(caller, task))
    // 03-routing, "CANCEL", 4: it may come twice.
    if (job === undefined || job.isCallerGone) return
    job.isCallerGone = true
    if (!job.isStopped) this.#cancel(job, 'CANCELLED')
  }

  /** Cancel the jobs of a trace that run or wait, each once; return all that have not ended. */
  cancelTrace(traceId) {
    const jobs = [...this.jobs.values()].filter((job) => job.signal.traceId === traceId)
    for (const job of jobs) {
      if (job.isStopped) continue
      job.isStopped = true
      if (!job.isCallerGone) this.#cancel(job, 'CANCELLED')
    }
    return jobs
  }

  #accept(job) {
    this.jobs.set(job.key, job)
    // 03-routing, "Overdue": deadlines belong to the caller, which normally cancels. This is the
    // fallback.
    this.#timer.arm(this.#deadlines.set(job, job.deadlineAtMs + GRACE_MS))
  }

  #expire(nowMs) {
    for (const job of this.#deadlines.due(nowMs)) this.#cancel(job, 'EXPIRED')
  }

  #start(job) {
    job.slots.admit()
    this.#runQueue.start(job)
  }

  #cancel(job, code) {
    if (childWaits(job, this.jobs)) {
      const { neuronId } = job.slots.axon
      const text = `a task ended in vain: ${whyWaits(job, this.jobs)}`
      this.#warnings.warn(`in vain ${neuronId}`, text)
    }
    if (job.reason === null) job.abort(new NeuronError(code, MESSAGES[code]))
    if (job.isStarted) {
      job.cancelTimer ??= setTimeout(() => this.#settleRunning(job), CANCEL_MS).unref()
      return
    }
    const hadPlace = !job.isQueued
    job.slots.withdraw(job)
    if (hadPlace) job.slots.bucket?.giveBack()
    this.#fail(job, code, MESSAGES[code])
    this.#forget(job)
    if (hadPlace) this.#freePlace(job)
  }

  /**
   * Settle a job whose function runs on after its cancellation; its place stays taken until that
   * has ended.
   */
  #settleRunning(job) {
    if (job.isSettled) return
    count(this.counts, 'leaked_places')
    const { neuronId } = job.slots.axon
    this.#warnings.warn(
      `CANCEL_TIMEOUT ${neuronId}`,
      `neuron ${neuronId}: ${MESSAGES.CANCEL_TIMEOUT}`,
    )
    this.#fail(job, 'CANCEL_TIMEOUT', MESSAGES.CANCEL_TIMEOUT)
    this.#forget(job)
  }

  // ---- running

  #run(job, nowMs) {
    if (job.isSettled) return
    job.startedAtMs = nowMs
    if (job.slots.bucket !== null) {
      job.slots.bucket.begun(nowMs)
      this.#startNext(job.slots)
    }
    if (this.tracing === null) this.#call(job)
    else this.tracing.run(job, nowMs, () => this.#call(job))
  }

  /** Call the function of a job; return a promise of its end if it waits. */
  #call(job) {
    let value
    try {
      value = invoke(job, this.#port)
      if (isPending(value)) return this.#runOn(job, value)
    } catch (error) {
      return this.#ended(job, replyOfThrown(error), error)
    }
    return this.#returned(job, value)
  }

  async #runOn(job, pending) {
    let value
    try {
      value = await valueOf(pending, job, this.#port)
    } catch (error) {
      return this.#ended(job, replyOfThrown(error), error)
    }
    return this.#returned(job, value)
  }

  #returned(job, value) {
    const reply = checkedReply(replyOfReturned(value), job.slots.axon, this.#warnings)
    if (Array.isArray(reply)) return this.#ended(job, reply)
    return reply.then((each) => this.#ended(job, each))
  }

  #ended(job, reply, thrown) {
    job.isOver = true
    // What it has streamed goes first.
    job.runs?.flush()
    if (job.flushing !== null) return job.flushing.then(() => this.#ended(job, reply, thrown))
    if (!job.isSettled) {
      const [type, payload] = reply
      // `reason` goes first: a function need not look at its AbortSignal, and whatever it returns
      // or throws after a cancellation, its task was cancelled (07-signals, "Stopping a trace", 1).
      if (job.reason !== null) this.#fail(job, job.reason.code, job.reason.message)
      else if (payload.code === 'NEURON_EXCEPTION' && this.#isOutOfTime(job, thrown))
        this.#fail(job, 'EXPIRED', MESSAGES.EXPIRED)
      else {
        if (payload.code === 'NEURON_EXCEPTION' && thrown !== undefined) this.#log(job, thrown)
        this.#writer.settle(job, type, payload)
      }
      this.#forget(job)
    }
    this.#freePlace(job)
    return undefined
  }

  /** Tell whether a function only ran out of time, as one does whose child task had what was left of it. */
  #isOutOfTime(job, thrown) {
    // 07-signals, "The deadline", 4: who looks at the clock first must not decide on the code.
    return this.#clock() >= job.deadlineAtMs && safely(() => thrown instanceof TimeoutError, false)
  }

  #log(job, thrown) {
    const { neuronId } = job.slots.axon
    const text = `neuron ${neuronId} threw ${described(thrown)}`
    this.#warnings.warn(`NEURON_EXCEPTION ${neuronId}`, text, { error: thrown })
  }

  #fail(job, code, message) {
    this.#writer.settle(job, 'ERROR', errorPayload(code, message))
  }

  #forget(job) {
    clearTimeout(job.cancelTimer)
    if (job.children > 0)
      // an error is dear: its stack costs a sixth of a task
      job.abortChildren(new NeuronError('CANCELLED', 'the task that it is a part of has ended'))
    this.jobs.delete(job.key)
    this.#deadlines.drop(job)
  }

  #freePlace({ slots }) {
    slots.running--
    this.#startNext(slots)
    if (this.#waiters.size > 0) for (const look of [...this.#waiters]) look()
  }

  // ---- replies

  /** Pass a Signal to our own handlers, unless this Dendrite is its caller too. */
  #show(job, signal) {
    if (this.#isShown(job, signal.type)) this.#subscriptions.feed(signal, job.caller)
  }

  /** Tell whether a handler of ours wants the Signals of a type about a job, and nobody else feeds it. */
  #isShown(job, type) {
    const subscriptions = this.#subscriptions
    if (!subscriptions.watchesTasks || job.caller.equals(this.#client.instance)) return false
    return subscriptions.mayWant(type, job.signal.traceId)
  }

  /** Answer a TASK that cannot be read, or that no Axon here serves. */
  #refuse(caller, task, trace, code, message) {
    count(this.counts, `refused.${code.toLowerCase()}`)
    const traceId = bytesId('trc_', trace)
    const body = this.#writer.refusal(traceId, bytesId('evt_', task), errorPayload(code, message))
    this.#client.sendReply(caller, task, trace, CODE.ERROR, body, 0, SETTLES)
  }

  // ---- the end

  /**
   * Wait for the jobs that run or wait; cancel the rest after `timeoutMs`.
   * @returns {Promise<number>} The number of tasks that were cancelled.
   */
  async drain(timeoutMs) {
    await this.#client.barrier(BARRIER_MS)
    const left = await this.#jobsEnd([...this.#axonSlots.values()], timeoutMs)
    this.close()
    return left
  }

  /** Stop the timers: no task expires or begins here any more. */
  close() {
    this.#timer.close()
    for (const slots of this.#axonSlots.values()) clearTimeout(slots.timer)
  }

  /** Remove an Axon; its jobs may end, as in `drain`. */
  async detach(neuronId, timeoutMs) {
    const slots = this.#axonSlots.get(neuronId)
    // It stays in the table until the barrier: a TASK that the Synapse sent before our DEREGISTER
    // may still arrive.
    slots.isDetaching = true
    await this.#client.barrier(BARRIER_MS)
    try {
      return await this.#jobsEnd([slots], timeoutMs)
    } finally {
      this.#axonSlots.delete(neuronId)
    }
  }

  async #jobsEnd(axonSlots, timeoutMs) {
    const areIdle = () => axonSlots.every((slots) => slots.running === 0 && slots.queued === 0)
    await this.#until(areIdle, timeoutMs)
    const left = [...this.jobs.values()].filter((job) => axonSlots.includes(job.slots))
    for (const job of left) this.#cancel(job, 'CANCELLED')
    if (left.length > 0) await this.#until(() => left.every((job) => job.isSettled), CANCEL_MS)
    for (const job of left) this.#settleRunning(job)
    for (const slots of axonSlots) clearTimeout(slots.timer)
    return left.length
  }

  /** Resolve when the functions of jobs have ended, or after `timeoutMs`. */
  functionsEnd(jobs, timeoutMs) {
    return this.#until(() => jobs.every((job) => job.isOver || !job.isStarted), timeoutMs)
  }

  /**
   * Resolve once `isSo` holds, which is looked at whenever a job has ended; after `timeoutMs` at
   * the latest.
   */
  #until(isSo, timeoutMs) {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return
        clearTimeout(timer)
        this.#waiters.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(look)
        resolve()
      }, atMostLongest(timeoutMs))
      this.#waiters.add(look)
      look()
    })
  }
}

function readTask(body, keepFloats) {
  const signal = Signal.decode(body, { keepFloats })
  if (signal.type !== 'TASK') throw new BadSignal(`expected a TASK, got a ${signal.type}`)
  const asksForCard = signal.meta[CARD_MARK] === true
  if (!asksForCard && !Object.hasOwn(signal.payload, 'input'))
    throw new BadSignal('the TASK has no input')
  return signal
}
