// The promise of a call that waits for the outcome of its task.
import { whenAborted } from '../../runtime/aborts.js'

/**
 * Settles a promise once, and takes its listener off an AbortSignal then.
 *
 * Every call makes one, so its fields are plain: private ones take longer to set up.
 */
export class Waiter {
  /**
   * @param {(value: unknown) => void} resolve Of the promise.
   * @param {(error: unknown) => void} reject Of the promise.
   * @param {boolean} wantsOutput Whether the promise is for the output, and not for the Signal.
   */
  constructor(resolve, reject, wantsOutput) {
    this.resolve = resolve
    this.reject = reject
    this.wantsOutput = wantsOutput
    this.unlink = null
    this.isDone = false
  }

  /** Reject with the reason of an AbortSignal when it aborts, and call `then`. */
  listen(signal, then) {
    this.unlink = whenAborted(signal, () => {
      this.fail(signal.reason)
      then()
    })
  }

  /** Resolve to the Signal that settles the task, or to its output. */
  settle(signal) {
    if (this.isDone) return
    this.#end()
    if (!this.wantsOutput) {
      this.resolve(signal)
      return
    }
    try {
      this.resolve(signal.output)
    } catch (error) {
      this.reject(error)
    }
  }

  /** Reject with an error. */
  fail(error) {
    if (this.isDone) return
    this.#end()
    this.reject(error)
  }

  #end() {
    this.isDone = true
    if (this.unlink === null) return
    this.unlink()
    this.unlink = null
  }
}
