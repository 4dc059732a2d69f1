// What a client publishes: its listeners, its sequence numbers, its batches. Spec: docs/spec/05-broadcast.md.
import { Batcher, SENTINEL, packHeader, readTopic } from '../wire/wire.js'
import { Deferred } from '../runtime/waits.js'
import { OwnSocket } from './own-socket.js'

const MAX_GATHERED = 1024
const BARRIER_MS = 1000
const SECOND_MS = 1000
/** Seldom publications of one second that need no socket: "A socket of one's own" 4. */
const MAX_SELDOM = 100
/** As many as a proxy accepts by default. */
const MAX_TRACES = 1_000_000
const keyOf = (trace) => trace.latin1Slice(0, 16)

/** Publishes to the topics that have listeners, and to no other. */
export class Publications {
  #instance
  #namespace
  #carrier
  #turn
  #counts
  #kinds = new Map()
  #traces = new Map()
  #confirmed = new Set()
  #batcher = new Batcher()
  #hasSent = false
  #gathered = 0
  #maxTraces
  #live = new Deferred()
  #socket = new OwnSocket()
  #handOver
  #barrier
  #asked = 0 // the number of the last question
  #hasSentinel = false
  #seldom = { sinceMs: -Infinity, count: 0 }

  /**
   * @param {object} parts
   * @param {Buffer} parts.instance
   * @param {string} parts.namespace
   * @param {object} parts.carrier
   * @param {import('./turn.js').Turn} parts.turn its end calls `endTurn`
   * @param {import('./counts.js').Counts} parts.counts
   * @param {(kind: number, trace: Buffer, body: Buffer) => void} parts.handOver gives a publication to the proxy
   * @param {(timeoutMs: number) => Promise<boolean>} parts.barrier tells whether the proxy has read all so far
   */
  constructor({ instance, namespace, carrier, turn, counts, handOver, barrier, ...more }) {
    const { maxTraces = MAX_TRACES } = more
    this.#maxTraces = maxTraces
    this.#handOver = handOver
    this.#barrier = barrier
    this.#instance = instance
    this.#namespace = namespace
    this.#carrier = carrier
    this.#turn = turn
    this.#counts = counts
  }

  /** Publish by a socket at once: the proxy takes nothing over the directed plane. */
  useSocket() {
    if (this.#socket.on('OLDER')) this.#becomeOwn()
  }

  /** Wait until the listeners of this client are known. @returns {Promise<void>} */
  untilLive() {
    return this.#live.promise
  }

  /**
   * Tell whether a message of this kind and trace has a listener, as far as that is known.
   * @param {number} kind @param {Buffer} trace
   */
  isHeard(kind, trace) {
    return !this.#socket.isOwn || this.#hasListener(kind, trace)
  }

  #hasListener(kind, trace) {
    return this.#kinds.has(kind) || (this.#traces.size > 0 && this.#traces.has(keyOf(trace)))
  }

  /**
   * Publish to the listeners.
   * @param {number} kind
   * @param {Buffer} trace 16 bytes
   * @param {Buffer} body
   * @param {boolean} [isSeldom] whether a client that publishes nothing else needs no socket for it
   * @returns {number} how many messages it took: 0, 1 or 2; 1 for one that is handed over
   */
  publish(kind, trace, body, isSeldom = false) {
    if (this.#socket.isOwn) return this.#publish(kind, trace, body)
    if (!isSeldom || this.#isOften()) this.#open()
    const publication = { kind, trace, body }
    if (this.#socket.state !== 'ASKED') this.#handOver(kind, trace, body)
    else if (!this.#socket.wait(publication)) {
      this.#handOverWaiting()
      this.#handOver(kind, trace, body)
      this.#ask()
    }
    return 1
  }

  #isOften() {
    const nowMs = performance.now()
    if (nowMs >= this.#seldom.sinceMs + SECOND_MS) this.#seldom = { sinceMs: nowMs, count: 0 }
    return ++this.#seldom.count > MAX_SELDOM
  }

  #open() {
    if (this.#socket.on('OPEN')) this.#carrier.openPublisher()
  }

  #handOverWaiting() {
    for (const { kind, trace, body } of this.#socket.take()) this.#handOver(kind, trace, body)
  }

  /** Ask whether all that was handed over has been published; the last question counts. */
  #ask() {
    const asked = ++this.#asked
    void this.#barrier(BARRIER_MS).then((isBack) => {
      if (asked !== this.#asked) return
      if (isBack && this.#socket.on('ANSWERED')) this.#becomeOwn()
      else if (this.#socket.on('LOST')) {
        this.#handOverWaiting()
        setTimeout(() => asked === this.#asked && this.#begin(), BARRIER_MS).unref()
      }
    })
  }

  /** Begin to use the socket, once it knows its listeners. */
  #begin() {
    if (this.#hasSentinel && this.#socket.on('SENTINEL')) this.#ask()
  }

  #becomeOwn() {
    this.#carrier.openPublisher()
    for (const { kind, trace, body } of this.#socket.take()) this.#publish(kind, trace, body)
  }

  #publish(kind, trace, body) {
    // 05, Batches 5: the first message of a turn goes at once, the others together at its end.
    const isFirst = !this.#hasSent
    let made = 0
    // 05, Publishing 3: the trace goes first. A listener of the kind that publishes in answer then
    // does so after both, and the trace stays in causal order.
    const byTrace = this.#traces.size > 0 ? this.#traces.get(keyOf(trace)) : undefined
    if (byTrace !== undefined) made += this.#send(byTrace, body, isFirst)
    const byKind = this.#kinds.get(kind)
    if (byKind !== undefined) made += this.#send(byKind, body, isFirst)
    if (made === 0) return 0
    this.#counts.add('published', made)
    this.#hasSent = true
    this.#turn.begin()
    if (isFirst) this.#carrier.flush()
    return made
  }

  #send(topic, body, isFirst) {
    // 05, Copies 3: its own id as caller and no worker, or its emission is heard twice at home.
    const header = packHeader(this.#instance, topic.sequence++, this.#instance)
    if (isFirst) this.#carrier.publish(topic.text, header, body)
    else {
      this.#batcher.add(topic.text, header, body)
      if (++this.#gathered >= MAX_GATHERED) this.flush()
    }
    return 1
  }

  /** Send what was gathered. */
  flush() {
    this.#gathered = 0
    for (const [topic, header, body] of this.#batcher.take())
      this.#carrier.publish(topic, header, body)
  }

  /** End the turn. */
  endTurn() {
    this.#hasSent = false
    this.flush()
  }

  /**
   * Handle the news that a topic of this client has a listener, or no longer.
   * @param {string} topic
   * @param {boolean} isHere
   */
  onSubscription(topic, isHere) {
    if (topic === SENTINEL) {
      this.#onSentinel(isHere)
      return
    }
    const read = readTopic(topic)
    if (typeof read === 'string') this.#counts.ignore(read)
    else if (read.namespace === this.#namespace) this.#set(topic, read, isHere)
  }

  #set(topic, { kind, trace }, isHere) {
    if (kind === null && trace === null) return // of a sync, which the proxy answers
    const topics = kind === null ? this.#traces : this.#kinds
    const key = kind ?? keyOf(trace)
    if (!isHere) {
      this.#confirmed.delete(topic)
      topics.delete(key)
      return
    }
    if (topics.size >= this.#maxTraces && !topics.has(key)) {
      this.#counts.ignore('max_topics')
      return
    }
    this.#confirmed.add(topic)
    // 05, Sequence numbers 1: the count begins with the first listener.
    if (!topics.has(key)) topics.set(key, { text: topic, sequence: 0 })
  }

  // 05, Publishing 5: after a lost connection the topics with a listener come again, the sentinel last.
  #onSentinel(isHere) {
    this.#hasSentinel = isHere
    if (!isHere) {
      this.#confirmed.clear()
      if (this.#socket.on('LOST')) this.#handOverWaiting()
      return
    }
    for (const topics of [this.#kinds, this.#traces])
      for (const [key, { text }] of topics) if (!this.#confirmed.has(text)) topics.delete(key)
    this.#live.resolve(undefined)
    this.#begin()
  }

  /** Publish nothing any more; drop what was gathered. @param {Error} error for one who still waits */
  close(error) {
    this.#asked++
    this.#socket.take()
    this.#batcher.take()
    this.#kinds.clear()
    this.#traces.clear()
    this.#live.reject(error)
  }
}
