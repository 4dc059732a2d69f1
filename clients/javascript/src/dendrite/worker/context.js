// The second argument of a Neuron: its task, and calls to stream and to dispatch while it works.
import { InvalidArgument, shown } from '../../errors.js'
import { checkedText, streamedPayload } from './streamed.js'

const CHILD_MS = 30_000

/**
 * Calls that stream send at once and return a promise of the Signal, which waits while the outbox
 * is full: await it in a loop. Once the task has been cancelled, or has ended, nothing is sent any
 * more (counted as `drop.said_late`) and the promise rejects; one that nobody awaits does not.
 */
export class TaskContext {
  #job
  #port

  /**
   * @param {import('./job.js').Job} job
   * @param {{ say: Function, think: Function, child: Function, clock: () => number }} port What a job may ask of
   *   its worker.
   * @param {unknown[]} items
   */
  constructor(job, port, items) {
    this.#job = job
    this.#port = port
    /**
     * The context items: those of `context_ref`, or what the `contextFetcher` of the Axon made of
     * it.
     */
    this.items = items
  }

  /** The TASK Signal. */
  get task() {
    return this.#job.signal
  }

  /** The workflow that the task belongs to. */
  get traceId() {
    return this.#job.signal.traceId
  }

  /**
   * An AbortSignal for fetch and the like. It aborts when the caller cancels or is gone, a STOP
   * comes or the time is over.
   */
  get signal() {
    return this.#job.abortSignal
  }

  /** Whether the function should end. */
  get cancelled() {
    return this.#job.reason !== null || this.#job.isSettled
  }

  /** The end of the caller's wait, as a Date. */
  get deadline() {
    return new Date(Date.now() + this.remainingMs)
  }

  /** Milliseconds until the deadline of the task, at least 0. */
  get remainingMs() {
    return Math.max(0, this.#job.deadlineAtMs - this.#port.clock())
  }

  /**
   * Stream a text to the caller; all texts arrive in order, before the last reply.
   * @param {string} text
   * @param {{ kind?: string }} [options] `kind`: 'reasoning' for a text that is no part of the
   *   response.
   * @returns {Promise<object>} The Signal, once there is room for the next one.
   * @throws {InvalidArgument} `text` is no string.
   */
  think(text, { kind } = {}) {
    return this.#port.think(this.#job, checkedText(text), kind)
  }

  /**
   * Report the call of a tool; pass the Signal, or its `payload.call_id`, on to its result.
   * @param {string} name
   * @param {unknown} [args]
   * @param {{ callId?: string }} [options]
   * @returns {Promise<object>} As `think`.
   * @throws {UnencodableValue | SignalTooLarge} The arguments hold a value that no Signal can
   *   carry, or too much.
   */
  toolCall(name, args, { callId } = {}) {
    return this.emit('TOOL_CALL', { tool_name: name, args, call_id: callId })
  }

  /**
   * Report the result of a tool, or its error.
   * @param {string | object} call The name of the tool, or the TOOL_CALL.
   * @param {unknown} [result]
   * @param {{ error?: string, callId?: string }} [options] `error`: the error text; `callId`: if
   *   `call` is a name.
   * @returns {Promise<object>} As `think`.
   * @throws {UnencodableValue | SignalTooLarge} As `toolCall`.
   */
  toolResult(call, result, { error, callId } = {}) {
    const of = typeof call === 'string' ? { tool_name: call, call_id: callId } : call?.payload
    if (typeof of?.tool_name !== 'string') {
      throw new InvalidArgument(
        `toolResult takes the name of a tool or its TOOL_CALL, not ${shown(call)}; await toolCall() first`,
      )
    }
    const { tool_name: name, call_id: id } = of
    return this.emit('TOOL_RESULT', { tool_name: name, call_id: id, result, error })
  }

  /** Report the plan of the Neuron. @returns {Promise<object>} As `think`. */
  plan(steps, rationale) {
    return this.emit('PLAN', { steps: [...steps], rationale })
  }

  /**
   * Send a Signal of a type that a Neuron may send while it works: THOUGHT_DELTA, TOOL_CALL,
   * TOOL_RESULT, PLAN, CRITIQUE, CONSENSUS, CONTEXT_SYNC or MEMORY_APPEND.
   * @param {string} type
   * @param {object} payload Its keys as on the wire: docs/spec/07-signals.md, "Payloads".
   * @returns {Promise<object>} As `think`.
   * @throws {InvalidArgument} Another type, or a key is missing or unknown.
   */
  emit(type, payload = {}) {
    const checked = streamedPayload(type, payload)
    if (type === 'THOUGHT_DELTA') return this.think(checked.delta, { kind: checked.kind })
    return this.#port.say(this.#job, type, checked)
  }

  /**
   * Send a child task and resolve to the Signal that settles it. It has the trace of this task,
   * this task as its parent and at most its remaining time, and it is cancelled when this task ends
   * or is cancelled. A promise that nobody awaits does no harm.
   * @param {object} options As of `dendrite.dispatchAndWait`; `timeoutMs` is 30,000 by default.
   */
  dispatchAndWait(options) {
    return this.#childCall('dispatchAndWait', options)
  }

  /**
   * Send a child task as `dispatchAndWait` does; resolve to its output, or throw what
   * `dendrite.ask` throws.
   */
  ask(options) {
    return this.#childCall('ask', options)
  }

  /** Send a child task as `dispatchAndWait` does; return its Pathway, to follow it. */
  dispatch(options) {
    return this.#port.child(this.#job, 'dispatch', this.#asChild(options))
  }

  #childCall(verb, options) {
    const call = async () => this.#port.child(this.#job, verb, this.#asChild(options))
    const outcome = call()
    // The end of this task rejects it: that must not end the process of a Neuron that has left it.
    outcome.catch(() => {})
    return outcome
  }

  #asChild(options = {}) {
    const { timeoutMs = CHILD_MS } = options
    return {
      ...options,
      traceId: this.traceId,
      parentId: this.task.id,
      timeoutMs: Math.max(1, Math.min(timeoutMs, this.remainingMs)),
    }
  }
}
