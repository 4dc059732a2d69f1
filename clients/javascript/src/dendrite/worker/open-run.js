// The thoughts that one job says in a turn of the loop, until they travel as one run. Pure.
// Spec: docs/spec/03-routing.md, "Runs"; docs/spec/07-signals.md, "Runs of thoughts".
import { idsFrom } from '../../signals/ids.js'
import { MAX_RUN_BYTES, MAX_TEXTS, encodeRun } from '../../signals/runs.js'
import { Signal } from '../../signals/signals.js'

/** A longer text travels alone: there is nothing to win. */
const MAX_TEXT_BYTES = MAX_RUN_BYTES / 4
/** What msgpack writes in front of a text, and of the list of them, at most. */
const TEXT_BYTES = 3
const LIST_BYTES = 3

/** Texts with consecutive numbers. */
export class OpenRun {
  #texts = []
  #room
  #ids = null

  /**
   * @param {Signal} first The first Signal; the ids after its own are taken for the others.
   * @param {Buffer} body Its bytes.
   */
  constructor(first, body) {
    this.first = first
    this.#room = MAX_RUN_BYTES - LIST_BYTES - body.length
    this.firstBody = body
  }

  /** The number of its thoughts. */
  get count() {
    return 1 + this.#texts.length
  }

  /**
   * Append a text.
   * @param {string} text
   * @param {number} size Its length in bytes.
   * @param {number} seq Its number within the task.
   * @returns {boolean} False, and nothing is done, if it does not belong to this run.
   */
  add(text, size, seq) {
    const bytes = size + TEXT_BYTES
    if (this.count === MAX_TEXTS || bytes > this.#room) return false
    if (seq !== this.first.payload.seq + this.count) return false
    this.#texts.push(text)
    this.#room -= bytes
    return true
  }

  /** Return the Signal that the last thought is to its readers. */
  last() {
    const k = this.#texts.length
    if (k === 0) return this.first
    this.#ids ??= idsFrom(this.first.id, MAX_TEXTS)
    const { payload } = this.first
    return new Signal({
      ...this.first,
      id: this.#ids[k],
      payload: { delta: this.#texts[k - 1], seq: payload.seq + k },
      meta: {},
    })
  }

  /** Return the bytes of all: of a Signal, if there is one thought. */
  encode() {
    return this.#texts.length === 0 ? this.firstBody : encodeRun(this.first, this.#texts)
  }
}

/** Return the length of a text in bytes; null if it is too long for a run, or invalid. */
export function sizeOf(text) {
  if (text.length > MAX_TEXT_BYTES || !text.isWellFormed()) return null
  const size = Buffer.byteLength(text)
  return size <= MAX_TEXT_BYTES ? size : null
}
