// What a client publishes: its listeners, its sequence numbers, its batches. Spec: docs/spec/05-broadcast.md.
import { Batcher, SENTINEL, packHeader, readTopic } from '../wire/wire.js'
import { Deferred } from '../runtime/waits.js'

const MAX_GATHERED = 1024
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

  /**
   * @param {{ instance: Buffer, namespace: string, carrier: object, turn: import('./turn.js').Turn,
   *   counts: import('./counts.js').Counts }} parts the end of the turn calls `endTurn`
   */
  constructor({ instance, namespace, carrier, turn, counts, maxTraces = MAX_TRACES }) {
    this.#maxTraces = maxTraces
    this.#instance = instance
    this.#namespace = namespace
    this.#carrier = carrier
    this.#turn = turn
    this.#counts = counts
  }

  /** Wait until the listeners of this client are known. @returns {Promise<void>} */
  untilLive() {
    return this.#live.promise
  }

  /** Tell whether a message of this kind and trace has a listener. @param {number} kind @param {Buffer} trace */
  isHeard(kind, trace) {
    return this.#kinds.has(kind) || (this.#traces.size > 0 && this.#traces.has(keyOf(trace)))
  }

  /**
   * Publish to the listeners.
   * @param {number} kind
   * @param {Buffer} trace 16 bytes
   * @param {Buffer} caller 16 bytes
   * @param {Buffer} worker 16 bytes
   * @param {Buffer} body
   * @returns {number} how many messages it took: 0, 1 or 2
   */
  publish(kind, trace, caller, worker, body) {
    // 05, Batches 5: the first message of a turn goes at once, the others together at its end.
    const isFirst = !this.#hasSent
    let made = 0
    // 05, Publishing 3: the trace goes first. A listener of the kind that publishes in answer then
    // does so after both, and the trace stays in causal order.
    const byTrace = this.#traces.size > 0 ? this.#traces.get(keyOf(trace)) : undefined
    if (byTrace !== undefined) made += this.#send(byTrace, caller, worker, body, isFirst)
    const byKind = this.#kinds.get(kind)
    if (byKind !== undefined) made += this.#send(byKind, caller, worker, body, isFirst)
    if (made === 0) return 0
    this.#counts.add('published', made)
    this.#hasSent = true
    this.#turn.begin()
    if (isFirst) this.#carrier.flush()
    return made
  }

  #send(topic, caller, worker, body, isFirst) {
    const header = packHeader(this.#instance, topic.sequence++, caller, worker)
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
    if (!isHere) {
      this.#confirmed.clear()
      return
    }
    for (const topics of [this.#kinds, this.#traces])
      for (const [key, { text }] of topics) if (!this.#confirmed.has(text)) topics.delete(key)
    this.#live.resolve(undefined)
  }

  /** Publish nothing any more; drop what was gathered. @param {Error} error for one who still waits */
  close(error) {
    this.#batcher.take()
    this.#kinds.clear()
    this.#traces.clear()
    this.#live.reject(error)
  }
}
