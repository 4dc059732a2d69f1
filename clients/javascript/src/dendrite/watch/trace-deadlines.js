// Tells when a trace is over, so that the handlers of one trace do not stay for ever. Pure.
//
// A trace is over when every TASK that was seen in it has ended, no question waits for its answer,
// and nothing more came for GRACE_MS. One that never began is not over.
import { Deadlines, Timed } from '../../runtime/deadlines.js'
import { QUESTIONS } from '../../signals/signal-types.js'

export const GRACE_MS = 30_000
const ENDS = new Set(['AGENT_OUTPUT', 'FINAL', 'ERROR'])

class OpenTrace extends Timed {
  constructor(traceId) {
    super()
    this.traceId = traceId
    this.openIds = new Set()
    this.questionIds = new Set()
  }
}

/** The traces that are observed for their end. */
export class TraceDeadlines {
  #open = new Map()
  #ends = new Deadlines()

  /** Return whether a trace is observed. */
  has(traceId) {
    return this.#open.has(traceId)
  }

  /** Observe a trace. */
  begin(traceId) {
    if (!this.#open.has(traceId)) this.#open.set(traceId, new OpenTrace(traceId))
  }

  /** Observe a trace no longer. */
  forget(traceId) {
    const trace = this.#open.get(traceId)
    if (trace === undefined) return
    this.#ends.drop(trace)
    this.#open.delete(traceId)
  }

  /**
   * Record a Signal.
   *
   * @returns {number} When its trace is over if nothing else comes; infinity if it is not.
   */
  saw(signal, nowMs) {
    const trace = this.#open.get(signal.traceId)
    if (trace === undefined) return Infinity
    const hadEnded = trace.slot !== null
    this.#ends.drop(trace)
    const ends = record(trace, signal)
    if ((!hadEnded && !ends) || trace.openIds.size > 0 || trace.questionIds.size > 0)
      return Infinity
    return this.#ends.set(trace, nowMs + GRACE_MS)
  }

  /** Return the time of the next call of `due`; infinity without one. */
  nextAtMs() {
    return this.#ends.nextAtMs()
  }

  /** Return the ids of the traces that are over, and forget them. */
  due(nowMs) {
    const over = this.#ends.due(nowMs).map(({ traceId }) => traceId)
    for (const traceId of over) this.#open.delete(traceId)
    return over
  }
}

/** Record what a Signal opens and ends; return whether it ends something. */
function record({ openIds, questionIds }, { type, id, parentId }) {
  if (type === 'TASK') {
    questionIds.delete(parentId)
    openIds.add(id)
  } else if (QUESTIONS.has(type)) {
    openIds.delete(parentId)
    questionIds.add(id)
  } else if (ENDS.has(type)) {
    openIds.delete(parentId)
    questionIds.delete(parentId)
    return true
  }
  return false
}
