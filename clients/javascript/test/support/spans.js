// The spans of a test: an exporter in memory, and the tree that its spans make.
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

export class Spans {
  #exporter = new InMemorySpanExporter()

  constructor() {
    this.trace = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
    })
    this.context = new AsyncLocalStorageContextManager().enable()
  }

  /** What a Dendrite takes as `tracing`. */
  get api() {
    return { trace: this.trace, context: this.context }
  }

  get tracer() {
    return this.trace.getTracer('test')
  }

  /** The ended spans, each as a plain object. */
  get all() {
    return this.#exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      kind: span.kind,
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      traceState: span.spanContext().traceState?.serialize(),
      parentId: span.parentSpanContext?.spanId ?? null,
      attributes: span.attributes,
      status: span.status,
      events: span.events.map((each) => each.name),
    }))
  }

  named(name) {
    return this.all.filter((each) => each.name === name)
  }

  one(name) {
    const found = this.named(name)
    if (found.length !== 1) throw new Error(`${found.length} spans are named ${name}`)
    return found[0]
  }

  /** Each span as `parent > name`, sorted; that of a wait is left out: a machine may be busy. */
  tree() {
    const names = new Map(this.all.map((each) => [each.spanId, each.name]))
    return this.all
      .filter(({ name }) => !name.startsWith('queue'))
      .map(({ name, parentId }) => `${parentId ? (names.get(parentId) ?? '?') : ''} > ${name}`)
      .sort()
  }
}
