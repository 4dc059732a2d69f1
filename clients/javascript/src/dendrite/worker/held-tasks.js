// The tasks of a worker, listed for its transport after a lost connection, and their replies sent
// again. Spec: docs/spec/09-resync.md. The worker's half of the ResyncSource of the transport port.
import { idBytes } from '../../signals/ids.js'
import { CODE, Signal } from '../../signals/signals.js'
import { RUN, SETTLES, SKIPS, ZERO } from '../../wire/heads.js'
import { CLAIM } from '../../wire/resync-messages.js'
import { keyOf } from './job.js'

/** The name of the Axon in the claim of an ended task whose replies are gone: the proxy does not read it. */
const NO_AXON = '-'

export class HeldTasks {
  #client
  #jobs
  #replyCache
  #clock

  /**
   * @param {object} parts
   * @param {object} parts.client The transport port, for the replies.
   * @param {Map<string, import('./job.js').Job>} parts.jobs The tasks that run or wait here.
   * @param {import('./reply-cache.js').ReplyCache} parts.replyCache The tasks that have ended here.
   * @param {() => number} [parts.clock]
   */
  constructor({ client, jobs, replyCache, clock = () => performance.now() }) {
    this.#client = client
    this.#jobs = jobs
    this.#replyCache = replyCache
    this.#clock = clock
  }

  /** Return every task that runs or waits here. */
  heldTasks() {
    const nowMs = this.#clock()
    return [...this.#jobs.values()].map((job) => held(job, nowMs))
  }

  /** Return the state of a task here; null for one that never arrived. */
  claimOf(caller, task) {
    const key = keyOf(caller, task)
    const job = this.#jobs.get(key)
    if (job !== undefined) return held(job, this.#clock())
    if (!this.#replyCache.has(key)) return null
    // "What the proxy does with it", 3: ANSWERED waits for the last reply, FORGOTTEN is LOST.
    const answered = this.#replyCache.get(key)
    const claim = answered === null ? CLAIM.FORGOTTEN : CLAIM.ANSWERED
    return { caller, task, trace: ZERO, neuronId: axonOf(answered), claim, leftMs: 0, keep: false }
  }

  /** Send the replies of a task again, from number `index` on. */
  sendAgain(caller, task, index) {
    const job = this.#jobs.get(keyOf(caller, task))
    if (job === undefined) repeat(this.#client, this.#replyCache, caller, task, index)
    else if (job.stream !== null) {
      resend(this.#client, caller, task, job.stream.stored(), index, false)
    }
  }
}

/** Return who gave the last reply: a key may have a right to some Axons alone (11-access, CLAIM). */
function axonOf(answered) {
  if (answered === null) return NO_AXON
  const last = Array.isArray(answered) ? answered.at(-1)[2] : answered
  return Signal.decode(last).directed?.id ?? NO_AXON
}

function held(job, nowMs) {
  return {
    caller: job.caller,
    task: job.task,
    trace: job.trace,
    neuronId: job.slots.axon.neuronId,
    claim: CLAIM.RUNNING,
    leftMs: Math.max(0, Math.trunc(job.deadlineAtMs - nowMs)),
    keep: job.keep,
  }
}

/**
 * Send the replies of an ended task again, from number `index` on; return false if they are not
 * stored.
 */
export function repeat(client, replyCache, caller, task, index) {
  const answered = replyCache.get(keyOf(caller, task))
  if (answered === null || answered === undefined) return false
  const replies = Array.isArray(answered)
    ? answered
    : [[0, CODE[Signal.decode(answered).type], answered, 1]]
  resend(client, caller, task, replies, index, true)
  return true
}

/** Send replies from number `index` on; the first says SKIPS if some before it are gone. */
function resend(client, caller, task, replies, index, hasEnded) {
  if (replies.length === 0) return
  const [firstIndex, , firstBody] = replies[0]
  const trace = idBytes(Signal.decode(firstBody).traceId)
  // "At the caller", 2: without SKIPS the caller would ask for the dropped replies for ever.
  let skips = firstIndex > index
  const last = replies.length - 1
  for (const [at, [number, kind, body, count]] of replies.entries()) {
    if (number + count <= index) continue
    const settles = hasEnded && at === last ? SETTLES : 0
    const flags = settles | (skips ? SKIPS : 0) | (count > 1 ? RUN : 0)
    const outcome = client.sendReply(caller, task, trace, kind, body, number, flags)
    skips = false
    if (outcome !== 'SENT' && outcome !== 'WAITING') return // the caller asks for the rest
  }
}
