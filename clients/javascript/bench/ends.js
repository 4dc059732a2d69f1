// The ends of a measurement: node ends.js ROLE URL NAMESPACE, orders as lines of JSON on stdin, one
// answer a line on stdout. Roles: worker and caller of the fabric, nats-worker and nats-caller.
import { createInterface } from 'node:readline'

import { connect } from '@nats-io/transport-node'

import { Axon, Dendrite, connectSynapse } from '../src/index.js'

const TIMEOUT_MS = 30_000
const ECHO = 'bench-echo-0'
const STREAMER = 'bench-streamer-0'
// Wide enough that a call measures the round trip, and not a queue of the worker.
const WIDE = { concurrency: 1024, maxQueued: 100_000 }
const FRAME_BYTES = 8 // the overhead of msgpack around the text, key included

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

/** Keep `outstanding` calls in the air for some seconds; return the calls and their times. */
async function load(call, outstanding, seconds, payloadBytes) {
  const payload = { text: 'x'.repeat(payloadBytes - FRAME_BYTES) }
  const took = []
  const begin = performance.now()
  const end = begin + seconds * 1000
  const callUntil = async () => {
    let called = performance.now()
    while (called < end) {
      const output = await call(payload)
      if (output.text.length !== payload.text.length) throw new Error('another text came back')
      const now = performance.now()
      took.push(now - called)
      called = now
    }
  }
  await Promise.all(Array.from({ length: outstanding }, callUntil))
  const elapsedMs = performance.now() - begin
  took.sort((a, b) => a - b)
  const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))] / 1000
  return {
    calls: took.length,
    elapsed_s: elapsedMs / 1000,
    p50_s: at(0.5),
    p90_s: at(0.9),
    p99_s: at(0.99),
    max_s: at(1),
  }
}

/** Make that many calls, 256 at a time. */
async function callMany(call, count) {
  const payload = { text: 'x'.repeat(92) }
  let left = count
  const callSome = async () => {
    while (left-- > 0) await call(payload)
  }
  await Promise.all(Array.from({ length: 256 }, callSome))
}

function settledBytes() {
  for (let i = 0; i < 4; i++) globalThis.gc()
  return { rss: process.memoryUsage().rss, heap: process.memoryUsage().heapUsed }
}

async function join(url, namespace, dendriteId) {
  return new Dendrite({ synapse: await connectSynapse(url), namespace, dendriteId })
}

async function worker(url, namespace) {
  const dendrite = await join(url, namespace, 'bench-worker')
  const echo = (input) => input
  async function* pieces({ count }) {
    for (let i = 0; i < count; i++) yield ' token'
  }
  dendrite.attachAxon(new Axon({ neuronId: ECHO, neuronFn: echo, ...WIDE }))
  dendrite.attachAxon(new Axon({ neuronId: STREAMER, neuronFn: pieces, ...WIDE }))
  await dendrite.start()
  return { verbs: {}, close: () => dendrite.stop() }
}

async function caller(url, namespace) {
  const dendrite = await join(url, namespace, 'bench-caller')
  await dendrite.start()
  const call = (input) => dendrite.ask({ neuron: ECHO, input, timeoutMs: TIMEOUT_MS })
  const verbs = {
    load: (outstanding, seconds, bytes = 100) => load(call, outstanding, seconds, bytes),
    stream: async (count) => {
      const begin = performance.now()
      let seen = 0
      const pathway = dendrite.dispatch({ neuron: STREAMER, input: { count } })
      for await (const text of pathway.thoughts()) if (text === ' token') seen++
      if (seen !== count) throw new Error(`${seen} of ${count} tokens came`)
      return { tokens: seen, elapsed_s: (performance.now() - begin) / 1000 }
    },
    memory: async (count) => {
      await callMany(call, count)
      return settledBytes()
    },
    openings: async (count) => {
      for (let i = 0; i < count; i++) {
        const each = await join(url, namespace, 'bench-brief')
        await each.start()
        await each.stop()
      }
      return settledBytes()
    },
  }
  return { verbs, close: () => dendrite.stop() }
}

async function natsWorker(url, namespace) {
  const client = await connect({ servers: url })
  client.subscribe(namespace, {
    callback: (error, message) => {
      if (error) throw error
      const task = message.json()
      message.respond(JSON.stringify({ id: task.id, output: task.input }))
    },
  })
  await client.flush()
  return { verbs: {}, close: () => client.close() }
}

async function natsCaller(url, namespace) {
  const client = await connect({ servers: url })
  let number = 0
  const call = async (input) => {
    const body = JSON.stringify({ id: number++, input })
    const reply = await client.request(namespace, body, { timeout: TIMEOUT_MS })
    return reply.json().output
  }
  const verbs = {
    load: (outstanding, seconds, bytes = 100) => load(call, outstanding, seconds, bytes),
    memory: async (count) => {
      await callMany(call, count)
      return settledBytes()
    },
    openings: async (count) => {
      for (let i = 0; i < count; i++) await (await connect({ servers: url })).close()
      return settledBytes()
    },
  }
  return { verbs, close: () => client.close() }
}

const ROLES = { worker, caller, 'nats-worker': natsWorker, 'nats-caller': natsCaller }
const [role, url, namespace] = process.argv.slice(2)
const { verbs, close } = await ROLES[role](url, namespace)
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...values] = JSON.parse(line)
  try {
    say({ result: await verbs[verb](...values) })
  } catch (error) {
    say({ error: String(error.stack) })
  }
}
await close()
