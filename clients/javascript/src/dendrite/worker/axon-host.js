// All that a Dendrite needs to host Axons, behind one object: its inbox, its registration, its held tasks.
import { HeldTasks } from './held-tasks.js'
import { Inbox } from './inbox.js'
import { Registration } from './registration.js'
import { StopReceiver } from './stop-receiver.js'
import { Warnings } from './warnings.js'

const ACKNOWLEDGE_MS = 5000

export class AxonHost {
  /**
   * @param {object} parts
   * @param {object} parts.client The transport port.
   * @param {string} parts.url The URL of the Synapse, for error texts.
   * @param {string} parts.dendriteId
   * @param {object} parts.subscriptions Our own handlers: `watchesTasks`, `mayWant`, `feed`.
   * @param {object} parts.publisher `publish`, `publishAgain`.
   * @param {object} parts.dispatcher Sends child tasks, in the role `worker` too: `dispatch`, `dispatchAndWait`, `ask`.
   * @param {number} [parts.heartbeatMs] The longest time between two HEARTBEATs, 2,000 by default.
   * @param {boolean} [parts.floats] Whether whole floats of a TASK are given as Float.
   */
  constructor({ client, url, dendriteId, subscriptions, publisher, dispatcher, ...options }) {
    const { heartbeatMs, floats = false } = options
    const warnings = new Warnings()
    this.inbox = new Inbox({ client, dendriteId, subscriptions, dispatcher, warnings, floats })
    const { inbox } = this
    this.registration = new Registration({ client, url, inbox, dendriteId, heartbeatMs, warnings })
    inbox.onBusy = (neuronId) => this.registration.onBusy(neuronId)
    const { jobs, replyCache } = inbox
    this.heldTasks = new HeldTasks({ client, jobs, replyCache })
    this.stopReceiver = new StopReceiver({ client, publisher, inbox, dendriteId })
  }

  /** The drops of a worker, by name. */
  get counts() {
    return { ...this.inbox.counts, ...this.stopReceiver.counts }
  }

  /** Host an Axon; on a running Dendrite resolve when the Synapse routes to it, within 5 s. */
  async add(axon, isRunning) {
    this.inbox.add(axon)
    if (!isRunning) return
    try {
      await this.registration.announceOne(axon, ACKNOWLEDGE_MS)
    } catch (error) {
      this.inbox.discard(axon.neuronId)
      throw error
    }
  }

  /** Remove an Axon: it receives no new TASKs, and its jobs may run for `drainMs`. */
  async detach(neuronId, { drainMs = 10_000, isRunning = true } = {}) {
    const axon = this.inbox.axon(neuronId)
    if (!isRunning) return void this.inbox.discard(neuronId)
    this.registration.deregister(axon, 'detached')
    await this.inbox.detach(neuronId, drainMs)
  }

  /** Register every Axon; see Registration. */
  start(timeoutMs) {
    return this.registration.start(timeoutMs)
  }

  /** Deregister, then let what runs end within `drainMs`; resolve to the number of tasks that were cancelled. */
  async stop(reason, drainMs) {
    this.registration.stop(reason)
    return this.inbox.isHosting ? this.inbox.drain(drainMs) : 0
  }

  onAway() {
    this.inbox.replyCache.pause()
  }

  onWelcomed() {
    this.inbox.replyCache.resume(performance.now())
    this.registration.announce()
  }
}
