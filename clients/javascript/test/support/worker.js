// A worker for tests, in a process of its own: a JavaScript Dendrite with Neurons of known
// behaviour.
//
//     const worker = await startWorker(t, synapse.url, { neurons: 'worker:echo,slow' })
//     worker.signal('SIGTERM')
//     await worker.line('served')
//
// As a program: SYNAPSE_URL=cosmo://127.0.0.1:7070 NEURONS=worker:echo,stream node
// test/support/worker.js Environment: SYNAPSE_URL; NEURONS, `id:behaviour` or a behaviour of that
// id, by default every one; NAMESPACE; DENDRITE_ID; CARRIER (zmtp, libzmq); CONCURRENCY and
// MAX_QUEUED of every Axon; VERSION; CAPABILITIES, names behind each other with commas. It prints
// `ready` once it is registered, `served` at its end, and what the behaviours say.
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import {
  Axon,
  Clarification,
  Dendrite,
  Escalation,
  NeuronError,
  PermissionNeeded,
  connectSynapse,
} from '../../src/index.js'
import { startNode } from './child.js'

const PROGRAM = fileURLToPath(import.meta.url)
const say = (text) => process.stdout.write(`${text}\n`)
const runs = new Map()

/** What each behaviour makes of its input. */
const BEHAVIOURS = {
  /** Returns its input. */
  echo: async (input) => input,

  /** The same, as a plain function. */
  plain: (input) => input,

  /** Streams `input.pieces` texts, `0 1 2 `, and returns their number. */
  async *stream(input) {
    const pieces = input?.pieces ?? 3
    for (let at = 0; at < pieces; at++) yield `${at} `
    return { pieces }
  },

  /** The same, as a plain generator without a return value: its output is `{ response }`. */
  *generator(input) {
    for (let at = 0; at < (input?.pieces ?? 3); at++) yield `${at} `
  },

  /**
   * Waits `input.ms` and returns its input; prints `aborted <code>` when it is cancelled before.
   * With `input.says` it streams that first.
   */
  slow: async (input, context) => {
    say(`slow begins ${input?.n ?? ''}`.trim())
    if (input?.says !== undefined) await context.think(input.says)
    try {
      await pause(input?.ms ?? 1000, undefined, { signal: context.signal })
    } catch (error) {
      say(`aborted ${context.signal.reason.code}`)
      throw error
    }
    return input
  },

  /** The same, but ignores its AbortSignal. */
  deaf: async (input) => {
    say('deaf begins')
    await pause(input?.ms ?? 60_000)
    return input
  },

  /** Keeps the event loop busy for `input.ms`. */
  blocks: (input) => {
    const untilMs = performance.now() + (input?.ms ?? 1000)
    while (performance.now() < untilMs);
    return input
  },

  /** Throws `input.how`: error, neuron, text, group or output; a NeuronError has `input.code`. */
  fails: async (input) => {
    if (input?.how === 'neuron') {
      throw new NeuronError(input.code ?? 'NO_FILE', 'no such file', { retryAfterMs: 1500 })
    }
    if (input?.how === 'text') throw 'no luck'
    if (input?.how === 'group')
      throw new AggregateError([new TypeError('a'), new Error('b')], 'two')
    if (input?.how === 'output') return { list: [1, () => 2] }
    throw new TypeError('it failed')
  },

  /**
   * Asks `input.kind` (clarification, permission or escalation) until it has an answer; returns
   * that.
   */
  asks: async (input) => {
    if (input?.clarification !== undefined) return { answered: input.clarification.answer }
    if (input?.permission !== undefined) return { granted: input.permission.granted }
    if (input?.kind === 'permission') throw new PermissionNeeded('delete', { reason: 'old' })
    if (input?.kind === 'escalation') return new Escalation('too hard', { target: 'echo' })
    throw new Clarification('which one?')
  },

  /** Returns how often it has run for `input.n` in this process, after `input.ms`. */
  counts: async (input) => {
    const count = (runs.get(input.n) ?? 0) + 1
    runs.set(input.n, count)
    if (count > 1) say(`ran again ${input.n}`)
    if (input.ms !== undefined) await pause(input.ms)
    return { n: input.n, runs: count }
  },

  /** Sends `input.input` to the neuron `input.neuron` as a child task; returns its output. */
  child: async (input, context) => ({
    child: await context.ask({ neuron: input.neuron, input: input.input }),
  }),

  /** Returns how much time it has left. */
  left: (_, context) => ({ remainingMs: context.remainingMs }),

  /** Uses every call of its context. */
  speaks: async (input, context) => {
    await context.think('hm')
    await context.think('because', { kind: 'reasoning' })
    const call = await context.toolCall('search', { q: 'x' })
    await context.toolResult(call, ['found'])
    await context.plan(['a', 'b'], 'since')
    await context.emit('MEMORY_APPEND', { key: 'k', value: 1 })
    return { trace: context.traceId, items: context.items, left: context.remainingMs > 0 }
  },
}

/**
 * Start this worker and wait until it is registered; the test `t` ends it.
 * @param {{ after: Function }} t
 * @param {string} url Of the Synapse.
 * @param {{ neurons?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<import('./child.js').Child>}
 */
export async function startWorker(t, url, { neurons = '', env = {} } = {}) {
  const child = startNode(t, [PROGRAM], { env: { SYNAPSE_URL: url, NEURONS: neurons, ...env } })
  await child.line('ready')
  return child
}

function axonsOf({ NEURONS, CONCURRENCY, MAX_QUEUED, VERSION, CAPABILITIES }) {
  const names = NEURONS ? NEURONS.split(',') : Object.keys(BEHAVIOURS)
  return names.map((each) => {
    const [neuronId, behaviour = neuronId] = each.split(':')
    return new Axon({
      neuronId,
      neuronFn: BEHAVIOURS[behaviour],
      capabilities: CAPABILITIES ? CAPABILITIES.split(',') : [],
      ...(VERSION && { version: VERSION }),
      ...(CONCURRENCY && { concurrency: Number(CONCURRENCY) }),
      ...(MAX_QUEUED && { maxQueued: Number(MAX_QUEUED) }),
    })
  })
}

async function serve(env) {
  const synapse = await connectSynapse(env.SYNAPSE_URL, { carrier: env.CARRIER || undefined })
  const { NAMESPACE: namespace = 'default', DENDRITE_ID: dendriteId = 'js-worker' } = env
  const dendrite = new Dendrite({ synapse, namespace, dendriteId, role: 'worker' })
  for (const axon of axonsOf(env)) dendrite.attachAxon(axon)
  await dendrite.start({ timeoutMs: 20_000 })
  say('ready')
  await dendrite.serve()
  say('served')
}

// `node --test` looks into this folder, too.
if (process.argv[1] === PROGRAM && process.env.SYNAPSE_URL) await serve(process.env)
