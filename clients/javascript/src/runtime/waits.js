// Promises that wait for an event, with a bound.
import { whenAborted } from './aborts.js'
import { atMostLongest } from './deadline-timer.js'

/** A promise that is settled from outside. Nobody has to wait for it. */
export class Deferred {
  constructor() {
    this.isSettled = false
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {}) // its waiter may be gone: that is no unhandled rejection
  }
  #resolve
  #reject

  resolve(value) {
    this.isSettled = true
    this.#resolve(value)
  }

  reject(error) {
    this.isSettled = true
    this.#reject(error)
  }
}

/**
 * Wait for a promise within a time.
 * @template T
 * @param {Promise<T>} promise
 * @param {number | null} timeoutMs null waits for ever
 * @param {() => Error} late makes the error of one who waited too long
 * @param {AbortSignal} [signal] rejects with its reason
 * @returns {Promise<T>}
 */
export function within(promise, timeoutMs, late, signal) {
  return new Promise((resolve, reject) => {
    const timer =
      timeoutMs === null
        ? null
        : setTimeout(() => end(reject, late()), atMostLongest(Math.max(0, timeoutMs)))
    let unlink = () => {}
    const end = (settle, value) => {
      clearTimeout(timer)
      unlink()
      settle(value)
    }
    promise.then(
      (value) => end(resolve, value),
      (error) => end(reject, error),
    )
    if (signal) unlink = whenAborted(signal, () => end(reject, signal.reason))
  })
}

/** The time that is left of a timeout, as a function. @param {number | null} timeoutMs null for ever */
export function countdown(timeoutMs) {
  if (timeoutMs === null) return () => null
  const endMs = performance.now() + timeoutMs
  return () => Math.max(0, endMs - performance.now())
}
