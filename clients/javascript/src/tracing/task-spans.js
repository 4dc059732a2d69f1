// The spans of tasks, at their caller and at their worker: docs/tracing.md says what each is.
import { count } from '../runtime/counter.js'
import * as names from './span-names.js'
import { KIND, fail } from './opentelemetry.js'
import { foundIn, traceparentOf } from './trace-context.js'

/** A shorter wait has no span of its own: it is the turn of the loop, and not a queue. */
const LEAST_QUEUED_MS = 1
const MAX_TOOL_CALLS = 256
const BAD = 'drop.bad_traceparent'

/** Makes the spans of one Dendrite. */
export class TaskSpans {
  #otel
  #facts
  #counts
  /** By TASK: the span of the call, and whether a thought has come. */
  #calls = new WeakMap()
  /** By job: its span, its context, its open tools. */
  #runs = new WeakMap()
  /** By the id of a TASK that runs here: for the child tasks of what knows nothing of its run. */
  #runOf = new Map()

  /**
   * @param {import('./opentelemetry.js').OpenTelemetry} otel
   * @param {{ namespace: string, dendriteId: string }} facts
   * @param {Record<string, number>} counts Counts the trace contexts that are invalid.
   */
  constructor(otel, { namespace, dendriteId }, counts) {
    this.#otel = otel
    this.#facts = {
      [names.MESSAGING_SYSTEM]: names.SYSTEM,
      [names.NAMESPACE]: namespace,
      [names.DENDRITE]: dendriteId,
    }
    this.#counts = counts
  }

  // ---- at the caller

  /** Begin the span of a TASK that is sent next, and write its context into the meta of the TASK. */
  begin(task, waits) {
    const { id, capabilities } = task.directed
    const name = names.spanName(names.DISPATCH, id ?? capabilities.join(','))
    const attributes = {
      ...this.#about(task, 'send'),
      [names.MESSAGING_OPERATION]: names.DISPATCH,
    }
    if (id !== null) attributes[names.DESTINATION] = id
    if (capabilities.length > 0) attributes[names.CAPABILITIES] = [...capabilities]
    const kind = waits ? KIND.CLIENT : KIND.PRODUCER
    const span = this.#otel.begin(name, kind, attributes, this.#parentOf(task))
    this.#calls.set(task, { span, hasThought: false })
    const context = span.spanContext()
    if (/^0*$/.test(context.traceId)) return // what came from elsewhere goes on as it is
    const state = context.traceState?.serialize() ?? ''
    // Another object: that of the program stays as it is.
    task.meta = { ...task.meta, traceparent: traceparentOf(context), tracestate: state }
    if (state === '') delete task.meta.tracestate
  }

  /** Return the context of the parent: see "The spans" in docs/tracing.md. */
  #parentOf({ meta, parentId }) {
    const given = this.#otel.remote(foundIn(meta).context)
    if (Object.hasOwn(meta, 'answer')) return given // who answers is not its caller
    return this.#otel.current() ?? this.#runOf.get(parentId)?.context ?? given
  }

  #about({ id, traceId, meta }, operation) {
    const attributes = {
      ...this.#facts,
      [names.MESSAGING_OPERATION_TYPE]: operation,
      [names.MESSAGE_ID]: id,
      [names.TRACE]: traceId,
    }
    if (typeof meta.attempt === 'number') attributes[names.ATTEMPT] = meta.attempt
    return attributes
  }

  /** End the span of a TASK that did not leave. */
  notSent(task, error) {
    const call = this.#taken(task)
    if (call === undefined) return
    fail(call.span, error.name ?? 'Error', names.ERROR_TYPE)
    call.span.end()
  }

  /** End the span of a TASK that nobody waits for: it has left. */
  sent(task, waits) {
    if (!waits) this.#taken(task)?.span.end()
  }

  /** Note when the first thought came. */
  heard(task) {
    const call = this.#calls.get(task)
    if (call === undefined || call.hasThought) return
    call.hasThought = true
    call.span.addEvent(names.FIRST_THOUGHT)
  }

  /** End the span of a TASK with what settled it: a Signal, or `ABANDONED`. */
  settled(task, outcome) {
    const call = this.#taken(task)
    if (call === undefined) return
    const { type, payload } = typeof outcome === 'string' ? { type: outcome } : outcome
    call.span.setAttribute(names.OUTCOME, type)
    if (type === 'ERROR') fail(call.span, String(payload.code), names.ERROR_TYPE)
    call.span.end()
  }

  #taken(task) {
    const call = this.#calls.get(task)
    this.#calls.delete(task)
    return call
  }

  // ---- at the worker

  /** Begin the span of a run, and call a function, and whatever it awaits, within it. */
  run(job, nowMs, fn) {
    const { signal, keep } = job
    const { axon } = job.slots
    const parent = this.#callerOf(signal)
    const queuedMs = nowMs - job.arrivedAtMs
    if (queuedMs >= LEAST_QUEUED_MS) this.#queueSpan(job, parent, queuedMs).end()
    const attributes = {
      ...this.#about(signal, 'process'),
      [names.DESTINATION]: axon.neuronId,
      [names.QUEUED_MS]: Math.round(queuedMs * 1000) / 1000,
      [names.OPERATION]: names.INVOKE_AGENT,
      [names.AGENT_NAME]: axon.neuronId,
      [names.PROVIDER]: names.SYSTEM,
    }
    if (typeof axon.version === 'string') attributes[names.AGENT_VERSION] = axon.version
    const name = names.spanName(names.INVOKE_AGENT, axon.neuronId)
    const kind = keep ? KIND.CONSUMER : KIND.SERVER
    const span = this.#otel.begin(name, kind, attributes, parent)
    const run = { span, context: this.#otel.contextOf(span), tools: null, hasThought: false }
    this.#runs.set(job, run)
    this.#runOf.set(signal.id, run)
    return this.#otel.within(run.context, fn)
  }

  /** Return the context that came with a TASK; count what is invalid. Once for each TASK. */
  #callerOf({ meta }) {
    const { context, dropped } = foundIn(meta)
    if (dropped > 0) count(this.#counts, BAD, dropped)
    return this.#otel.remote(context)
  }

  #queueSpan(job, parent, queuedMs) {
    const { neuronId } = job.slots.axon
    const attributes = {
      ...this.#about(job.signal, 'process'),
      [names.DESTINATION]: neuronId,
    }
    const name = names.spanName(names.QUEUE, neuronId)
    return this.#otel.begin(name, KIND.INTERNAL, attributes, parent, Date.now() - queuedMs)
  }

  /** Note when the first thought left. */
  thought(job) {
    const run = this.#runs.get(job)
    if (run === undefined || run.hasThought) return
    run.hasThought = true
    run.span.addEvent(names.FIRST_THOUGHT)
  }

  /** Begin the span of a TOOL_CALL, or end that of its TOOL_RESULT. */
  said(job, { type, payload }) {
    const run = this.#runs.get(job)
    if (run === undefined || typeof payload.call_id !== 'string') return
    if (type === 'TOOL_CALL') this.#beginTool(run, payload)
    else if (type === 'TOOL_RESULT') this.#endTool(run, payload)
  }

  #beginTool(run, { tool_name: tool, call_id: callId }) {
    run.tools ??= new Map()
    if (run.tools.size >= MAX_TOOL_CALLS || run.tools.has(callId)) return
    const attributes = {
      [names.OPERATION]: names.EXECUTE_TOOL,
      [names.TOOL_NAME]: tool,
      [names.TOOL_CALL_ID]: callId,
    }
    const name = names.spanName(names.EXECUTE_TOOL, tool)
    run.tools.set(callId, this.#otel.begin(name, KIND.INTERNAL, attributes, run.context))
  }

  #endTool({ tools }, { call_id: callId, error }) {
    const span = tools?.get(callId)
    if (span === undefined) return
    tools.delete(callId)
    if (error !== undefined && error !== null) fail(span, 'tool_error', names.ERROR_TYPE)
    span.end()
  }

  /** End the span of a run with its last Signal; a TASK that never ran has a queue span alone. */
  ended(job, { type, payload }, nowMs) {
    const code = type === 'ERROR' ? String(payload.code) : null
    const run = this.#runs.get(job)
    this.#runOf.delete(job.signal.id)
    if (run === undefined) {
      const parent = this.#callerOf(job.signal)
      const span = this.#queueSpan(job, parent, nowMs - job.arrivedAtMs)
      if (code !== null) fail(span, code, names.ERROR_TYPE)
      span.end()
      return
    }
    this.#runs.delete(job)
    run.span.setAttribute(names.OUTCOME, type)
    if (code !== null) fail(run.span, code, names.ERROR_TYPE)
    for (const tool of run.tools?.values() ?? []) tool.end()
    run.span.end()
  }
}
