// The handlers of a Dendrite: subscribes to their topics and passes them their Signals.
// Spec: docs/spec/05-broadcast.md; 09-resync.md, "At those who watch".
import { CODE, Signal, TYPE } from '../../signals/signals.js'
import { bytesId, idBytes } from '../../signals/ids.js'
import { HandlerTable } from './handlers.js'

const SYNC_MS = 5000
const OWN_TRAFFIC = new Set(
  (
    'TASK AGENT_OUTPUT FINAL ERROR CLARIFICATION PERMISSION ESCALATION THOUGHT_DELTA TOOL_CALL ' +
    'TOOL_RESULT PLAN CRITIQUE CONSENSUS CONTEXT_SYNC MEMORY_APPEND'
  ).split(' '),
)

/** The handlers of one Dendrite, fed from its own traffic and from the broadcast plane. */
export class Subscriptions {
  #client
  #table = new HandlerTable()
  #started = false
  #watchers = 0

  /** @param {object} client The transport: carries the subscriptions. */
  constructor(client) {
    this.#client = client
    this.counts = {}
    /** Whether a handler may want a TASK or a reply: the one test where nobody watches. */
    this.watchesTasks = false
    /** Whether a subscription is not in force yet. */
    this.outOfDate = false
  }

  /** Add a handler; it is in force after the next `settle`. */
  add(handler) {
    this.#table.add(handler)
    this.#count(handler, 1)
    if (!this.#started) return
    this.outOfDate = true
    for (const topic of topicsOf(handler)) this.#client.listen(topic)
  }

  /** Remove every handler of that function and return their number. */
  remove(fn) {
    const found = [...this.#table].filter((each) => each.fn === fn)
    for (const each of found) this.discard(each)
    return found.length
  }

  /** Remove one handler. */
  discard(handler) {
    this.#table.discard(handler)
    this.#count(handler, -1)
    if (this.#started) for (const topic of topicsOf(handler)) this.#client.unlisten(topic)
  }

  #count(handler, by) {
    if (handler.types.size === 0 || [...handler.types].some((each) => OWN_TRAFFIC.has(each)))
      this.#watchers += by
    this.watchesTasks = this.#watchers > 0
  }

  /** Return the topics to open the transport with; later handlers subscribe by themselves. */
  topics() {
    this.#started = true
    return [...this.#table].flatMap(topicsOf)
  }

  /** Resolve when every subscription is in force. Rejects with SynapseUnreachable after 5 s. */
  async settle() {
    while (this.outOfDate) {
      this.outOfDate = false
      try {
        await this.#client.sync(SYNC_MS)
      } catch (error) {
        this.outOfDate = true
        throw error
      }
    }
  }

  /** Return, before a Signal is made or decoded, whether a handler could want it. */
  mayWant(type, traceId) {
    return this.#table.mayWant(type, traceId)
  }

  /** Pass a Signal of our own traffic to every handler that wants it. */
  feed(signal) {
    for (const each of this.#table.ofType(signal)) call(each.fn, signal)
    for (const each of this.#table.ofTrace(signal)) call(each.fn, signal)
  }

  /** Pass on a question to us; call `ended` once each handler that may answer returned. */
  feedQuestion(question, ended) {
    const handlers = [...this.#table.ofType(question), ...this.#table.ofTrace(question)]
    const able = handlers.filter((each) => each.types.has(question.type) && !each.direct)
    for (const each of handlers) if (!able.includes(each)) call(each.fn, question)
    let left = able.length
    if (left === 0) ended()
    for (const each of able) {
      call(each.fn, question).then(() => {
        if (--left === 0) ended()
      })
    }
  }

  /** Handle a broadcast Signal; `kind` is -1 if it came by its trace. */
  onHeard(kind, trace, caller, worker, body) {
    const own = this.#client.instance
    const ours = caller.equals(own) || (worker.equals(own) && !isZero(caller))
    if (ours || !this.mayWant(TYPE[kind], kind < 0 ? bytesId('trc_', trace) : '')) return
    let signal
    try {
      signal = Signal.decode(body)
    } catch {
      this.counts['drop.bad_signal'] = (this.counts['drop.bad_signal'] ?? 0) + 1
      return
    }
    const handlers = kind < 0 ? this.#table.ofTrace(signal) : this.#table.ofType(signal)
    for (const each of handlers) call(each.fn, signal)
  }

  /** Count broadcast Signals that were lost before they arrived. */
  onMissed(count) {
    this.counts['gap.broadcast'] = (this.counts['gap.broadcast'] ?? 0) + count
  }

  /** Stop every handler. */
  async close() {
    this.#started = false
  }
}

const isZero = (id) => id.every((byte) => byte === 0)

function topicsOf({ traceId, types }) {
  if (traceId !== null) return [{ trace: idBytes(traceId) }]
  return Array.from(types, (type) => ({ kind: CODE[type] }))
}

async function call(fn, signal) {
  try {
    await fn(signal)
  } catch (error) {
    process.emitWarning(error)
  }
}
