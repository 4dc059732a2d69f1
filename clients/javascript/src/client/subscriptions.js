// What a client listens to. Spec: docs/spec/05-broadcast.md.
import {
  NO_BODY,
  kindTopic,
  parseBroadcast,
  readTopic,
  syncTopic,
  traceTopic,
} from '../wire/wire.js'
import { Gaps } from './gaps.js'
import { Deferred } from '../runtime/waits.js'

const BY_TRACE = -1
const MAX_TURN = 999_999_999

/**
 * A topic to listen to: all messages of a kind, or all of a trace.
 * @typedef {{ kind: number } | { trace: Buffer }} Topic
 */

/** Listens to topics of one namespace. */
export class Subscriptions {
  #instance
  #namespace
  #carrier
  #counts
  #receiver
  #topics = new Map()
  #gaps = new Gaps()
  #turn = 0
  #syncs = new Map()

  /**
   * @param {{ instance: Buffer, namespace: string, carrier: object, receiver: object,
   *   counts: import('./counts.js').Counts }} parts `receiver` has onHeard and onMissed
   */
  constructor({ instance, namespace, carrier, receiver, counts }) {
    this.#instance = instance
    this.#namespace = namespace
    this.#carrier = carrier
    this.#receiver = receiver
    this.#counts = counts
  }

  /** Tell whether nothing is listened to. */
  get isEmpty() {
    return this.#topics.size === 0
  }

  /** Listen to a topic; calls add up. In force after the next sync. @param {Topic} asked */
  listen(asked) {
    const topic = this.#topicOf(asked)
    const known = this.#topics.get(topic)
    if (known !== undefined) {
      known.listeners++
      return
    }
    const trace = isTrace(asked) ? Buffer.from(asked.trace) : NO_BODY
    this.#topics.set(topic, { kind: isTrace(asked) ? BY_TRACE : asked.kind, trace, listeners: 1 })
    this.#carrier.subscribe(topic)
  }

  /** Undo one `listen`. @param {Topic} asked */
  unlisten(asked) {
    const topic = this.#topicOf(asked)
    const known = this.#topics.get(topic)
    if (known === undefined || --known.listeners > 0) return
    this.#topics.delete(topic)
    this.#gaps.forget(topic)
    this.#carrier.unsubscribe(topic)
  }

  /**
   * Wait until every `listen` so far is in force at the far end.
   * @returns {Deferred} the sync; `endSync` it when nobody waits for it any more
   */
  beginSync() {
    this.#turn = this.#turn === MAX_TURN ? 1 : this.#turn + 1
    const answered = new Deferred()
    answered.topic = syncTopic(this.#namespace, this.#instance, this.#turn)
    this.#syncs.set(answered.topic, answered)
    this.#carrier.subscribe(answered.topic)
    return answered
  }

  /** Take back the subscription of a sync. @param {Deferred} answered what `beginSync` returned */
  endSync({ topic }) {
    if (this.#syncs.delete(topic)) this.#carrier.unsubscribe(topic)
  }

  /**
   * Handle a broadcast message, or the answer to a sync.
   * @param {string} topic
   * @param {Buffer} header
   * @param {Buffer} body
   */
  onPublication(topic, header, body) {
    const known = this.#topics.get(topic)
    if (known === undefined) {
      this.#onOther(topic)
      return
    }
    const message = parseBroadcast(header, body)
    if (typeof message === 'string') {
      this.#counts.drop(message)
      return
    }
    const { publisher, first, caller, worker, bodies } = message
    const missed = this.#gaps.seen(topic, publisher, first, bodies.length)
    if (missed > 0) this.#receiver.onMissed(missed)
    const { kind, trace } = known
    for (const each of bodies) this.#receiver.onHeard(kind, trace, caller, worker, each)
  }

  #onOther(topic) {
    const answered = this.#syncs.get(topic)
    if (answered !== undefined) answered.resolve(undefined)
    else if (typeof readTopic(topic) === 'string') this.#counts.drop(readTopic(topic))
    // else it was under way when the last listener of its topic left
  }

  /** End every sync with an error. @param {Error} error */
  close(error) {
    for (const answered of this.#syncs.values()) answered.reject(error)
    this.#syncs.clear()
  }

  #topicOf(asked) {
    return isTrace(asked)
      ? traceTopic(this.#namespace, asked.trace)
      : kindTopic(this.#namespace, asked.kind)
  }
}

const isTrace = (asked) => asked.trace !== undefined && asked.trace !== null
