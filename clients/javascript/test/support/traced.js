// A program that has set up OpenTelemetry: `node traced.js URL caller|worker`. It prints its spans, one a
// line, when it ends. The caller asks `outer` within a span `request`; the worker hosts `inner`.
import { ROOT_CONTEXT, context, trace } from '@opentelemetry/api'
import { Axon, Dendrite, connectSynapse } from '../../src/index.js'
import { Spans } from './spans.js'

const [url, part] = process.argv.slice(2)
const say = (text) => process.stdout.write(`${text}\n`)
const spans = new Spans()
trace.setGlobalTracerProvider(spans.trace)
context.setGlobalContextManager(spans.context)

const inner = async (input, { task }) => {
  const span = trace.getTracer('program').startSpan('work')
  span.end()
  return { traceparent: task.meta.traceparent }
}

const role = part === 'worker' ? 'worker' : 'orchestrator'
const synapse = await connectSynapse(url)
const dendrite = new Dendrite({ synapse, namespace: 'traced', dendriteId: part, role })
if (part === 'worker') {
  dendrite.attachAxon(new Axon({ neuronId: 'inner', neuronFn: inner }))
  await dendrite.start({ timeoutMs: 20_000 })
  say('ready')
  await dendrite.serve()
} else {
  await dendrite.start({ timeoutMs: 20_000 })
  const request = trace.getTracer('program').startSpan('request')
  const output = await context.with(trace.setSpan(ROOT_CONTEXT, request), () =>
    dendrite.ask({ neuron: 'outer', input: { text: 'hello' } }),
  )
  request.end()
  say(`output ${JSON.stringify(output)}`)
  await dendrite.stop()
}
for (const each of spans.all) say(`span ${JSON.stringify(each)}`)
