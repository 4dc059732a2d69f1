// Writes the Signals of a job: those that its Neuron streams, and the last one.
// Spec: docs/spec/03-routing.md, "Replies"; docs/spec/07-signals.md, "Questions", 1.
import { DendriteProtocolError, SignalTooLarge, UnencodableValue } from '../../errors.js'
import { RUN, SETTLES } from '../../wire/heads.js'
import { whenAborted } from '../../runtime/aborts.js'
import { count } from '../../runtime/counter.js'
import { MAX_RUN_BYTES } from '../../signals/runs.js'
import { QUESTIONS } from '../../signals/signal-types.js'
import { CARD_MARK, cardOf } from '../../signals/cards.js'
import { bytesId } from '../../signals/ids.js'
import { CODE, Signal } from '../../signals/signals.js'
import { passedOn } from '../../tracing/trace-context.js'
import { errorPayload } from './outcomes.js'
import { described } from './raised.js'
import { timedMeta } from './reply-times.js'
import { ReplyStream } from './reply-cache.js'
import { RunSender } from './run-sender.js'
import { thought } from './streamed.js'

const TURN_EVERY = 32
const MAX_UNSENT = 1024
const UNSENT = Object.freeze({
  BUSY: 'drop.reply_busy',
  TOO_LARGE: 'drop.reply_too_large',
  CLOSED: 'drop.reply_closed',
})

export class ReplyWriter {
  #client
  #dendriteId
  #clock
  #counts
  #show
  #store
  #runPort
  #told

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port.
   * @param {string} parts.dendriteId For the meta of every last reply.
   * @param {() => number} parts.clock Milliseconds of a monotonic clock.
   * @param {Record<string, number>} parts.counts Where drops are counted.
   * @param {(job: object, signal: object) => void} parts.show Shows a Signal to our own handlers.
   * @param {object} parts.told `said(job, signal)` and `ended(job, signal)` are told of what leaves.
   * @param {(job: object) => boolean} parts.isWatched Tells whether a handler of ours wants the thoughts of a job.
   * @param {(job: object, answered: Buffer | import('./reply-cache.js').Reply[], bytes: number)
   *   => void} parts.store Stores the replies of a job that has ended.
   */
  constructor({ client, dendriteId, clock, counts, show, store, isWatched, told }) {
    this.#client = client
    this.#dendriteId = dendriteId
    this.#clock = clock
    this.#counts = counts
    this.#show = show
    this.#store = store
    this.#told = told
    this.#runPort = {
      isWatched,
      sendRun: (job, run) => this.#sendRun(job, run),
      thought: (job, payload, id) => this.#made(job, 'THOUGHT_DELTA', payload, id),
    }
  }

  /** Let the thoughts of a job travel as runs: its caller reads them. */
  allowRuns(job) {
    if (this.#client.maxSignalBytes >= MAX_RUN_BYTES) job.runs = new RunSender(job, this.#runPort)
  }

  /**
   * Send a text of a Neuron that works; those of one turn may travel together. Resolve as `say`.
   * @throws {UnencodableValue | SignalTooLarge | DendriteProtocolError} As `say`.
   */
  think(job, text, kind) {
    const { runs } = job
    const isAlone =
      runs === null || (kind ?? null) !== null || this.#isLate(job) || job.unsent !== null
    const run = isAlone ? null : runs.gather(text, job.thoughts)
    if (run === null) return this.say(job, 'THOUGHT_DELTA', thought(job, text, kind))
    job.thoughts++
    const signal = run.last()
    return runs.mustYield ? nextTurn(signal) : Promise.resolve(signal)
  }

  /**
   * Send a text that a generator yields.
   * @returns {Promise<unknown> | null} What it has to wait for.
   */
  thinkOn(job, text) {
    const { runs } = job
    if (runs === null || this.#isLate(job) || job.unsent !== null) return this.think(job, text)
    if (runs.gather(text, job.thoughts) === null)
      return this.say(job, 'THOUGHT_DELTA', thought(job, text))
    job.thoughts++
    return runs.mustYield ? nextTurn() : null
  }

  #isLate(job) {
    return job.isSettled || job.reason !== null
  }

  /**
   * Send a Signal of a Neuron that works; resolve to it when there is room for the next one.
   * @throws {UnencodableValue | SignalTooLarge} It cannot travel.
   * @throws {DendriteProtocolError} 1,024 Signals of this job wait already, since nobody awaits
   *   them.
   */
  say(job, type, payload) {
    if (this.#isLate(job)) return this.#tooLate(job)
    const [signal, body] = this.#made(job, type, payload)
    job.runs?.flush() // 03-routing, "Runs", 3
    const reply = { kind: CODE[type], body, count: 1, signal }
    this.#told.said(job, signal)
    const outcome = job.unsent === null ? this.#sendSaid(job, reply) : 'BUSY'
    if (outcome === 'BUSY') return this.#queue(job, reply).then(() => signal)
    if (outcome === 'WAITING') return this.#room(job).then(() => signal)
    return ++job.said % TURN_EVERY === 0 ? nextTurn(signal) : Promise.resolve(signal)
  }

  #made(job, type, payload, id) {
    const { axon } = job.slots
    const signal = job.signal.reply(type, payload, { directed: axon.producer, id })
    return [signal, signal.encode(this.#client.maxSignalBytes)]
  }

  /** Send a reply that is not the last one; what is held up must not be added to. */
  #sendSaid(job, reply) {
    const outcome = this.#send(job, reply, 0)
    if (job.runs !== null) job.runs.isHeldUp = outcome !== 'SENT'
    return outcome
  }

  /** Send the thoughts of one turn; without room they wait like any other reply. */
  #sendRun(job, run) {
    const reply = { kind: CODE.THOUGHT_DELTA, body: run.encode(), count: run.count, signal: null }
    const outcome = job.unsent === null ? this.#send(job, reply, 0) : 'BUSY'
    if (outcome === 'BUSY') this.#keepUnsent(job, reply)
    return outcome
  }

  /** Return a promise that is rejected, and that harms nobody who does not await it. */
  #tooLate(job) {
    count(this.#counts, 'drop.said_late')
    const late = Promise.reject(
      job.reason ??
        new DendriteProtocolError('the task has ended: nothing is sent for it any more'),
    )
    late.catch(() => {})
    return late
  }

  #queue(job, reply) {
    if (job.unsent !== null && job.unsent.length >= MAX_UNSENT) {
      throw new DendriteProtocolError(
        `${MAX_UNSENT} Signals of the task wait for room: await think(), toolCall() and the like`,
      )
    }
    return this.#keepUnsent(job, reply)
  }

  #keepUnsent(job, reply) {
    job.unsent ??= []
    job.unsent.push(reply)
    job.flushing ??= this.#flush(job)
    return job.flushing
  }

  /** Send what waits, in order, as room comes. */
  async #flush(job) {
    let sent = 0
    while (sent < job.unsent.length) {
      await this.#room(job)
      if (job.isSettled || job.reason !== null) break
      for (; sent < job.unsent.length; sent++) {
        if (this.#sendSaid(job, job.unsent[sent]) === 'BUSY') break
      }
    }
    for (const each of job.unsent.slice(sent)) count(this.#counts, 'drop.said_late', each.count)
    job.unsent = null
    job.flushing = null
  }

  /** Resolve when no message waits for room any more, or when the job is cancelled. */
  #room(job) {
    return new Promise((resolve) => {
      let unlink = () => {}
      const done = () => {
        unlink()
        resolve()
      }
      unlink = whenAborted(job.abortSignal, done)
      this.#client.drained().then(done, done)
    })
  }

  /** Send the last reply of a job: ERROR `BAD_OUTPUT` if this one cannot travel. */
  settle(job, type, payload) {
    if (type === 'AGENT_OUTPUT' && job.signal.payload.finalize === true) {
      type = 'FINAL'
      payload = { result: payload.output }
    }
    const meta = timedMeta(this.#dendriteId, job.arrivedAtMs, job.startedAtMs, this.#clock())
    const [signal, body] = this.#encoded(job, type, payload, meta)
    job.runs?.flush()
    job.isSettled = true
    this.#send(job, { kind: CODE[signal.type], body, count: 1, signal }, SETTLES)
    this.#told.ended(job, signal)
  }

  /** Return the last Signal and its bytes; `isLeast` for a question without the payload of its TASK. */
  #encoded(job, type, payload, meta, isLeast = !QUESTIONS.has(type)) {
    const directed = job.slots.axon.producer
    let fault
    try {
      // 07-signals, "Questions", 1 and 6: another Dendrite can go on with it when the caller is gone.
      const told = isLeast
        ? meta
        : { ...meta, ...passedOn(job.signal.meta), task: job.signal.payload }
      const signal = job.signal.reply(type, payload, { directed, meta: told })
      return [signal, signal.encode(this.#client.maxSignalBytes)]
    } catch (error) {
      const isTooLarge = error instanceof SignalTooLarge
      if (isTooLarge && !isLeast) return this.#encoded(job, type, payload, meta, true)
      fault = isTooLarge ? sizeFault(error) : valueFault(error)
    }
    count(this.#counts, 'bad_output')
    const failed = job.signal.reply('ERROR', errorPayload('BAD_OUTPUT', fault), { directed, meta })
    return [failed, failed.encode()]
  }

  /** Answer a TASK that asks for the card of an Axon; it is no task of its function. */
  card(axon, caller, task, trace) {
    const signal = new Signal({
      type: 'AGENT_OUTPUT',
      traceId: bytesId('trc_', trace),
      parentId: bytesId('evt_', task),
      payload: { output: axon.card ?? cardOf(axon).card },
      directed: axon.producer,
      meta: { dendrite: this.#dendriteId, [CARD_MARK]: true },
    })
    this.#client.sendReply(caller, task, trace, CODE.AGENT_OUTPUT, signal.encode(), 0, SETTLES)
  }

  /** Return the body of an ERROR for a TASK that makes no job. */
  refusal(traceId, parentId, payload) {
    const meta = { dendrite: this.#dendriteId }
    return new Signal({ type: 'ERROR', traceId, parentId, payload, meta }).encode()
  }

  #send(job, { kind, body, count: replies, signal }, flags) {
    const { index, caller, task, trace } = job
    const settles = flags !== 0
    const outcome = this.#client.sendReply(
      caller,
      task,
      trace,
      kind,
      body,
      index,
      replies > 1 ? RUN : flags,
    )
    if (settles) this.#keep(job, index, kind, body)
    if (outcome === 'SENT' || outcome === 'WAITING') {
      job.index = index + replies
      if (!settles) streamOf(job).add([index, kind, body, replies])
    } else if (settles || outcome !== 'BUSY') count(this.#counts, UNSENT[outcome], replies)
    // 03-routing, "CANCEL", 2: the caller has published how a cancelled task ended.
    const isShown = settles ? !job.isCallerGone : outcome !== 'BUSY'
    if (isShown && signal !== null) this.#show(job, signal) // nobody of ours watches a run
    return outcome
  }

  /** Store the replies of a job that has ended, in case one gets lost. */
  #keep(job, index, kind, body) {
    if (index === 0) return this.#store(job, body, body.length)
    const replies = job.stream === null ? [] : job.stream.stored()
    replies.push([index, kind, body, 1])
    let bytes = 0
    for (const [, , each] of replies) bytes += each.length
    this.#store(job, replies, bytes)
  }
}

const streamOf = (job) => (job.stream ??= new ReplyStream())

/** A Neuron that never waits must not keep the sockets from being read. */
const nextTurn = (value) => new Promise((resolve) => setImmediate(resolve, value))

function sizeFault({ size, limit }) {
  const [bytes, most] = [size, limit].map((each) => each.toLocaleString('en'))
  return `the output has ${bytes} bytes, the limit is ${most}`
}

/** What is no UnencodableValue was thrown by a getter of the value. */
const valueFault = (error) =>
  error instanceof UnencodableValue
    ? error.message
    : `the output cannot be read: ${described(error)}`
