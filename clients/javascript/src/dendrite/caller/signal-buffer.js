// The Signals of a Pathway and the positions of its readers. Pure.
//
// Every reader has a cursor of its own, so that no reader takes a Signal from another. At a question
// (CLARIFICATION, PERMISSION, ESCALATION) the Pathway may end: it does when a reader waits for more
// and no reader is left that may still answer.

const MAX_SIGNALS = 65_536
export const MAX_BYTES = 64 * 1024 * 1024

/** The position of one reader. */
class Cursor {
  #buffer
  #type
  #isLoop
  #lost = 0

  constructor(buffer, type, isLoop) {
    this.#buffer = buffer
    this.#type = type
    this.#isLoop = isLoop
    /** The number of the next Signal. */
    this.position = 0
    /** The number of Signals that were dropped before this cursor reached them, or lost on their way. */
    this.missed = 0
    /** Whether its reader waits for a Signal that has not arrived. */
    this.waits = false
  }

  /** Return the next Signal of its type and advance; null if there is none yet. */
  next() {
    const buffer = this.#buffer
    if (this.position < buffer.start) {
      this.missed += buffer.start - this.position + buffer.lostBefore - this.#lost
      this.#lost = buffer.lostBefore
      this.position = buffer.start
    }
    while (this.position < buffer.end) {
      const lost = buffer.lost.size === 0 ? 0 : (buffer.lost.get(this.position) ?? 0)
      this.#lost += lost
      this.missed += lost
      const signal = buffer.at(this.position++)
      if (this.#wants(signal)) return signal
    }
    return null
  }

  #wants(signal) {
    return this.#type === null || this.#type === signal.type
  }

  /** Stop reading. */
  leave() {
    this.#buffer.cursors.delete(this)
  }

  /** Return whether its reader is handling the question, or will receive it by itself. */
  mayBeAnswering(question, position) {
    if (this.waits || !this.#wants(question)) return false
    return this.#isLoop || this.position > position
  }
}

/**
 * The Signals of one Pathway, in order, bounded by number and by bytes.
 *
 * Over a bound the oldest eighth is dropped; a cursor that had not reached it counts it as missed.
 */
export class SignalBuffer {
  #signals = []
  #sizes = []
  #bytes = 0
  #maxSignals
  #maxBytes
  #question = null
  #questionAt = 0

  /**
   * @param {number} [maxSignals] The bound for Signals.
   * @param {number} [maxBytes] The bound for bytes of encoded Signals.
   */
  constructor(maxSignals = MAX_SIGNALS, maxBytes = MAX_BYTES) {
    this.#maxSignals = maxSignals
    this.#maxBytes = maxBytes
    /** The number of the oldest stored Signal: as many were dropped. */
    this.start = 0
    this.cursors = new Set()
    /** How many Signals were lost on their way directly before a stored one, by its number. */
    this.lost = new Map()
    /** How many were lost before those that are stored. */
    this.lostBefore = 0
  }

  /** The number of the next Signal to arrive. */
  get end() {
    return this.start + this.#signals.length
  }

  /** Return the Signal with this number, which must be stored. */
  at(position) {
    return this.#signals[position - this.start]
  }

  /**
   * Return a new cursor at the oldest stored Signal.
   *
   * @param {string | null} type The type that its reader receives; null for every one.
   * @param {boolean} isLoop Whether the reader reads one Signal after the other by itself, and not
   *   when the program calls for each.
   */
  cursor(type, isLoop) {
    const cursor = new Cursor(this, type, isLoop)
    this.cursors.add(cursor)
    return cursor
  }

  /** Record that so many Signals are lost on their way before the next one that arrives. */
  lose(count) {
    this.lost.set(this.end, (this.lost.get(this.end) ?? 0) + count)
  }

  /** Add a Signal of `size` bytes. */
  append(signal, size) {
    this.#signals.push(signal)
    this.#sizes.push(size)
    this.#bytes += size
    for (const each of this.cursors) each.waits = false // its reader has to handle this one first
    while (this.#bytes > this.#maxBytes || this.#signals.length > this.#maxSignals) {
      const dropped = Math.max(1, this.#signals.length >> 3)
      this.#signals.splice(0, dropped)
      for (const each of this.#sizes.splice(0, dropped)) this.#bytes -= each
      this.start += dropped
      for (const [at, count] of this.lost) {
        if (at >= this.start) continue
        this.lostBefore += count
        this.lost.delete(at)
      }
    }
  }

  /** Record that only readers may still answer a question, if it is stored. */
  asked(question) {
    for (let position = this.end - 1; position >= this.start; position--) {
      if (this.at(position).id !== question.id) continue
      this.#question = question
      this.#questionAt = position
      return
    }
  }

  /** Record that the question has an answer. */
  answered() {
    this.#question = null
  }

  /** Return whether there is an open question that no reader will answer any more. */
  hasAbandonedQuestion() {
    if (this.#question === null) return false
    let waits = false
    for (const each of this.cursors) {
      if (each.waits) waits = true
      else if (each.mayBeAnswering(this.#question, this.#questionAt)) return false
    }
    return waits
  }
}
