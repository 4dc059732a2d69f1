// Messages that cannot be sent yet. Spec: docs/spec/02-session.md, "Outbox". Pure.
//
// Bounded in messages and bytes. Messages that came back unaccepted go out first and in their old
// order. A TASK whose deadline has passed does not go out.
import { MAX_NUMBER, RUN, VERB } from '../wire/wire.js'

const OVERHEAD_BYTES = 200
const COMPACT_AT = 1024

/**
 * A directed message that is not packed yet.
 * @typedef {{ items: import('../wire/heads.js').Item[], address: string, peer: Uint8Array }} Unsent
 */

/** Waiting messages in the order in which they go out. */
export class Outbox {
  #counts
  #maxMessages
  #maxBytes
  #comingBack = []
  #returned = [] // the first one is at the end
  #waiting = []
  #start = 0 // of what waits: removing from the front of an array moves all of it

  /**
   * @param {import('./counts.js').Counts} counts
   * @param {{ maxMessages?: number, maxBytes?: number }} [limits]
   */
  constructor(counts, { maxMessages = 20_000, maxBytes = 256 * 2 ** 20 } = {}) {
    this.#counts = counts
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
    /** How many messages wait. */
    this.length = 0
    /** Waiting bytes, 200 for the head of each message included. */
    this.bytes = 0
  }

  /**
   * Append a message. Without room count it, keep nothing and return false.
   * @param {Unsent} message
   * @param {number} nowMs monotonic clock
   * @returns {boolean}
   */
  push(message, nowMs) {
    const entry = asEntry(message, nowMs)
    if (this.length >= this.#maxMessages || this.bytes + entry.bytes > this.#maxBytes) {
      this.#counts.drop('outbox_full')
      return false
    }
    this.#append(entry)
    return true
  }

  /**
   * Append a message even without room: it was accepted already.
   * @param {Unsent} message
   * @param {number} nowMs
   */
  pushAccepted(message, nowMs) {
    this.#append(asEntry(message, nowMs))
  }

  /**
   * Put a message that came back in front of all others, behind those that came back before it.
   * @param {Unsent} message
   * @param {number} nowMs the time of a TASK starts again from its head
   */
  putBack(message, nowMs) {
    const entry = asEntry(message, nowMs)
    this.#comingBack.push(entry)
    this.#grow(entry)
  }

  /**
   * Put the items of a message that came back whole in front of all others, one by one; see `putBack`.
   * @param {Unsent} message
   * @param {number} nowMs
   */
  putBackEach({ items, address, peer }, nowMs) {
    // 02, Outbox 3: the time of a TASK that came back starts again from its head.
    for (const each of items) this.putBack({ items: [each], address, peer }, nowMs)
  }

  /**
   * Put messages in front of all others, even without room.
   * @param {Unsent[]} messages
   * @param {number} nowMs
   */
  putFirst(messages, nowMs) {
    this.#mergeReturned()
    for (let at = messages.length - 1; at >= 0; at--) {
      const entry = asEntry(messages[at], nowMs)
      this.#returned.push(entry)
      this.#grow(entry)
    }
  }

  /**
   * Return the next message with its remaining time set; it stays until `sent`.
   * @param {number} nowMs
   * @returns {Unsent | null}
   */
  first(nowMs) {
    this.#mergeReturned()
    while (this.length > 0) {
      const entry = this.#returned.at(-1) ?? this.#waiting[this.#start]
      if (entry.deadlineMs === Infinity) return entry
      const leftMs = Math.floor(entry.deadlineMs - nowMs)
      if (leftMs > 0) {
        entry.items[0].number = Math.min(leftMs, MAX_NUMBER)
        return entry
      }
      this.#counts.drop('expired_in_outbox')
      this.sent()
    }
    return null
  }

  /** Remove the message that `first` returned. */
  sent() {
    const entry = this.#returned.length > 0 ? this.#returned.pop() : this.#shift()
    this.length--
    this.bytes -= entry.bytes
  }

  /** Let no waiting TASK say that its caller reads runs: the proxy does not pass them on. */
  withoutRuns() {
    for (const { items } of this.#all())
      for (const each of items) if (each.verb === VERB.TASK) each.flags &= ~RUN
  }

  /** Return the ids of the waiting tasks, as latin1 texts. @returns {Set<string>} */
  tasks() {
    const found = new Set()
    for (const { items } of this.#all())
      if (items[0].verb === VERB.TASK) found.add(items[0].task.latin1Slice(0, 16))
    return found
  }

  #all() {
    return [...this.#comingBack, ...this.#returned, ...this.#waiting.slice(this.#start)]
  }

  #append(entry) {
    this.#waiting.push(entry)
    this.#grow(entry)
  }

  #grow(entry) {
    this.length++
    this.bytes += entry.bytes
  }

  #shift() {
    const entry = this.#waiting[this.#start]
    this.#waiting[this.#start++] = undefined
    if (this.#start >= COMPACT_AT && this.#start * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#start)
      this.#start = 0
    }
    return entry
  }

  // 02, Outbox 2. Messages come back in the order in which they were sent, and all of them before
  // anything goes out again. An earlier return that still waits goes out after them.
  #mergeReturned() {
    for (let at = this.#comingBack.length - 1; at >= 0; at--)
      this.#returned.push(this.#comingBack[at])
    this.#comingBack.length = 0
  }
}

function asEntry({ items, address, peer }, nowMs) {
  let bytes = OVERHEAD_BYTES
  for (const each of items) bytes += each.body.length
  const deadlineMs = items[0].verb === VERB.TASK ? nowMs + items[0].number : Infinity
  return { items, address, peer, bytes, deadlineMs }
}
