// The room of the worker: the Axons of a Dendrite, their registration and their tasks, behind one
// object.
import { InvalidArgument, shown } from '../../errors.js'
import { Permits } from '../permits.js'
import { HeldTasks } from './held-tasks.js'
import { Inbox } from './inbox.js'
import { Registration } from './registration.js'
import { StopReceiver } from './stop-receiver.js'
import { Warnings } from './warnings.js'

const ACKNOWLEDGE_MS = 5000
const DRAIN_MS = 10_000

/** What the facade of a Dendrite asks of its worker's side. */
export class Worker {
  #inbox
  #registration
  #permits
  #heldTasks
  #stopReceiver
  #subscriptions
  #obeysStops = false
  #published

  /**
   * @param {object} parts
   * @param {object} parts.client The transport.
   * @param {object} parts.subscriptions The handlers, which are fed with our own traffic.
   * @param {object} parts.publisher Publishes the STOPPEDs.
   * @param {object} parts.published Brings the STOPs.
   * @param {object} parts.caller Sends child tasks, in the role `worker` too: `dispatch`,
   *   `dispatchAndWait`, `ask`.
   * @param {string} parts.dendriteId For the meta of replies and presence.
   * @param {string} parts.url The URL of the Synapse, for error texts.
   * @param {object} [parts.logger] Is told what a person should know: `warn(text, error)`.
   * @param {object} [parts.permits] The rights of our key.
   * @param {number} [parts.heartbeatMs] The longest time between two HEARTBEATs, 2,000 by default.
   * @param {boolean} [parts.floats] Whether whole floats of a TASK are given as Float.
   */
  constructor({ client, subscriptions, caller, dendriteId, url, logger, ...options }) {
    const { publisher, published, heartbeatMs, floats = false } = options
    const warnings = new Warnings(logger)
    const inbox = new Inbox({ client, dendriteId, subscriptions, caller, warnings, floats })
    this.#inbox = inbox
    const permits = options.permits ?? new Permits(client, url)
    this.#permits = permits
    const parts = { client, url, inbox, dendriteId, heartbeatMs, warnings, permits }
    this.#registration = new Registration(parts)
    inbox.onBusy = (neuronId) => this.#registration.onBusy(neuronId)
    this.#heldTasks = new HeldTasks({ client, jobs: inbox.jobs, replyCache: inbox.replyCache })
    this.#stopReceiver = new StopReceiver({ client, publisher, inbox, dendriteId })
    this.#subscriptions = subscriptions
    this.#published = published
  }

  /** Trace the tasks from now on. */
  trace(tracing) {
    this.#inbox.tracing = tracing
  }

  /** Where the worker's side counts. */
  get ownCounts() {
    return this.#inbox.counts
  }

  /** The drops of a worker, by name. */
  get counts() {
    return { ...this.#inbox.counts, ...this.#stopReceiver.counts }
  }

  /**
   * Host an Axon before the start.
   * @throws {InvalidArgument} It is no Axon, or one with this id is attached already.
   */
  attach(axon) {
    // Not `instanceof`: a program may hold two copies of this package.
    if (typeof axon?.neuronFn !== 'function' || axon.producer === undefined)
      throw new InvalidArgument(`an Axon is needed, as of new Axon({ ... }), not ${shown(axon)}`)
    this.#inbox.add(axon)
    this.#updateSubscription()
  }

  /**
   * Host an Axon; on a running Dendrite resolve when the Synapse routes to it, within 5 s.
   * @throws {InvalidArgument | SynapseUnreachable | SynapseRefused | AccessRefused}
   */
  async add(axon) {
    if (typeof axon?.neuronId === 'string') this.#permits.checkServe(axon.neuronId)
    this.attach(axon)
    if (!this.#registration.isRunning) return
    try {
      await this.#registration.announceOne(axon, ACKNOWLEDGE_MS)
      await this.#subscriptions.settle() // from now on it obeys a STOP, too
    } catch (error) {
      // A REGISTER without an answer may still be on its way.
      this.#registration.deregister(axon, 'not registered')
      this.#inbox.discard(axon.neuronId)
      this.#updateSubscription()
      throw error
    }
  }

  /**
   * Remove an Axon: it receives no new TASKs, and its jobs may run for `drainMs`.
   * @returns {Promise<number>} The number of tasks that were cancelled.
   * @throws {InvalidArgument} No Axon with this id is attached.
   */
  async detach(neuronId, drainMs = DRAIN_MS) {
    const axon = this.#inbox.axon(neuronId)
    try {
      if (this.#registration.isRunning) {
        this.#registration.deregister(axon, 'detached')
        return await this.#inbox.detach(neuronId, drainMs)
      }
      this.#inbox.discard(neuronId)
      return 0
    } finally {
      this.#updateSubscription()
    }
  }

  /**
   * Register every Axon; resolve when the Synapse has acknowledged all of them.
   * @throws {SynapseUnreachable | SynapseRefused} It did not within `timeoutMs`, or refused one.
   * @throws {AccessRefused} Our key may not serve one of them.
   */
  async start(timeoutMs) {
    for (const axon of this.#inbox.axons) this.#permits.checkServe(axon.neuronId)
    await this.#registration.start(timeoutMs)
  }

  /**
   * Deregister, let what runs end for `drainMs`, and cancel the rest.
   * @param {string | null} reason
   * @param {number} drainMs
   * @returns {Promise<number>} The number of tasks that were cancelled.
   */
  async stop(reason, drainMs) {
    this.#registration.stop(reason)
    return this.#inbox.isHosting ? this.#inbox.drain(drainMs) : 0
  }

  // ---- what the transport tells

  onTask(caller, address, task, trace, kind, ttlMs, flags, body) {
    this.#inbox.onTask(caller, address, task, trace, kind, ttlMs, flags, body)
  }

  onCancel(caller, task) {
    this.#inbox.onCancel(caller, task)
  }

  onRegistered(neuronId, refusal) {
    this.#registration.onRegistered(neuronId, refusal)
  }

  /** Register again: after a restart the Synapse does not know us. */
  onWelcomed() {
    this.#inbox.replyCache.resume(performance.now())
    this.#registration.announce()
  }

  onAway() {
    this.#inbox.replyCache.pause()
  }

  // ---- for a resync

  heldTasks() {
    return this.#heldTasks.heldTasks()
  }

  claimOf(caller, task) {
    return this.#heldTasks.claimOf(caller, task)
  }

  sendAgain(caller, task, index) {
    this.#heldTasks.sendAgain(caller, task, index)
  }

  /** Return why a task that this Dendrite sent to an Axon of its own has not begun, or ''. */
  whyLate({ task }) {
    return this.#inbox.whyLate(task)
  }

  /** Obey a STOP if, and only if, an Axon is hosted (07-signals, "Stopping a trace", 1). */
  #updateSubscription() {
    if (this.#inbox.isHosting === this.#obeysStops) return
    this.#obeysStops = this.#inbox.isHosting
    if (this.#obeysStops)
      this.#published.on(['STOP'], (stop, sender, isDirected) =>
        this.#stopReceiver.onStop(stop, sender, isDirected),
      )
    else this.#published.off('STOP')
  }
}
