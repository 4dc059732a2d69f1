// A typed program that uses all of the package: `npm run types` compiles it under --strict. The lines
// below `@ts-expect-error` must not compile.
import express from 'express'
import {
  AccessRefused,
  Axon,
  Clarification,
  CODES,
  Dendrite,
  DEFAULT_URL,
  Float,
  InvalidContext,
  InvalidKey,
  Key,
  NeedsAnswer,
  NeuronError,
  Signal,
  SignalType,
  Synapse,
  SynapseUnreachable,
  TimeoutError,
  connectSynapse,
  newTraceId,
} from 'cosmonapse'
import type { NeuronRecord, Off, Pathway } from 'cosmonapse'
import {
  answer,
  close,
  errors,
  hangUp,
  jsonBody,
  respond,
  serve,
  stream,
  wrap,
} from 'cosmonapse/express'

interface Question {
  prompt: string
}

const synapse: Synapse = await connectSynapse(DEFAULT_URL, { carrier: 'zmtp', timeoutMs: null })
const worker = new Axon<Question>({
  neuronId: 'worker',
  capabilities: ['chat'],
  concurrency: 8,
  async *neuronFn(input, context) {
    const words: string[] = input.prompt.split(' ')
    if (words.length === 0) throw new Clarification('about which animal?')
    await context.think('', { kind: 'reasoning' })
    const call: Signal = await context.toolCall('search', { words })
    await context.toolResult(call, new Float(2))
    const left: number = context.remainingMs
    await fetch('http://127.0.0.1:1/', { signal: context.signal })
    yield* words
    const child: { response: string } = await context.ask({ neuron: 'other', input })
    return { response: child.response, left }
  },
})

const key: Key = Key.read('ada.key')
const keyed = await connectSynapse(key.url ?? undefined, { key })
await connectSynapse(undefined, { key: 'ada.key' })
console.log(keyed, key.name, key.synapse.length)
// @ts-expect-error: the secret of a Key is shown nowhere
console.log(key.secret)

new Axon({
  neuronId: 'checked',
  neuronFn: () => 1,
  checkOutput: async ({ value }) => [String(value)],
})
new Axon({
  neuronId: 'checked',
  neuronFn: () => 1,
  checkOutput: { '~standard': { validate: () => ({ issues: [{ message: 'no', path: ['a'] }] }) } },
})
// @ts-expect-error: a check gives findings, not a number
new Axon({ neuronId: 'checked', neuronFn: () => 1, checkOutput: () => 1 })

// @ts-expect-error: an Axon needs its function
new Axon({ neuronId: 'worker' })

const dendrite = new Dendrite({
  synapse,
  namespace: 'api-demo',
  dendriteId: 'typed',
  logger: console,
})
dendrite.attachAxon(worker)
const off: Off = dendrite.onAgentOutput({ neuron: 'worker' }, (signal) => signal.traceId.length)
dendrite.onClarification(async (question) => {
  await dendrite.respondToClarification(question, 'cats')
})
dendrite.onTrace(newTraceId(), (signal: Signal) => signal.type === SignalType.PLAN)
await (await dendrite.start({ timeoutMs: 5000 })).sync()
const words: readonly string[] | null = dendrite.may
console.log(dendrite.user, words?.length)
dendrite.onFinal((signal) => signal.origin?.length)
off()

const controller = new AbortController()
const reply: Signal = await dendrite.dispatchAndWait({
  neuron: 'worker',
  input: { prompt: 'hello' },
  timeoutMs: 30_000,
  signal: controller.signal,
})
const text: string = reply.payload['output'].response
const output = await dendrite.ask<{ response: string }>({ capabilities: ['chat'], input: {} })
output.response.toUpperCase()

// @ts-expect-error: one of neuron and capabilities, not both
dendrite.ask({ neuron: 'worker', capabilities: ['chat'] })
// @ts-expect-error: an option that does not exist
dendrite.ask({ neuron: 'worker', timeout: 5 })
// @ts-expect-error: no type of Signal
dendrite.onSignal('PLANS', () => {})

const pathway: Pathway = dendrite.dispatch({ neuron: 'worker', input: { prompt: text } })
for await (const signal of pathway) console.log(signal.type, signal.payload)
for await (const piece of pathway.thoughts()) console.log(piece.length)
pathway.on('TOOL_CALL', (signal) => signal.payload['tool_name'])
const plan = await pathway.waitFor('PLAN', { timeoutMs: 100 })
pathway.close()
for await (const delta of dendrite.signals('THOUGHT_DELTA', { traceId: plan.traceId }))
  delta.reply('PLAN')

try {
  await pathway.outcome()
} catch (error) {
  if (error instanceof NeuronError) console.log(error.code, error.status, error.retryAfterMs)
  else if (error instanceof NeedsAnswer) console.log(error.signal.payload['question'])
  else if (error instanceof TimeoutError) console.log(CODES['EXPIRED']?.httpStatus)
  else if (error instanceof AccessRefused) console.log(error.fix, error.status)
  else if (error instanceof InvalidKey) console.log(error.what, error.reason)
  else if (error instanceof InvalidContext) console.log(error.what, error.reason)
  else if (error instanceof SynapseUnreachable) console.log(error.hint)
}

dendrite.emit('PLAN', { steps: ['a'] }, { traceId: reply.traceId })
const records: NeuronRecord[] = await dendrite.findNeurons('chat')
console.log(
  records.map((each) => each.neuronId),
  await dendrite.waitForNeuron({ neuron: 'worker' }),
)

const app = express()
app.use(express.json())
app.post(
  '/ask',
  answer(dendrite, (req) => ({ neuron: 'worker', input: jsonBody(req, 'prompt') })),
)
app.get(
  '/stream',
  stream(dendrite, (req: express.Request) => ({ neuron: 'worker', input: req.query })),
)
app.get(
  '/own',
  wrap(async (req: express.Request, res: express.Response) => {
    const input = { prompt: String(req.query['prompt']) }
    respond(res, await dendrite.dispatchAndWait({ neuron: 'worker', input, signal: hangUp(res) }))
  }),
)
app.post(
  '/text',
  stream(dendrite, () => ({ neuron: 'worker', input: {} }), { asText: true, keepAliveMs: 1000 }),
)
// @ts-expect-error a time is a number of milliseconds
const late = answer(dendrite, () => ({ neuron: 'worker', input: {}, timeoutMs: '1s' }))
app.post('/late', late)
// @ts-expect-error a logger has a method error
app.use(errors({ logger: console.error }))
app.use(errors({ app, logger: console }))
const server = app.listen(0)
const name: 'SIGINT' | 'SIGTERM' = await serve(server, dendrite, { drainMs: 1000 })
console.log(name)
await close(server, dendrite)
await synapse[Symbol.asyncDispose]()
