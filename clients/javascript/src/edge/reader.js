// A reader of a Pathway, one Signal at a time with a look ahead.
import { isQuestion } from './outcomes.js'
import { settles } from './sse.js'

/** One reader of a Pathway, to be used by one function at a time. */
export class SignalReader {
  #pathway
  #signals
  #ahead = []
  #asked = null
  #last = null

  /** @param {import('../dendrite/caller/pathway.js').Pathway} pathway What it reads. */
  constructor(pathway) {
    this.#pathway = pathway
    this.#signals = pathway[Symbol.asyncIterator]()
  }

  /** The Signal that settled the task, after the end; null if the Dendrite was stopped before. */
  get reply() {
    return this.#last !== null && settles(this.#last) ? this.#last : null
  }

  /** Return the next Signal, or null at the end. */
  async next() {
    if (this.#ahead.length === 0) await this.#fetch()
    const signal = this.#ahead.shift()
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
    const [first] = this.#ahead
    if (first === null || !(first.type === 'ERROR' || isQuestion(first))) return null
    return (await this.#comes(timeoutMs)) && this.#ahead[1] === null ? first : null
  }

  /** Close the Pathway, which cancels its task if that still runs. */
  close() {
    return this.#pathway.close()
  }

  async #fetch() {
    this.#asked ??= this.#signals.next()
    const { done, value } = await this.#asked
    this.#asked = null
    this.#ahead.push(done ? null : value)
  }

  /** Return true when one more Signal or the end is ahead, false after `timeoutMs`. */
  async #comes(timeoutMs) {
    let timer
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false)
    })
    this.#asked ??= this.#signals.next()
    const came = await Promise.race([this.#asked.then(() => true), late])
    clearTimeout(timer)
    if (came) await this.#fetch()
    return came
  }
}
