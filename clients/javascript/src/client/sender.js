// The way out of a client: bundles, then the outbox, then the carrier. Spec: docs/spec/01-wire.md
// ("Bundles"), 02-session.md ("Outbox").
import { ZERO, packHead, packMessage } from '../wire/wire.js'
import { Bundler, isBundled } from './bundles.js'
import { Deferred } from '../runtime/waits.js'

const MAX_GATHERED = 1024

/** Sends directed messages, or keeps them until the carrier takes them. */
export class Sender {
  #carrier
  #outbox
  #turn
  #bundler = new Bundler()
  #handed = 0
  #isCalm = true
  #drained = null
  /** True while the session is READY: only then may application messages leave. */
  isReady = false

  /**
   * @param {object} carrier See docs/spec/08-port.md, "The carrier port".
   * @param {import('./outbox.js').Outbox} outbox
   * @param {import('./turn.js').Turn} turn its end calls `endTurn`
   */
  constructor(carrier, outbox, turn) {
    this.#carrier = carrier
    this.#outbox = outbox
    this.#turn = turn
  }

  /**
   * Send a TASK or REPLY that may travel with the others of this turn.
   * @param {import('../wire/heads.js').Item} item
   * @param {string} address
   * @param {Buffer} peer
   * @returns {'SENT' | 'WAITING' | 'BUSY'}
   */
  sendBundled(item, address, peer) {
    if (!this.isReady || this.#outbox.length > 0 || !isBundled(item.body))
      return this.send([item], address, peer)
    const isFirst = !this.#turn.isOpen
    this.#turn.begin()
    this.#handed++
    // 01, Bundles: in calm times the first message of a turn goes at once, because its sender may
    // block the loop. Nothing is gathered yet.
    if (isFirst && this.#isCalm) {
      const sent = this.#handOver(packHead(item, address, peer), item.body, item, address, peer)
      this.#carrier.flush()
      return sent
    }
    this.#bundler.add(item, address, peer)
    if (this.#bundler.count >= MAX_GATHERED) this.flush()
    return 'SENT'
  }

  /**
   * Send a message, behind what was gathered before it.
   * @param {import('../wire/heads.js').Item[]} items
   * @param {string} [address]
   * @param {Buffer} [peer]
   * @returns {'SENT' | 'WAITING' | 'BUSY'}
   */
  send(items, address = '', peer = ZERO) {
    if (this.#bundler.count > 0) this.flush() // 01, Bundles 5
    // 02, Greeting 2 and Outbox: nothing before WELCOME, nothing ahead of waiting messages.
    if (this.isReady && this.#outbox.length === 0) {
      this.#turn.begin()
      if (this.#carrier.send(...packMessage(items, address, peer)) === 'OK') return 'SENT'
    }
    return this.#keep({ items, address, peer })
  }

  /** Send a greeting past everything that waits. @returns {boolean} whether the carrier took it */
  sendNow(items) {
    const isTaken = this.#carrier.send(...packMessage(items)) === 'OK'
    this.#carrier.flush()
    return isTaken
  }

  /** Keep a message that was accepted, even without room. @param {import('../wire/heads.js').Item[]} items */
  keepAccepted(items, address = '', peer = ZERO) {
    this.#outbox.pushAccepted({ items, address, peer }, performance.now())
  }

  /** Send what was gathered; what the carrier refuses waits, in order. */
  flush() {
    for (const bundle of this.#bundler.take()) {
      const { items, address, peer } = bundle
      const isTaken =
        this.isReady &&
        this.#outbox.length === 0 &&
        this.#carrier.send(...packMessage(items, address, peer)) === 'OK'
      // 01, Bundles 6: each message of a refused bundle is treated as if sent alone.
      if (!isTaken) for (const each of items) this.keepAccepted([each], address, peer)
    }
  }

  /** End the turn. */
  endTurn() {
    this.#isCalm = this.#handed <= 1
    this.#handed = 0
    this.flush()
    this.#carrier.flush()
  }

  /** Send waiting messages, as many as the carrier takes. */
  drain() {
    if (!this.isReady) return
    const outbox = this.#outbox
    for (;;) {
      const waiting = outbox.first(performance.now())
      if (waiting === null) break
      const { items, address, peer } = waiting
      if (this.#carrier.send(...packMessage(items, address, peer)) !== 'OK') {
        this.#carrier.flush()
        return
      }
      outbox.sent()
    }
    this.#carrier.flush()
    this.#reportDrained()
  }

  /** Wait until nothing waits, or `close`. @returns {Promise<void>} */
  drained() {
    if (this.#outbox.length === 0) return Promise.resolve()
    this.#drained ??= new Deferred()
    return this.#drained.promise
  }

  /** Send nothing any more, and end every `drained`. */
  close() {
    this.isReady = false
    this.#bundler.take()
    this.#reportDrained()
  }

  #handOver(head, body, item, address, peer) {
    if (this.#carrier.send(head, body) === 'OK') return 'SENT'
    return this.#keep({ items: [item], address, peer })
  }

  #keep(message) {
    return this.#outbox.push(message, performance.now()) ? 'WAITING' : 'BUSY'
  }

  #reportDrained() {
    this.#drained?.resolve(undefined)
    this.#drained = null
  }
}
