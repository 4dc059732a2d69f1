// Registration: sends REGISTER, HEARTBEAT and DEREGISTER for every Axon of a Dendrite.
// Spec: docs/spec/04-liveness.md; docs/spec/09-resync.md, "After WELCOME": REGISTER again after
// every reconnect.
import { SynapseRefused, SynapseUnreachable } from '../../errors.js'
import { atMostLongest } from '../../runtime/deadline-timer.js'
import { told } from '../../signals/cards.js'
import { CODE, Signal } from '../../signals/signals.js'
import { Permits } from '../permits.js'
import { LoopLag } from './loop-lag.js'

/** What a Dendrite with Axons does; its option `role` says only whether it may dispatch too. */
const ROLE = 'worker'
const BUSY_EVERY_MS = 250
/** How a refusal for the want of a right begins. */
const ACCESS = 'access: '
/** A Synapse that asks for more HEARTBEATs than that gets no more. */
const LEAST_MS = 10

/** Registers the Axons of a Dendrite and reports their load. */
export class Registration {
  #client
  #url
  #permits
  #inbox
  #meta
  #heartbeatMs
  #warnings
  #clock
  #timer = null
  #isRunning = false
  #acknowledgements = new Map()
  #lag = new LoopLag()
  #lastBusyAtMs = -Infinity

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port, for the presence.
   * @param {string} parts.url The URL of the Synapse, for error texts.
   * @param {import('./inbox.js').Inbox} parts.inbox Holds the Axons.
   * @param {string} parts.dendriteId
   * @param {number} [parts.heartbeatMs] The longest time between two HEARTBEATs.
   * @param {import('./warnings.js').Warnings} parts.warnings
   * @param {object} [parts.permits] The rights of our key.
   * @param {() => number} [parts.clock]
   */
  constructor({ client, url, inbox, dendriteId, heartbeatMs = 2000, warnings, ...more }) {
    const { clock, permits = new Permits(client, url) } = more
    this.#permits = permits
    this.#client = client
    this.#url = url
    this.#inbox = inbox
    this.#meta = { dendrite: dendriteId, instance: client.instance.toString('hex') }
    this.#heartbeatMs = heartbeatMs
    this.#warnings = warnings
    this.#clock = clock ?? (() => performance.now())
  }

  /**
   * Register every Axon; resolve when the Synapse has acknowledged all of them.
   * @throws {SynapseUnreachable} It did not, within `timeoutMs`.
   * @throws {SynapseRefused} It refused one of them; AccessRefused, if our key has no right to it.
   */
  async start(timeoutMs) {
    this.#isRunning = true
    this.#lag.start()
    this.announce()
    try {
      await this.#acknowledged(
        this.#inbox.axons.map((axon) => axon.neuronId),
        timeoutMs,
      )
    } catch (error) {
      this.#end()
      throw error
    }
    if (this.#isRunning) this.#beatLater()
  }

  /** Whether the Axons are registered, or about to be. */
  get isRunning() {
    return this.#isRunning
  }

  /** Send REGISTER for every Axon: at the start, and whenever the Synapse has welcomed us anew. */
  announce() {
    if (!this.#isRunning) return
    for (const axon of this.#inbox.axons) this.#register(axon)
  }

  /**
   * Register one more Axon; resolve when the Synapse has acknowledged it.
   * @throws {SynapseUnreachable | SynapseRefused} As `start`.
   */
  async announceOne(axon, timeoutMs) {
    this.#register(axon)
    await this.#acknowledged([axon.neuronId], timeoutMs)
  }

  #register(axon) {
    const last = this.#acknowledgements.get(axon.neuronId)
    if (last === undefined || last.isDone) {
      this.#acknowledgements.set(axon.neuronId, new Acknowledgement())
    }
    const payload = { role: ROLE, capabilities: [...axon.capabilities] }
    if (axon.version !== null) payload.version = axon.version
    if (axon.card !== null) {
      payload.card = axon.digest
      if (axon.description) payload.description = told(axon.description)
    }
    this.#send('REGISTER', axon, payload)
  }

  /**
   * Handle the answer of the Synapse to a REGISTER; an empty `refusal` means that tasks may come.
   */
  onRegistered(neuronId, refusal) {
    if (refusal) {
      const text = `the Synapse at ${this.#url} refused the Axon ${neuronId}: ${refusal}`
      this.#warnings.warn(`refused ${neuronId}`, text)
    }
    this.#acknowledgements.get(neuronId)?.settle(refusal)
  }

  async #acknowledged(neuronIds, timeoutMs) {
    const pending = neuronIds.map((each) => [each, this.#acknowledgements.get(each)])
    let timer
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, atMostLongest(timeoutMs))
    })
    await Promise.race([late, Promise.all(pending.map(([, each]) => each.settled))])
    clearTimeout(timer)
    const silent = pending.filter(([, each]) => !each.isDone).map(([neuronId]) => neuronId)
    if (silent.length > 0) {
      const reason = `it did not acknowledge ${silent.join(', ')} within ${timeoutMs} ms`
      throw new SynapseUnreachable(this.#url, reason, 'look at its log')
    }
    for (const [neuronId, { refusal }] of pending) {
      if (refusal.startsWith(ACCESS)) throw this.#permits.refusedToServe(neuronId)
      if (refusal) throw new SynapseRefused(this.#url, `Axon ${neuronId}: ${refusal}`)
    }
  }

  /** Send DEREGISTER for one Axon: the Synapse sends it no new TASKs. */
  deregister(axon, reason) {
    this.#acknowledgements.delete(axon.neuronId)
    this.#send('DEREGISTER', axon, reason ? { reason } : {})
  }

  /** Deregister every Axon, and end the HEARTBEATs. */
  stop(reason) {
    if (!this.#isRunning) return
    this.#end()
    for (const axon of this.#inbox.axons) this.deregister(axon, reason)
  }

  #end() {
    this.#isRunning = false
    clearTimeout(this.#timer)
    this.#lag.stop()
  }

  /** Send a HEARTBEAT of an Axon that tasks begin to wait for, at once but at most four times a second. */
  onBusy(neuronId) {
    const nowMs = this.#clock()
    if (!this.#isRunning || nowMs - this.#lastBusyAtMs < BUSY_EVERY_MS) return
    const axon = this.#inbox.axons.find((each) => each.neuronId === neuronId)
    if (axon === undefined) return // it is being detached
    this.#lastBusyAtMs = nowMs
    this.#heartbeat(axon, this.#lag.longestMs)
  }

  #beatLater() {
    const everyMs = Math.max(LEAST_MS, Math.min(this.#heartbeatMs, this.#client.heartbeatMs))
    this.#timer = setTimeout(() => {
      this.#beat()
      this.#beatLater()
    }, everyMs)
  }

  #beat() {
    this.#inbox.replyCache.expire(this.#clock())
    const { axons } = this.#inbox
    if (axons.length === 0) return
    const lagMs = this.#lag.takeMs()
    for (const axon of axons) this.#heartbeat(axon, lagMs)
  }

  #heartbeat(axon, lagMs) {
    const { running, queued } = this.#inbox.load(axon.neuronId)
    const status = queued > 0 ? 'busy' : 'ready'
    this.#send('HEARTBEAT', axon, { status, running, queued, loop_lag_ms: lagMs })
  }

  #send(verb, axon, payload) {
    const signal = new Signal({ type: verb, payload, directed: axon.producer, meta: this.#meta })
    this.#client.sendPresence(verb, axon.neuronId, payload, CODE[verb], signal.encode())
  }
}

class Acknowledgement {
  isDone = false
  refusal = ''
  #resolve

  constructor() {
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  settle(refusal) {
    if (this.isDone) return
    this.isDone = true
    this.refusal = refusal ?? ''
    this.#resolve()
  }
}
