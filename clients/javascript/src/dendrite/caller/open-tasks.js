// Open tasks at their caller: the tasks that wait for their end, and their deadlines. Pure.
//
// Spec: docs/spec/03-routing.md, "At the caller". Every task that is opened ends exactly once: by
// the reply that settles it, by a BOUNCE or LOST, or at its deadline.
import { Deadlines } from '../../runtime/deadlines.js'
import { count } from '../../runtime/counter.js'

export const GAP_INTERVAL_MS = 250
const SETTLES = 1
const SKIPS = 4

const keyOf = (id) => id.latin1Slice(0, 16)

/** One task that waits for its end. Every dispatch makes one. */
export class OpenTask {
  /**
   * @param {object} signal The TASK.
   * @param {Buffer} task Its id, 16 bytes.
   * @param {Buffer} trace Its trace id, 16 bytes.
   * @param {number} timeoutMs The time that its caller allows.
   */
  constructor(signal, task, trace, timeoutMs) {
    this.signal = signal
    this.task = task
    this.trace = trace
    this.key = keyOf(task)
    this.timeoutMs = timeoutMs
    /** Its deadline on the monotonic clock. */
    this.expiresAtMs = 0
    /** The number of the next reply. */
    this.nextIndex = 0
    /** The highest number of a reply that arrived before missing ones. */
    this.earlyIndex = 0
    /** The time of the last request for missing replies. */
    this.gapSentAtMs = -Infinity
    /** Whether it runs on when its caller disconnects. */
    this.keep = false
    /** The TASK as it was sent. */
    this.body = null
    /** The unanswered question that the Neuron sent instead of an output. */
    this.question = null
    /** Whether traces and watchers are told of it: a TASK for a card is no work. */
    this.isObserved = true
    /** Whether its caller waits for answers from other Dendrites. */
    this.answerElsewhere = false
    // What the outcome goes to; nothing here reads it.
    this.waiter = null
    this.pathway = null
    // The fields of an entry of Deadlines.
    this.slot = null
    this.earlier = null
    this.later = null
  }

  /** Replace the TASK that ended in a question by the one that its answer led to. */
  continueWith(signal, task) {
    this.signal = signal
    this.task = task
    this.key = keyOf(task)
    this.question = null
    this.nextIndex = 0
    this.earlyIndex = 0
    this.gapSentAtMs = -Infinity
  }

  /** The destination of the task, for error texts. */
  get target() {
    const { directed } = this.signal
    if (directed !== null && directed.id !== null) return `neuron '${directed.id}'`
    return `a neuron that offers ${directed === null ? '' : directed.capabilities.join(', ')}`
  }

  /** Return the time that is left at `nowMs`, in whole milliseconds, at least 0. */
  leftMs(nowMs) {
    return Math.max(0, Math.floor(this.expiresAtMs - nowMs))
  }
}

/** The open tasks of one Dendrite. */
export class OpenTasks {
  #open = new Map()
  #deadlines = new Deadlines()

  constructor() {
    this.counts = {}
  }

  get size() {
    return this.#open.size
  }

  /**
   * Add a task; its deadline is in `timeoutMs` milliseconds.
   *
   * @param {OpenTask} opened The task.
   * @param {number} nowMs The time.
   * @returns {number} When it will be due for `expire`.
   */
  open(opened, nowMs) {
    opened.expiresAtMs = nowMs + opened.timeoutMs
    return this.reopen(opened)
  }

  /** Add a task that continues after a question; it keeps its deadline. Return as `open`. */
  reopen(opened) {
    this.#open.set(opened.key, opened)
    return this.#deadlines.set(opened, opened.expiresAtMs)
  }

  /** Return an open task by its id; undefined if it is not open. */
  get(task) {
    return this.#open.get(keyOf(task))
  }

  /** Return whether this very task is open. */
  has(opened) {
    return this.#open.get(opened.key) === opened
  }

  /** Return every open task as a row of resync, oldest first (09-resync, "After WELCOME"). */
  rows(nowMs) {
    return Array.from(this.#open.values(), (each) => rowOf(each, each.leftMs(nowMs)))
  }

  /**
   * Accept the next reply of an open task; return null and count any other reply.
   *
   * Replies are numbered from 0 (03-routing, "Replies", 3). A missing reply is sent again after a
   * GAP, see `missed`; with SKIPS the replies before this one are lost for good.
   *
   * @param {Buffer} task The id of the task.
   * @param {number} index The number of the reply.
   * @param {number} flags Its flags: 1 SETTLES, 4 SKIPS.
   * @returns {OpenTask | null}
   */
  replied(task, index, flags) {
    const opened = this.#open.get(keyOf(task))
    if (opened === undefined || index !== opened.nextIndex) {
      if (!this.#isAccepted(opened, index, flags)) return null
      this.#lose(opened, index - opened.nextIndex)
    }
    opened.nextIndex = index + 1
    if ((flags & SETTLES) !== 0) this.close(opened)
    return opened
  }

  /**
   * Accept a run of replies as `replied` does with each.
   *
   * @param {Buffer} task The id of the task.
   * @param {number} index The number of the first reply.
   * @param {number} replies How many there are.
   * @param {number} flags 4 SKIPS.
   * @returns {{ opened: OpenTask, had: number } | null} The task, and how many of the first replies it has had; null
   *   if it takes none of them.
   */
  repliedByRun(task, index, replies, flags) {
    const opened = this.#open.get(keyOf(task))
    if (opened === undefined) {
      count(this.counts, 'drop.late_reply', replies)
      return null
    }
    const had = Math.min(replies, Math.max(0, opened.nextIndex - index))
    if (had > 0) count(this.counts, 'drop.repeated_reply', had)
    if (had === replies) return null
    if (index > opened.nextIndex) {
      if ((flags & SKIPS) === 0) {
        count(this.counts, 'drop.early_reply', replies)
        return null
      }
      this.#lose(opened, index - opened.nextIndex)
    }
    opened.nextIndex = index + replies
    return { opened, had }
  }

  #lose(opened, replies) {
    count(this.counts, 'gap.replies', replies)
    opened.pathway?.lose(replies)
  }

  /** Return whether a reply that is not the next one is accepted; count it if it is not. */
  #isAccepted(opened, index, flags) {
    const why =
      opened === undefined
        ? 'drop.late_reply'
        : index < opened.nextIndex
          ? 'drop.repeated_reply'
          : 'drop.early_reply'
    if (why === 'drop.early_reply' && (flags & SKIPS) !== 0) return true
    count(this.counts, why)
    return false
  }

  /**
   * Return the task if its replies before `index` are missing and a GAP may be sent now, else null.
   *
   * @param {Buffer} task The id of the task.
   * @param {number} index The number of a reply that has arrived, or is known to exist.
   * @param {number} nowMs The time.
   * @returns {OpenTask | null}
   */
  missed(task, index, nowMs) {
    const opened = this.#open.get(keyOf(task))
    if (opened === undefined || index <= opened.nextIndex) return null
    opened.earlyIndex = Math.max(opened.earlyIndex, index)
    // 09-resync, "At the caller", 2: at most one GAP every 250 ms for a task.
    if (nowMs < opened.gapSentAtMs + GAP_INTERVAL_MS) return null
    opened.gapSentAtMs = nowMs
    return opened
  }

  /** End a task; return false if it is not open. */
  close(opened) {
    if (!this.has(opened)) return false
    this.#open.delete(opened.key)
    this.#deadlines.drop(opened)
    return true
  }

  /** End and return every task. */
  closeAll() {
    const all = [...this.#open.values()]
    for (const each of all) this.close(each)
    return all
  }

  /** End and return the tasks whose deadline has passed. */
  expire(nowMs) {
    const due = this.#deadlines.due(nowMs)
    for (const each of due) this.#open.delete(each.key)
    return due
  }

  /** Return the time of the next call of `expire`; infinity without an open task. */
  nextAtMs() {
    return this.#deadlines.nextAtMs()
  }
}

/** Return an open task as a row of the transport port. */
export const rowOf = (opened, leftMs) => ({
  task: opened.task,
  trace: opened.trace,
  nextIndex: opened.nextIndex,
  leftMs,
  keep: opened.keep,
})
