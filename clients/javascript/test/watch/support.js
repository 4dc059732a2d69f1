// The transport port in memory for the engines of the watchers: it records, and every answer is set.
import { Directed, Signal, CODE } from '../../src/signals/signals.js'
import { idBytes } from '../../src/signals/ids.js'
import { Subscriptions } from '../../src/dendrite/watch/subscriptions.js'

export const id = (byte) => Buffer.alloc(16, byte)
export const NOBODY = id(0)
export const OWN = id(1)
export const OTHER = id(2)
export const THIRD = id(3)

/** A transport that sends nothing. `said` holds what was asked of it, in order. */
export class MemoryTransport {
  instance = OWN
  maxSignalBytes = 16 * 2 ** 20
  said = []
  published = []
  heard = new Set() // codes of the kinds that somebody listens to
  rows = []
  onSync = async () => {}

  listen(topic) {
    this.said.push(['listen', spelled(topic)])
  }

  unlisten(topic) {
    this.said.push(['unlisten', spelled(topic)])
  }

  async sync(timeoutMs) {
    this.said.push(['sync', timeoutMs])
    await this.onSync()
  }

  originOf() {
    return null
  }

  isHeard(kind) {
    return this.heard.has(kind)
  }

  publish(...message) {
    this.published.push(message)
    return 1
  }

  async roster(filter) {
    this.said.push(['roster', filter])
    return this.rows
  }
}

const spelled = ({ kind, trace }) => (trace === undefined ? kind : trace.toString('hex'))

/** A logger that keeps what it is told. */
export class Log {
  lines = []

  warn(text, error) {
    this.lines.push([text, error])
  }
}

/** Subscriptions on a MemoryTransport, as after start. */
export function started(t, options = {}) {
  const transport = new MemoryTransport()
  const log = new Log()
  const subscriptions = new Subscriptions(transport, { logger: log, ...options })
  subscriptions.topics()
  t.after(() => subscriptions.close())
  return { transport, log, subscriptions }
}

export function signalOf(type, fields = {}) {
  const { neuron = 'worker', capabilities = [], ...more } = fields
  return new Signal({ type, directed: new Directed(neuron, 'neuron', capabilities), ...more })
}

/** Give a Signal to Subscriptions as the broadcast plane does, by its kind. */
export function heardByKind(subscriptions, signal, { caller = OTHER, worker = THIRD } = {}) {
  subscriptions.onHeard(CODE[signal.type], NOBODY, caller, worker, signal.encode())
}

/** The same, by its trace. */
export function heardByTrace(subscriptions, signal, { caller = OTHER, worker = THIRD } = {}) {
  subscriptions.onHeard(-1, idBytes(signal.traceId), caller, worker, signal.encode())
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/**
 * Resolve when everything that handlers have been given is handled. A runner rests for a turn after 2 ms,
 * and on a loaded machine that may be after each Signal.
 */
export async function handled() {
  for (let turns = 0; turns < 20; turns++) await turn()
}

/** Resolve when a condition holds; it is looked at in every turn of the loop. */
export async function until(condition, withinMs = 10_000) {
  const endMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await turn()
  }
}
