// One Signal that is awaited, several times and each time for a while.
import { atMostLongest } from '../../runtime/deadline-timer.js'

const nothing = () => {}

/** Holds the first Signal that is set; rejects nothing while nobody waits. */
export class Reaction {
  #wake = nothing
  #failure = null

  constructor() {
    this.signal = null
  }

  /** Set the Signal; later ones are ignored. */
  set(signal) {
    this.signal ??= signal
    this.#wake()
  }

  /** End this wait and every later one with an error. */
  fail(error) {
    this.#failure ??= { error }
    this.#wake()
  }

  /** Resolve to whether the Signal is set within `waitMs` milliseconds. */
  async within(waitMs) {
    if (this.signal === null && this.#failure === null) {
      let timer
      await new Promise((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, atMostLongest(waitMs))
      })
      clearTimeout(timer)
      this.#wake = nothing
    }
    if (this.signal === null && this.#failure !== null) throw this.#failure.error
    return this.signal !== null
  }
}
