// Writes the Signals of a job: those that its Neuron streams, and the last one.
// Spec: docs/spec/03-routing.md, "Replies"; docs/spec/07-signals.md, "Questions", 1.
import { DendriteProtocolError, SignalTooLarge, UnencodableValue } from '../../errors.js'
import { whenAborted } from '../../runtime/aborts.js'
import { count } from '../../runtime/counter.js'
import { QUESTIONS } from '../../signals/signal-types.js'
import { CODE, Signal } from '../../signals/signals.js'
import { errorPayload } from './outcomes.js'
import { described } from './raised.js'
import { ReplyStream } from './reply-cache.js'

const TURN_EVERY = 32
const MAX_UNSENT = 1024
const UNSENT = Object.freeze({
  BUSY: 'drop.reply_busy',
  TOO_LARGE: 'drop.reply_too_large',
  CLOSED: 'drop.reply_closed',
})

export class ReplyWriter {
  #client
  #meta
  #counts
  #show
  #store

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port.
   * @param {object} parts.meta The meta of every last reply.
   * @param {Record<string, number>} parts.counts Where drops are counted.
   * @param {(job: object, signal: object) => void} parts.show Shows a Signal to our own handlers.
   * @param {(job: object, answered: Buffer | import('./reply-cache.js').Reply[], bytes: number)
   *   => void} parts.store Stores the replies of a job that has ended.
   */
  constructor({ client, meta, counts, show, store }) {
    this.#client = client
    this.#meta = meta
    this.#counts = counts
    this.#show = show
    this.#store = store
  }

  /**
   * Send a Signal of a Neuron that works; resolve to it when there is room for the next one.
   * @throws {UnencodableValue | SignalTooLarge} It cannot travel.
   * @throws {DendriteProtocolError} 1,024 Signals of this job wait already, since nobody awaits
   *   them.
   */
  say(job, type, payload) {
    if (job.isSettled || job.reason !== null) return this.#tooLate(job)
    const signal = job.signal.reply(type, payload, { directed: job.slots.axon.producer })
    const body = signal.encode(this.#client.maxSignalBytes)
    if (job.unsent !== null) return this.#queue(job, signal, body)
    const outcome = this.#send(job, signal, body, false)
    if (outcome === 'BUSY') return this.#queue(job, signal, body)
    if (outcome === 'WAITING') return this.#room(job).then(() => signal)
    if (++job.said % TURN_EVERY !== 0) return Promise.resolve(signal)
    // A Neuron that never waits must not keep the sockets from being read.
    return new Promise((resolve) => setImmediate(resolve, signal))
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

  #queue(job, signal, body) {
    job.unsent ??= []
    if (job.unsent.length >= MAX_UNSENT) {
      throw new DendriteProtocolError(
        `${MAX_UNSENT} Signals of the task wait for room: await think(), toolCall() and the like`,
      )
    }
    job.unsent.push([signal, body])
    job.flushing ??= this.#flush(job)
    return job.flushing.then(() => signal)
  }

  /** Send what waits, in order, as room comes. */
  async #flush(job) {
    let sent = 0
    while (sent < job.unsent.length) {
      await this.#room(job)
      if (job.isSettled || job.reason !== null) break
      for (; sent < job.unsent.length; sent++) {
        const [signal, body] = job.unsent[sent]
        if (this.#send(job, signal, body, false) === 'BUSY') break
      }
    }
    if (sent < job.unsent.length) count(this.#counts, 'drop.said_late', job.unsent.length - sent)
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
    // 07-signals, "Questions", 1 and 6: another Dendrite can go on with it when the caller is gone.
    const meta = QUESTIONS.has(type) ? { ...this.#meta, task: job.signal.payload } : this.#meta
    const [signal, body] = this.#encoded(job, type, payload, meta)
    job.isSettled = true
    this.#send(job, signal, body, true)
  }

  #encoded(job, type, payload, meta) {
    const directed = job.slots.axon.producer
    let fault
    try {
      const signal = job.signal.reply(type, payload, { directed, meta })
      return [signal, signal.encode(this.#client.maxSignalBytes)]
    } catch (error) {
      const isTooLarge = error instanceof SignalTooLarge
      if (isTooLarge && meta !== this.#meta) return this.#encoded(job, type, payload, this.#meta)
      fault = isTooLarge ? sizeFault(error) : valueFault(error)
    }
    count(this.#counts, 'bad_output')
    const failed = job.signal.reply('ERROR', errorPayload('BAD_OUTPUT', fault), {
      directed,
      meta: this.#meta,
    })
    return [failed, failed.encode()]
  }

  /** Return the body of an ERROR for a TASK that makes no job. */
  refusal(traceId, parentId, payload) {
    return new Signal({ type: 'ERROR', traceId, parentId, payload, meta: this.#meta }).encode()
  }

  #send(job, signal, body, settles) {
    const { index } = job
    const kind = CODE[signal.type]
    const { caller, task, trace } = job
    const outcome = this.#client.sendReply(caller, task, trace, kind, body, index, settles, false)
    if (settles) this.#keep(job, index, kind, body)
    if (outcome === 'SENT' || outcome === 'WAITING') {
      job.index = index + 1
      if (!settles) {
        job.stream ??= new ReplyStream()
        job.stream.add([index, kind, body])
      }
    } else if (settles || outcome !== 'BUSY') count(this.#counts, UNSENT[outcome])
    // 03-routing, "CANCEL", 2: the caller has published how a cancelled task ended.
    const isShown = outcome !== 'BUSY' || settles
    if (isShown && !(job.isCallerGone && settles)) this.#show(job, signal)
    return outcome
  }

  /** Store the replies of a job that has ended, in case one gets lost. */
  #keep(job, index, kind, body) {
    if (index === 0) return this.#store(job, body, body.length)
    const replies = job.stream === null ? [] : job.stream.stored()
    replies.push([index, kind, body])
    let bytes = 0
    for (const [, , each] of replies) bytes += each.length
    this.#store(job, replies, bytes)
  }
}

function sizeFault({ size, limit }) {
  const [bytes, most] = [size, limit].map((each) => each.toLocaleString('en'))
  return `the output has ${bytes} bytes, the limit is ${most}`
}

/** What is no UnencodableValue was thrown by a getter of the value. */
const valueFault = (error) =>
  error instanceof UnencodableValue
    ? error.message
    : `the output cannot be read: ${described(error)}`
