// The places of one Axon: how many jobs it runs, and the jobs that wait for a place. Pure.
import { Fifo } from '../../runtime/fifo.js'

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
  }

  /** The number of jobs that wait for a place. */
  get queued() {
    return this.#waiting
  }

  get hasPlace() {
    return this.running < this.axon.concurrency
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
