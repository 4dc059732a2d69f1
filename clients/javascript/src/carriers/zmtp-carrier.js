// The carrier port over our own ZMTP: no native code. Spec: docs/spec/08-port.md, The carrier port.
import { checkedLogger } from '../runtime/logger.js'
import { diagnosisOf } from './broadcast-diagnosis.js'
import { BroadcastPlan } from './broadcast-plan.js'
import { dealerEvents } from './dealer-events.js'
import { subscription } from './zmtp-frames.js'
import { ZmtpLine } from './zmtp-line.js'

const SENTINEL = '~live/'
/** A loop that is blocked for so long is stated to do no harm; a proxy of libzmq waits for a PONG for 3 s. */
const BLOCKED_MAX_MS = 2000
const WARN_AGAIN_MS = 10_000

/**
 * Moves frames to and from a Synapse.
 *
 * Everything happens on the event loop, PONGs included. A Synapse with the carrier `zmtp` waits for none: its system
 * finds out whether ours is there, however long the loop is blocked. One with the carrier `libzmq` gives a connection
 * up after 3 s of silence, and open tasks of a worker end as WORKER_LOST; up to 2 s do no harm.
 */
export class ZmtpCarrier {
  #endpoint
  #openOnes
  #logger
  #events
  #dealer = null
  #sub = null
  #publisher = null
  #plan = new BroadcastPlan({
    listen: (place) => this.#listenAt(place),
    publish: (place) => this.#publishAt(place),
  })
  #subMinor = 0
  #isFlushDue = false
  #warnAtMs = -Infinity
  /** The address of the last WELCOME; null before the first one. */
  address = null
  #flushSoon = () => this.#flushBroadcast()

  /**
   * @param {object} endpoint A `TcpEndpoint`, several as `TcpEndpoints`, or an `IpcEndpoint`.
   * @param {{ openOnes?: Set<object>, logger?: { warn: (text: string) => void } }} [options] `openOnes`: this is
   *   among them from `open` to `close`; `logger`: by default `process.emitWarning`.
   */
  constructor(endpoint, { openOnes = new Set(), logger = checkedLogger() } = {}) {
    this.#endpoint = endpoint
    this.#logger = logger
    this.#openOnes = openOnes
  }

  /** The far end, for display. */
  get endpoint() {
    return String(this.#endpoint)
  }

  /**
   * Begin to connect, and connect anew until `close`.
   *
   * `events` gets, on the loop and never from within a call: `onMessage(head, body)`, `onWritable()`,
   * `onDisconnected(why)`, `onPublication(topic, header, body)`, `onSubscription(topic, joins)` (the sentinel
   * `~live/` included; it leaves with its connection) and `onDropped(reason)`. A topic is a text, one character a
   * byte. Buffers are parts of larger ones: copy what is kept for long.
   */
  open(events) {
    this.#openOnes.add(this)
    this.#events = events
    this.#dealer = new ZmtpLine(
      'DEALER',
      this.#endpoint,
      { ...dealerEvents(events), onLate: (lateMs) => this.#onLate(lateMs) },
      this.#logger,
    )
  }

  /** Return what was seen on the way so far, on either plane; see `Diagnosis`. */
  diagnosis() {
    return diagnosisOf(this.#endpoint, this.#dealer, this.#lines())
  }

  /**
   * Send a directed message whole or not at all; it leaves with the next `flush`. The Buffers must not change any
   * more.
   * @returns {'OK' | 'BUSY'} BUSY: no room, or no connection; an `onWritable` follows.
   */
  send(head, body) {
    return this.#dealer.send(head, body) ? 'OK' : 'BUSY'
  }

  /** Write everything that was sent since the last flush. */
  flush() {
    this.#dealer.flush()
    this.#flushBroadcast()
  }

  /** Whether each proxy that it knows was tried since the last WELCOME, and none leads: docs/spec/12-failover.md. */
  get isAlone() {
    return this.#dealer.isAlone
  }

  /**
   * Leave the far end, which stands by, without an event, and try another one.
   * @param {string[]} fabric URLs of the others that it named, to be tried behind those that are known.
   */
  passOver(fabric) {
    this.#dealer.passOver(fabric)
  }

  /**
   * Say that the far end said WELCOME, and where the broadcast plane is: at the address that said WELCOME, as another
   * one of its name may be another machine. What is open moves there.
   * @returns {boolean} False when it was there already.
   */
  join(listenPort, publishPort) {
    this.#dealer.onWelcomed()
    this.address = this.#dealer.address
    return this.#plan.join(this.#dealer.address.broadcast(listenPort, publishPort))
  }

  /** Connect what publishes, once; the sentinel comes behind the topics that have listeners. */
  openPublisher() {
    this.#plan.openPublisher()
  }

  /** Ask for a topic; kept across reconnects. The first one connects what listens. */
  subscribe(topic) {
    if (this.#plan.subscribe(topic)) this.#sendSubscription(topic, true)
  }

  /** Ask for a topic no longer. */
  unsubscribe(topic) {
    if (this.#plan.unsubscribe(topic)) this.#sendSubscription(topic, false)
  }

  /** Send a broadcast message at the end of this turn, or drop it and report it. */
  publish(topic, header, body) {
    if (!this.#openOnes.has(this)) return
    const isSent = this.#publisher?.send(Buffer.from(topic, 'latin1'), header, body) ?? false
    if (isSent) this.#flushLater()
    else queueMicrotask(() => this.#events.onDropped('publisher_full'))
  }

  /** Release everything now. What was not written yet is gone. */
  close() {
    if (!this.#openOnes.delete(this)) return
    for (const each of [this.#dealer, ...this.#lines()]) each.close()
  }

  #lines() {
    return [this.#sub, this.#publisher].filter((each) => each !== null)
  }

  #listenAt(endpoint) {
    if (String(this.#sub?.endpoint) === String(endpoint)) {
      this.#sub.hurry()
      return
    }
    this.#sub?.close()
    const events = this.#events
    this.#sub = new ZmtpLine(
      'SUB',
      endpoint,
      {
        onEstablished: (minor) => this.#onListening(minor),
        onMessage: (frames) => {
          if (frames.length === 3) {
            events.onPublication(frames[0].latin1Slice(), frames[1], frames[2])
          } else events.onDropped('frame_count')
        },
      },
      this.#logger,
    )
  }

  #publishAt(endpoint) {
    const events = this.#events
    if (String(this.#publisher?.endpoint) === String(endpoint)) {
      this.#publisher.hurry()
      return
    }
    if (this.#publisher !== null) {
      this.#publisher.close()
      queueMicrotask(() => events.onSubscription(SENTINEL, false))
    }
    this.#publisher = new ZmtpLine(
      'XPUB',
      endpoint,
      {
        onSubscription: (topic, joins) => events.onSubscription(topic, joins),
        onEnded: () => events.onSubscription(SENTINEL, false),
      },
      this.#logger,
    )
  }

  #onListening(minor) {
    this.#subMinor = minor
    for (const topic of this.#plan.topics) this.#sub.sendBytes(subscription(topic, true, minor))
    this.#sub.flush()
  }

  #sendSubscription(topic, joins) {
    if (!this.#sub?.isEstablished) return // it goes with the next connection
    this.#sub.sendBytes(subscription(topic, joins, this.#subMinor))
    this.#flushLater()
  }

  #flushLater() {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(this.#flushSoon)
  }

  #flushBroadcast() {
    this.#isFlushDue = false
    this.#sub?.flush()
    this.#publisher?.flush()
  }

  #onLate(lateMs) {
    const nowMs = performance.now()
    if (lateMs <= BLOCKED_MAX_MS || nowMs < this.#warnAtMs) return
    this.#warnAtMs = nowMs + WARN_AGAIN_MS
    this.#logger.warn(
      `the loop was blocked for over ${(lateMs / 1000).toFixed(1)} s: after 3 s without an answer the Synapse gives ` +
        'a connection up, and its tasks end as WORKER_LOST; start the Synapse with --carrier zmtp, or use ' +
        "carrier: 'libzmq' here (npm install zeromq), or do the work in a worker thread",
    )
  }
}
