// Obeying a STOP: the tasks of its trace that run here are cancelled and counted, and a STOPPED
// tells so. Spec: docs/spec/07-signals.md, "Stopping a trace", 1 and 3. Nothing is rolled back
// here: rule 2 leaves that to a Dendrite that can.
import { setTimeout as pause } from 'node:timers/promises'
import { count } from '../../runtime/counter.js'
import { idBytes } from '../../signals/ids.js'
import { Directed } from '../../signals/signals.js'
import { LISTENERS, toPeer } from '../watch/publisher.js'
import { RecentIds } from '../watch/recent-ids.js'

const MAX_STOPS = 1024
const BARRIER_MS = 1000
const FUNCTIONS_MS = 5000
const PUBLISH_MS = 100
const PUBLISH_EVERY_MS = 10

export class StopReceiver {
  /** The drops of this part, by name. */
  counts = {}
  #client
  #publisher
  #inbox
  #producer
  #stoppedTraces = new Map()
  #seen = new RecentIds(MAX_STOPS)
  #open = 0

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port: tells whether a TASK may still be on its way
   *   to us.
   * @param {{ publish: Function, publishAgain: Function }} parts.publisher Publishes the STOPPEDs.
   * @param {import('./inbox.js').Inbox} parts.inbox Holds the jobs.
   * @param {string} parts.dendriteId The producer of a STOPPED.
   */
  constructor({ client, publisher, inbox, dendriteId }) {
    this.#client = client
    this.#publisher = publisher
    this.#inbox = inbox
    this.#producer = new Directed(dendriteId, 'dendrite')
  }

  /**
   * Obey a STOP of this or another Dendrite, once if it comes both ways.
   * @param {object} stop
   * @param {Buffer | null} sender Its instance id, if that is known.
   * @param {boolean} isDirected Whether every TASK that the Synapse sent before it has arrived.
   */
  onStop(stop, sender, isDirected) {
    if (!this.#seen.add(stop.id)) return
    try {
      idBytes(stop.traceId)
    } catch {
      return count(this.counts, 'drop.bad_stop')
    }
    const jobs = this.#inbox.cancelTrace(stop.traceId)
    // It is obeyed all the same, but not answered.
    if (this.#open >= MAX_STOPS) return count(this.counts, 'drop.stopped')
    this.#open++
    this.#finish(stop, jobs, sender, isDirected).finally(() => this.#open--)
  }

  async #finish(stop, jobs, sender, isDirected) {
    const { traceId } = stop
    const stopped = this.#stoppedTraces.get(traceId) ?? { stops: 0, cancelled: new Set() }
    this.#stoppedTraces.set(traceId, stopped)
    stopped.stops++
    try {
      const cancelled = addedTo(stopped.cancelled, jobs)
      // A TASK that the Synapse sent before a STOP of the broadcast plane may arrive after it.
      if (!isDirected) await this.#client.barrier(BARRIER_MS)
      const late = this.#inbox.cancelTrace(traceId)
      const total = cancelled + addedTo(stopped.cancelled, late)
      await this.#inbox.functionsEnd([...new Set([...jobs, ...late])], FUNCTIONS_MS)
      await this.#answer(stop, total, sender)
    } finally {
      if (--stopped.stops === 0) this.#stoppedTraces.delete(traceId)
    }
  }

  async #answer(stop, cancelled, sender) {
    const answer = stop.reply(
      'STOPPED',
      { cancelled, rolled_back: 0, node: this.#producer.id },
      { directed: this.#producer, meta: { instance: this.#client.instance.toString('hex') } },
    )
    const isAwaited = stop.meta.acks === true
    const to = (isAwaited && toPeer(sender)) || LISTENERS
    const isHeard = this.#publisher.publish(answer, to) > 0
    if (isHeard || !isAwaited) return
    const body = answer.encode()
    for (let waitedMs = 0; waitedMs < PUBLISH_MS; waitedMs += PUBLISH_EVERY_MS) {
      await pause(PUBLISH_EVERY_MS)
      if (this.#publisher.publishAgain(answer, body, to) > 0) return
    }
  }
}

/** Add jobs to a set; return how many were not in it. */
function addedTo(set, jobs) {
  const before = set.size
  for (const job of jobs) set.add(job)
  return set.size - before
}
