// One TASK at its worker, from its arrival to its last reply. Each TASK makes one: what few of them
// need is made late.

import { Timed } from '../../runtime/deadlines.js'

/**
 * Return what a worker knows a task by: its caller and its id (docs/spec/09-resync.md, "What each
 * keeps", 3).
 * @param {Buffer} caller 16 bytes
 * @param {Buffer} task 16 bytes
 */
export const keyOf = (caller, task) => caller.latin1Slice(0, 16) + task.latin1Slice(0, 16)

export class Job extends Timed {
  /** The number of its next reply. */
  index = 0
  /** The number of its next thought. */
  thoughts = 0
  /** The number of Signals that its Neuron has streamed. */
  said = 0
  /** True while it waits for a place. */
  isQueued = false
  /** When its function was called, on the monotonic clock; null before. */
  startedAtMs = null
  /** True once its function has ended. */
  isOver = false
  /** True once its last reply was sent. */
  isSettled = false
  /** True once its caller sent a CANCEL. */
  isCallerGone = false
  /** True once a STOP has cancelled it. */
  isStopped = false
  /** The NeuronError that its function is to end for; null while it is wanted. */
  reason = null
  /** The replies that it has streamed so far, for a resync. */
  stream = null
  /** Gathers its thoughts, if its caller reads runs; a RunSender. */
  runs = null
  /** The streamed replies that found no room, in order. */
  unsent = null
  /** Settles when `unsent` is empty. */
  flushing = null
  /** Ends the wait for a function that was cancelled. */
  cancelTimer = null
  /** The number of its child tasks that are open. */
  children = 0
  #controller = null

  /**
   * @param {import('./axon-slots.js').AxonSlots} slots The places of its Axon.
   * @param {object} signal The TASK.
   * @param {string} key See `keyOf`.
   * @param {Buffer} caller Instance id of the caller.
   * @param {Buffer} task Task id.
   * @param {Buffer} trace Trace id.
   * @param {number} arrivedAtMs When it arrived, on the monotonic clock.
   * @param {number} deadlineAtMs The end of the caller's wait, on the monotonic clock.
   * @param {boolean} keep True if it runs on when its caller goes away.
   */
  constructor(slots, signal, key, caller, task, trace, arrivedAtMs, deadlineAtMs, keep) {
    super()
    this.slots = slots
    this.signal = signal
    this.key = key
    this.caller = caller
    this.task = task
    this.trace = trace
    this.arrivedAtMs = arrivedAtMs
    this.deadlineAtMs = deadlineAtMs
    this.keep = keep
  }

  /** Whether its function was called. */
  get isStarted() {
    return this.startedAtMs !== null
  }

  /**
   * The AbortSignal of its function; made when it is first read, since it costs more than all the
   * rest of a job.
   */
  get abortSignal() {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.reason !== null) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }

  /** Ask its function to end. @param {Error} reason The reason of the AbortSignal. */
  abort(reason) {
    this.reason = reason
    this.#controller?.abort(reason)
  }

  /** End what its function has left running: a child task lives no longer than its parent. */
  abortChildren(reason) {
    this.#controller?.abort(reason)
  }
}
