// The promise of a call that waits for the outcome of its task.

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
    this.abort = null
    this.onAbort = null
    this.isDone = false
  }

  /** Reject with the reason of an AbortSignal when it aborts, and call `then`. */
  listen(signal, then) {
    this.abort = signal
    this.onAbort = () => {
      this.fail(signal.reason)
      then()
    }
    signal.addEventListener('abort', this.onAbort)
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
    if (this.abort === null) return
    this.abort.removeEventListener('abort', this.onAbort)
    this.abort = this.onAbort = null
  }
}
