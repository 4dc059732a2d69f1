// A reader of a Pathway, one Signal at a time with a look ahead.
import { isQuestion } from './outcomes.js'
import { settles } from './sse.js'

/** One reader of a Pathway, to be used by one function at a time. */
export class SignalReader {
  #pathway
  #cursor = null
  #ahead = []
  #asked = null
  #last = null

  /** @param {import('../dendrite/caller/pathway.js').Pathway} pathway What it reads. */
  constructor(pathway) {
    this.#pathway = pathway
    /** How many Signals were dropped before the one that `next` returned last: its client is slow. */
    this.missed = 0
    /** How many of them lie between that Signal and the one before it. */
    this.missedNow = 0
  }

  /** The Signal that settled the task, after the end; null if the Dendrite was stopped before. */
  get reply() {
    return this.#last !== null && settles(this.#last) ? this.#last : null
  }

  /** Return the next Signal, or null at the end. */
  async next() {
    if (this.#ahead.length === 0) await this.#fetch()
    const { signal, missed } = this.#ahead.shift()
    this.missedNow = missed - this.missed
    this.missed = missed
    if (signal !== null) this.#last = signal
    return signal
  }

  /**
   * Return the ERROR or the question that is the only Signal of the task, if it comes soon; else
   * null. It removes no Signal.
   *
   * @param {number} timeoutMs How long to wait for the Signal, and again for the end after it.
   */
  async refusal(timeoutMs) {
    if (!(await this.#comes(timeoutMs))) return null
    const [{ signal: first }] = this.#ahead
    if (first === null || !(first.type === 'ERROR' || isQuestion(first))) return null
    return (await this.#comes(timeoutMs)) && this.#ahead[1].signal === null ? first : null
  }

  /** Close the Pathway, which cancels its task if that still runs. */
  close() {
    this.#pathway.close()
    this.#cursor?.leave()
  }

  async #fetch() {
    this.#ahead.push(await this.#ask())
    this.#asked = null
  }

  /** Resolve to the next Signal, or null at the end, with the number of those dropped before it. */
  #ask() {
    // Made by the first wait: a position that nobody reads at could answer no question.
    this.#cursor ??= this.#pathway.cursor()
    this.#asked ??= this.#read()
    return this.#asked
  }

  async #read() {
    const signal = await this.#pathway.nextOf(this.#cursor)
    return { signal, missed: this.#cursor.missed }
  }

  /** Return true when one more Signal or the end is ahead, false after `timeoutMs`. */
  async #comes(timeoutMs) {
    let timer
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false)
    })
    const came = await Promise.race([this.#ask().then(() => true), late])
    clearTimeout(timer)
    if (came) await this.#fetch()
    return came
  }
}
