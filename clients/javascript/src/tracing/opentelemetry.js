// What is used of OpenTelemetry's API, as the program has loaded it: this package imports nothing.
// The API keeps what a program registers on the global object, under a symbol of its major version.
import { SCHEMA_URL } from './span-names.js'

const REGISTERED = Symbol.for('opentelemetry.js.api.1')
/** The key under which the API keeps the current span in a context. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN')
const ERROR = 2

/** The kinds of spans, as the API numbers them. */
export const KIND = Object.freeze({ INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 })

/** Return what the program has registered; null without a TracerProvider. */
export function registered() {
  const { trace, context } = globalThis[REGISTERED] ?? {}
  return typeof trace?.getTracer === 'function' ? { trace, context } : null
}

/** A context with nothing in it but what is set. */
class BareContext {
  #values

  constructor(values = new Map()) {
    this.#values = values
  }

  getValue(key) {
    return this.#values.get(key)
  }

  setValue(key, value) {
    return new BareContext(new Map(this.#values).set(key, value))
  }

  deleteValue(key) {
    const values = new Map(this.#values)
    values.delete(key)
    return new BareContext(values)
  }
}

/** A `tracestate` as it came. */
class TraceState {
  #members

  constructor(members) {
    this.#members = members
  }

  static of(text) {
    const members = text.split(',').map((each) => each.trim().split('='))
    return new TraceState(new Map(members.filter(([key]) => key !== '')))
  }

  get(key) {
    return this.#members.get(key)
  }

  set(key, value) {
    const others = [...this.#members].filter(([each]) => each !== key)
    return new TraceState(new Map([[key, value], ...others]))
  }

  unset(key) {
    return new TraceState(new Map([...this.#members].filter(([each]) => each !== key)))
  }

  serialize() {
    return [...this.#members].map((each) => each.join('=')).join(',')
  }
}

/** A span of another process, which can be a parent and nothing else. */
const remoteSpan = ({ traceId, spanId, flags, state }) => {
  const context = { traceId, spanId, traceFlags: flags, isRemote: true }
  if (state !== '') context.traceState = TraceState.of(state)
  return { spanContext: () => context, isRecording: () => false }
}

/** Makes spans and contexts by the API. */
export class OpenTelemetry {
  #tracer
  #contexts
  #root = new BareContext()

  /** @param {{ trace: object, context?: object }} api As of `registered`, or the whole API. */
  constructor({ trace, context }) {
    this.#tracer = trace.getTracer('cosmonapse', undefined, { schemaUrl: SCHEMA_URL })
    this.#contexts = context
  }

  /** Return the current context if a span is current; else null. */
  current() {
    const context = this.#contexts?.active()
    return this.spanIn(context) === null ? null : context
  }

  /** Return the context of the valid span in a context; null if there is none. */
  spanIn(context) {
    const found = context?.getValue(SPAN_KEY)?.spanContext()
    return found === undefined || /^0*$/.test(found.traceId) ? null : found
  }

  /** Return a context in which a span of another process is the parent; null: no span is. */
  remote(found) {
    return found === null ? this.#root : this.#root.setValue(SPAN_KEY, remoteSpan(found))
  }

  /** Return a context with a span. */
  contextOf(span) {
    return this.#root.setValue(SPAN_KEY, span)
  }

  /** Begin a span below what is in a context. */
  begin(name, kind, attributes, parent, startTime) {
    return this.#tracer.startSpan(name, { kind, attributes, startTime }, parent)
  }

  /** Call a function, and whatever it awaits, within a context. */
  within(context, fn) {
    return this.#contexts === undefined ? fn() : this.#contexts.with(context, fn)
  }
}

/** Give a span the code of an ERROR. The text of one may be content, and stays out. */
export function fail(span, code, attribute) {
  span.setAttribute(attribute, code)
  span.setStatus({ code: ERROR, message: code })
}
