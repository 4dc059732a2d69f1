// Begins jobs: at once, but for at most 2 ms in a row. A bundle of TASKs whose functions work
// without waiting must not keep the sockets of this process from being read.
import { Fifo } from '../../runtime/fifo.js'

const TURN_MS = 2

export class RunQueue {
  #run
  #clock
  #defer
  #jobs = new Fifo()
  #spentMs = 0
  #isServing = false
  #isDeferred = false

  /**
   * @param {(job: object, nowMs: number) => void} run Begins a job; throws nothing.
   * @param {() => number} [clock] Returns milliseconds of a monotonic clock.
   * @param {(next: () => void) => void} [defer] Calls `next` after the loop has looked at its
   *   sockets.
   */
  constructor(run, clock = () => performance.now(), defer = setImmediate) {
    this.#run = run
    this.#clock = clock
    this.#defer = defer
  }

  /**
   * Begin a job now, or behind those that wait. A job that begins another one is not interrupted by
   * it.
   */
  start(job) {
    this.#jobs.push(job)
    if (!this.#isServing && !this.#isDeferred) this.#serve()
  }

  #serve() {
    this.#isServing = true
    let beganMs = this.#clock()
    try {
      while (this.#jobs.length > 0) {
        this.#run(this.#jobs.shift(), beganMs)
        const nowMs = this.#clock()
        this.#spentMs += nowMs - beganMs
        beganMs = nowMs
        if (this.#spentMs >= TURN_MS) return this.#rest()
      }
    } finally {
      this.#isServing = false
    }
  }

  #rest() {
    this.#isDeferred = true
    this.#defer(() => {
      this.#isDeferred = false
      this.#spentMs = 0
      this.#serve()
    })
  }
}
