// The places of one Axon: how many jobs it runs, and the jobs that wait for a place. Pure.
import { Fifo } from '../../runtime/fifo.js'
import { RateBucket, intervalOf } from './rate-limit.js'

/** One Axon with its jobs. */
export class AxonSlots {
  #queue = new Fifo()
  #waiting = 0

  /** @param {import('./axon.js').Axon} axon */
  constructor(axon) {
    this.axon = axon
    /** True once it was deregistered. */
    this.isDetaching = false
    /** The number of jobs that hold one of its `concurrency` places. */
    this.running = 0
    /** Says when the next job may begin; null without a rate limit. */
    this.bucket = axon.rateLimit === null ? null : new RateBucket(intervalOf(axon.rateLimit))
    /** The timer that begins the next job when the bucket has a token. */
    this.timer = null
  }

  /** The number of jobs that wait for a place. */
  get queued() {
    return this.#waiting
  }

  get hasPlace() {
    return this.running < this.axon.concurrency
  }

  /** Tell whether a job that arrives now need not wait. */
  mayBegin(nowMs) {
    if (!this.hasPlace) return false
    return this.bucket === null || (this.#waiting === 0 && this.bucket.waitMs(nowMs) === 0)
  }

  /** Give a job a place, and the token of the bucket. */
  admit() {
    this.running++
    this.bucket?.take()
  }

  /** Return when the rate limit makes room in the queue; undefined if that does not wait for it. */
  retryAfterS(nowMs) {
    if (this.bucket === null || !this.hasPlace) return undefined
    return Math.min(this.bucket.waitMs(nowMs), this.bucket.intervalMs) / 1000
  }

  /** Return why a job that arrives now is refused. */
  whyFull() {
    const { neuronId, concurrency, maxQueued, rateLimit } = this.axon
    const limit = this.hasPlace ? `at most ${rateLimit} begin` : `${concurrency} tasks run`
    return `the queue of ${neuronId} is full: ${limit} and ${maxQueued} wait`
  }

  get hasRoom() {
    return this.#waiting < this.axon.maxQueued
  }

  /** Let a job wait for a place. */
  enqueue(job) {
    job.isQueued = true
    this.#waiting++
    this.#queue.push(job)
  }

  /** Take a job out of the queue in constant time: `next` passes over it. */
  withdraw(job) {
    if (!job.isQueued) return
    job.isQueued = false
    this.#waiting--
    if (this.#queue.length > 2 * this.#waiting + 32) this.#sweep()
  }

  /** Return the job that has waited longest, out of the queue; undefined if none waits. */
  next() {
    for (let job; (job = this.#queue.shift()) !== undefined;) {
      if (!job.isQueued) continue
      job.isQueued = false
      this.#waiting--
      return job
    }
    return undefined
  }

  #sweep() {
    const left = new Fifo()
    for (const job of this.#queue) if (job.isQueued) left.push(job)
    this.#queue = left
  }
}
