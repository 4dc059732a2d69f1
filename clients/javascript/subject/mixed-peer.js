// Serves and asks at several Synapses, in any version, as tests/support/mixed_peer.py does:
// `node mixed-peer.js CLIENT NAME NAMESPACE URL...`, where CLIENT is the folder of the version.
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const META = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'a=b',
  unheard_of: { what: [1, null] },
}
const DATA = Buffer.from(Array.from({ length: 256 * 400 }, (_, index) => index % 256))
const PIECES = ['one ', 'two ', 'three']

const [folder, name, namespace, ...urls] = process.argv.slice(2)
const { Axon, Dendrite, NeuronError, connectSynapse } = await import(`${folder}/src/index.js`)
const say = (...words) => process.stdout.write(words.join(' ') + '\n')
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other)

/** A promise for each key, and the way to keep it. */
class Promises {
  #made = new Map()
  of(key) {
    if (!this.#made.has(key)) {
      let keep
      const promise = new Promise((resolve) => (keep = resolve))
      this.#made.set(key, { promise, keep })
    }
    return this.#made.get(key)
  }
}

class Peer {
  #heard = new Promises()
  #cancelled = new Promises()

  /** Of a Peer that is traced, in a version that can. */
  #injected = 0

  constructor(synapse, isTraced) {
    const options = { synapse, namespace, dendriteId: name }
    this.dendrite = (isTraced && this.#traced(options)) || new Dendrite(options)
    for (const does of ['echo', 'stream', 'held', 'cancelled', 'asks', 'chain', 'fails']) {
      const neuronFn = (input, context) => this[does](input, context)
      this.dendrite.attachAxon(new Axon({ neuronId: `${name}.${does}`, neuronFn }))
    }
    this.dendrite.onClarification((question) => this.answer(question))
    this.dendrite.onMemoryAppend((signal) => this.#heard.of(signal.payload.key).keep())
  }

  #traced(options) {
    const inject = (meta) => {
      this.#injected++
      meta.traceparent = META.traceparent.replaceAll('b', 'a')
    }
    try {
      return new Dendrite({ ...options, tracing: { inject, run: (_meta, fn) => fn() } })
    } catch (error) {
      if (error.code !== 'INVALID_ARGUMENT') throw error
      return null // the version before tracing
    }
  }

  // ---- what it serves
  echo({ data }, { task }) {
    const meta = Object.fromEntries(Object.keys(META).map((key) => [key, task.meta[key]]))
    return { by: name, data, meta }
  }
  async *stream() {
    yield* PIECES
    yield { by: name }
  }
  async held({ token }, context) {
    await context.think('holding')
    if (!context.cancelled) await once(context.signal, 'abort')
    this.#cancelled.of(token).keep()
    throw context.signal.reason
  }
  async cancelled({ token }) {
    await this.#cancelled.of(token).promise
    return { by: name }
  }
  asks({ whom, clarification }) {
    if (clarification === undefined) return { __clarification__: true, question: `for ${whom}` }
    return { by: name, answer: clarification.answer }
  }
  async chain({ via: [first, ...rest] }, context) {
    if (first === undefined) return { by: [name] }
    const output = await context.ask({ neuron: `${first}.chain`, input: { via: rest } })
    return { by: [name, ...output.by] }
  }
  fails() {
    throw new NeuronError('NO_GOOD', `${name} cannot`, { recoverable: false })
  }

  // ---- what it asks
  async answer(question) {
    if (question.payload.question !== `for ${name}`) return
    await this.dendrite.respondToClarification(question, `${name} knows`)
  }
  async askAll(names) {
    this.dendrite.emit('MEMORY_APPEND', { key: name, value: 1 })
    const found = await this.dendrite.findNeurons()
    const roster = [...new Set(found.map(({ neuronId }) => neuronId.split('.')[0]))].sort()
    for (const each of names) if (each !== name) await this.#heard.of(each).promise
    const of = {}
    for (const each of names) of[each] = await this.askOne(each, names)
    return { roster, traced: this.#injected > 0 ? [...names].sort() : [], of }
  }
  async askOne(other, names) {
    const { dendrite } = this
    const others = names.filter((each) => each !== other)
    const told = { stream: [], question: [] }
    const input = { data: DATA }
    const output = await dendrite.ask({ neuron: `${other}.echo`, input, meta: META })
    const changed = Object.keys(META).filter((key) => !isSame(output.meta[key], META[key]))
    if (this.#injected > 0 && changed.includes('traceparent')) changed.shift()
    told.call = [output.by, DATA.equals(output.data), changed]
    const pathway = dendrite.dispatch({ neuron: `${other}.stream`, input: {} })
    for await (const text of pathway.thoughts()) told.stream.push(text)
    told.stream.push((await pathway.outcome()).output.by)
    told.cancel = await this.cancel(other)
    for (const whom of [name, others.at(-1)]) {
      const question = { neuron: `${other}.asks`, input: { whom }, answerElsewhere: true }
      const { by, answer } = (await dendrite.dispatchAndWait(question)).output
      told.question.push([by, answer])
    }
    told.chain = (await dendrite.ask({ neuron: `${other}.chain`, input: { via: others } })).by
    told.error = await dendrite.ask({ neuron: `${other}.fails`, input: {} }).then(
      () => null,
      ({ code, message, recoverable }) => [code, message, recoverable],
    )
    return told
  }
  async cancel(other) {
    const input = { token: `${name}-${other}` }
    const pathway = this.dendrite.dispatch({ neuron: `${other}.held`, input })
    await pathway.waitFor('THOUGHT_DELTA')
    pathway.close()
    return (await this.dendrite.ask({ neuron: `${other}.cancelled`, input })).by
  }
}

const peers = await Promise.all(
  urls.map(async (url) => new Peer(await connectSynapse(url), url === urls.at(-1))),
)
for (const each of peers) await each.dendrite.start()
const lines = createInterface({ input: process.stdin })
const line = once(lines, 'line')
const isOver = once(lines, 'close')
say('ready')
const names = (await line)[0].split(' ')
for (const [number, each] of peers.entries()) {
  say('told', number, JSON.stringify(await each.askAll(names)))
}
await isOver
for (const each of peers) await each.dendrite.stop()
