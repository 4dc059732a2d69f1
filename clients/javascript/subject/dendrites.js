// Dendrites of this process for a driver: its calls are theirs, and their Neurons run at the driver.
import { Axon, Clarification, Dendrite, Escalation, NeuronError } from '../src/index.js'
import { PermissionNeeded } from '../src/index.js'

const RAISED = {
  NeuronError: ({ code, message, recoverable }) => new NeuronError(code, message, { recoverable }),
  Clarification: ({ payload }) => new Clarification(payload.question, payload),
  PermissionNeeded: ({ payload }) => new PermissionNeeded(payload.action, payload),
  Escalation: ({ payload }) => new Escalation(payload.reason, payload),
}

/** A job that runs at the driver: what it yields comes as pieces, its end as a value or an error. */
class FarJob {
  #pieces = []
  #wake = () => {}
  constructor(context) {
    this.context = context
    this.end = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }))
    this.end.then(
      () => this.#close(),
      () => this.#close(),
    )
  }
  #isOver = false
  #close() {
    this.#isOver = true
    this.#wake()
  }
  put(piece) {
    this.#pieces.push(piece)
    this.#wake()
  }
  async *pieces() {
    for (;;) {
      while (this.#pieces.length > 0) yield this.#pieces.shift()
      if (this.#isOver) return
      await new Promise((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

export class DendriteSubject {
  #channel
  #handle
  #dendrite
  #jobs = new Map()
  #jobCount = 0
  #calls = new Map()
  #handlers = new Map()
  #pathways = new Map()

  constructor(channel, handle, options) {
    this.#channel = channel
    this.#handle = handle
    this.#dendrite = new Dendrite({ ...options, floats: true, logger: null })
  }

  get(name) {
    return this.#dendrite[name]
  }
  /** A call of the Dendrite that takes and gives values alone. */
  async call(name, ...args) {
    const value = await this.#dendrite[name](...args)
    return value === this.#dendrite ? null : value
  }
  /** A call that the driver can cancel, by its number. */
  async cancellable(number, name, options) {
    const controller = new AbortController()
    this.#calls.set(number, controller)
    try {
      return await this.#dendrite[name]({ ...options, signal: controller.signal })
    } finally {
      this.#calls.delete(number)
    }
  }
  cancel(number) {
    this.#calls.get(number)?.abort()
  }

  // ---- watching
  on(number, types, filter) {
    const fn = (signal) => this.#channel.tell(this.#handle, 'signal', number, signal)
    const { traceId, ...others } = filter
    const isOfTrace = traceId !== undefined && Object.keys(others).length === 0
    const off = isOfTrace
      ? this.#dendrite.onTrace(traceId, types.length === 0 ? {} : { types }, fn)
      : this.#dendrite.onSignal(types, filter, fn)
    this.#handlers.set(number, off)
  }
  off(number) {
    this.#handlers.get(number)()
  }

  // ---- Pathways
  follow(number, options) {
    const pathway = this.#dendrite.dispatch(options)
    this.#pathways.set(number, pathway)
    this.#forward(number, pathway)
    return pathway.traceId
  }
  async #forward(number, pathway) {
    for await (const signal of pathway) this.#channel.tell(this.#handle, 'piece', number, signal)
    this.#channel.tell(this.#handle, 'piece', number, null)
  }
  leave(number) {
    this.#pathways.get(number).close()
  }

  // ---- Axons
  axon(verb, { streams, ...options }) {
    const { neuronId } = options
    const begin = (input, context) => this.#begin(neuronId, input, context)
    const neuronFn = streams
      ? async function* neuron(input, context) {
          const job = begin(input, context)
          yield* job.pieces()
          return job.end
        }
      : (input, context) => begin(input, context).end
    return this.#dendrite[verb](new Axon({ ...options, neuronFn })) === this.#dendrite
      ? null
      : undefined
  }
  #begin(neuronId, input, context) {
    const number = ++this.#jobCount
    const job = new FarJob(context)
    this.#jobs.set(number, job)
    job.end.then(
      () => this.#jobs.delete(number),
      () => this.#jobs.delete(number),
    )
    context.signal.addEventListener('abort', () =>
      this.#channel.tell(this.#handle, 'abort', number),
    )
    const facts = { traceId: context.traceId, remainingMs: context.remainingMs }
    this.#channel.tell(this.#handle, 'invoke', number, neuronId, input, facts)
    return job
  }
  put(number, piece) {
    this.#jobs.get(number)?.put(piece)
  }
  done(number, value) {
    this.#jobs.get(number)?.resolve(value)
  }
  fail(number, raised) {
    const job = this.#jobs.get(number)
    const made = RAISED[raised.name]?.(raised)
    job?.reject(
      made ?? (raised.isCancelled ? job.context.signal.reason : new Error(raised.message)),
    )
  }
  /** A call of the context of a job. */
  async say(number, name, ...args) {
    return this.#jobs.get(number).context[name](...args)
  }
}
