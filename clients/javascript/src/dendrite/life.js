// The life of a Dendrite: new, starting, running, stopping, stopped; and the outages on the way.
import { DendriteProtocolError, InvalidArgument, shown } from '../errors.js'

const CLOSE_MS = 1000
const LONG_START_MS = 60_000 // for a Synapse that answered a moment ago

/** Starts and stops the rooms of a Dendrite in order, and passes on the events of its transport. */
export class Life {
  #client
  #caller
  #worker
  #watch
  #dendriteId
  #url
  #logger
  #state = 'new'
  #isAway = false
  #isRefused = false
  #stopping = null
  #starting = null
  #awayHandlers = new Set()
  #backHandlers = new Set()

  /**
   * @param {{ client: object, caller: object, worker: object, watch: object }} rooms The transport
   *   and the rooms.
   * @param {{ dendriteId: string, url: string, logger: object }} about For texts.
   */
  constructor({ client, caller, worker, watch }, { dendriteId, url, logger }) {
    this.#client = client
    this.#caller = caller
    this.#worker = worker
    this.#watch = watch
    this.#dendriteId = dendriteId
    this.#url = url
    this.#logger = logger
  }

  get state() {
    return this.#state === 'running' && this.#client.awayMs !== null ? 'away' : this.#state
  }

  get isRunning() {
    return this.#state === 'running'
  }

  /** Whether it is stopped, or about to be. */
  get isOver() {
    return this.#state === 'stopping' || this.#state === 'stopped'
  }

  /** Return why this Dendrite may not act, and what to do. */
  whyNot() {
    const remedy = {
      new: "call 'await dendrite.start()' first",
      starting: "wait for 'await dendrite.start()'",
    }
    return `this Dendrite is ${this.#state}: ${remedy[this.#state] ?? 'make a new one'}`
  }

  /** Connect the events of the transport to the rooms, and let a resync ask them. */
  connect(receiver) {
    const { dispatcher } = this.#caller
    const worker = this.#worker
    const { subscriptions, published } = this.#watch
    Object.assign(receiver, {
      onTask: (caller, address, task, trace, kind, ttlMs, flags, body) =>
        worker.onTask(caller, address, task, trace, kind, ttlMs, flags, body),
      onReply: (instance, task, trace, kind, index, flags, body) =>
        dispatcher.onReply(instance, task, trace, kind, index, flags, body),
      onCancel: (caller, task) => worker.onCancel(caller, task),
      onBounce: (task, reason) => dispatcher.onBounce(task, reason),
      onLost: (task, reason) => dispatcher.onLost(task, reason),
      onHeard: (kind, trace, caller, instance, body) =>
        subscriptions.onHeard(kind, trace, caller, instance, body),
      onMissed: (count) => subscriptions.onMissed(count),
      onPublished: (publisher, kind, trace, body) =>
        published.onPublished(publisher, kind, trace, body),
      onRegistered: (neuronId, refusal) => worker.onRegistered(neuronId, refusal),
      onWelcomed: () => this.#onWelcomed(),
      onAway: (why) => this.#onAway(why),
    })
    this.#client.resyncFrom({
      openTasks: () => this.#caller.openTasks(),
      heldTasks: () => worker.heldTasks(),
      claimOf: (caller, task) => worker.claimOf(caller, task),
      sendAgain: (caller, task, index) => worker.sendAgain(caller, task, index),
    })
  }

  // ---- starting and stopping

  /** Connect and register the Axons; see `Dendrite.start`. */
  async start(timeoutMs) {
    if (this.#state !== 'new')
      throw new DendriteProtocolError(
        `this Dendrite is ${this.#state}, and start() works once: ` +
          (this.isOver ? 'make a new one' : 'leave the second call out'),
      )
    this.#state = 'starting'
    this.#starting = this.#open(timeoutMs)
    try {
      await this.#starting
    } catch (error) {
      if (this.#stopping === null) {
        await this.stop(null, 0)
        throw error
      }
    }
    if (this.#stopping === null) return
    await this.#stopping
    throw new DendriteProtocolError('this Dendrite was stopped while it started')
  }

  async #open(timeoutMs) {
    const begunAtMs = performance.now()
    await this.#client.open(timeoutMs, this.#watch.subscriptions.topics())
    this.#watch.checkRights()
    const leftMs =
      timeoutMs === null ? LONG_START_MS : Math.max(0, begunAtMs + timeoutMs - performance.now())
    await this.#worker.start(leftMs)
    if (this.#state === 'starting') this.#state = 'running'
  }

  /** Drain and close; see `Dendrite.stop`. */
  stop(reason, drainMs) {
    this.#stopping ??= this.#close(reason, drainMs)
    return this.#stopping
  }

  async #close(reason, drainMs) {
    const was = this.#state
    this.#state = 'stopping'
    try {
      // Also in a start that failed: an Axon may have been registered by then.
      if (was !== 'new') await this.#worker.stop(reason, drainMs)
      this.#caller.close()
    } finally {
      await this.#client.close(was === 'running' ? CLOSE_MS : 0)
      await this.#watch.close()
      this.#state = 'stopped'
    }
  }

  // ---- outages

  onAway(fn) {
    return added(this.#awayHandlers, fn)
  }

  onBack(fn) {
    return added(this.#backHandlers, fn)
  }

  #onWelcomed() {
    const awayMs = this.#caller.dispatcher.absence.end(performance.now())
    this.#worker.onWelcomed()
    this.#watch.published.onWelcomed()
    if (!this.#isAway) return
    this.#isAway = false
    this.#logger.warn(
      `dendrite ${this.#dendriteId} is back at its Synapse after ${(awayMs / 1000).toFixed(1)} s`,
    )
    this.#tell(this.#backHandlers, 'onBack')
  }

  #onAway(why) {
    this.#caller.dispatcher.absence.begin(performance.now(), why)
    this.#worker.onAway()
    if (this.#state !== 'running') return
    if (this.#isAway) {
      this.#sayRefused(why)
      return
    }
    this.#isAway = true
    this.#isRefused = why.startsWith('refused: ')
    this.#logger.warn(
      `dendrite ${this.#dendriteId} lost its Synapse at ${this.#url} (${why}), reconnecting`,
    )
    this.#tell(this.#awayHandlers, 'onAway', why)
  }

  /** Say once in an outage that the Synapse is there, and does not let us in. */
  #sayRefused(why) {
    if (this.#isRefused || !why.startsWith('refused: ')) return
    this.#isRefused = true
    this.#logger.warn(
      `dendrite ${this.#dendriteId} is ${why} (the Synapse at ${this.#url}); it goes on trying`,
    )
  }

  #tell(handlers, name, ...values) {
    for (const fn of [...handlers]) this.#call(fn, name, values)
  }

  async #call(fn, name, values) {
    try {
      await fn(...values)
    } catch (error) {
      this.#logger.warn(`a handler of ${name} threw`, error)
    }
  }
}

function added(handlers, fn) {
  if (typeof fn !== 'function')
    throw new InvalidArgument(`a handler must be a function, not ${shown(fn)}`)
  const own = (...values) => fn(...values) // the same function may be added twice
  handlers.add(own)
  return () => handlers.delete(own)
}
