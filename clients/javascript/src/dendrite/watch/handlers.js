// The handlers of a Dendrite and their filters: one table for every `on...`. Pure.

/**
 * A function and its filters; a filter that is null matches every Signal.
 *
 * @typedef {object} Handler
 * @property {(signal: object) => unknown} fn Is called with the Signal.
 * @property {Set<string>} types Signal types; empty means any, on `traceId`.
 * @property {string | null} neuron Neuron id of the producer, or of the target of a TASK.
 * @property {string | null} capability A capability of the producer, or one that a TASK asks for.
 * @property {string | null} traceId The workflow.
 * @property {boolean} ordered Whether it gets the Signals of its trace in the order of the Synapse.
 * @property {boolean} direct Whether it is called at once and not through a queue; it must not block.
 * @property {(() => void) | null} onEnd Is called once when the handler is in force no longer.
 */

/**
 * Return a handler.
 *
 * @param {(signal: object) => unknown} fn Is called with the Signal.
 * @param {Iterable<string>} types Signal types; none means any, on `traceId`.
 * @param {object} [more] neuron, capability, traceId, ordered, direct, onEnd.
 * @returns {Handler}
 */
export function makeHandler(fn, types, more = {}) {
  const { neuron = null, capability = null, traceId = null } = more
  const { ordered = false, direct = false, onEnd = null } = more
  return { fn, types: new Set(types), neuron, capability, traceId, ordered, direct, onEnd }
}

/** Return the name of a handler's function, for a log. @param {Handler} handler */
export const nameOf = ({ fn }) => fn.name || 'without a name'

/** Return whether a Signal passes every filter of a handler. */
export function wants({ types, neuron, capability, traceId }, signal) {
  return (
    (types.size === 0 || types.has(signal.type)) &&
    (neuron === null || signal.directed?.id === neuron) &&
    (traceId === null || signal.traceId === traceId) &&
    (capability === null || signal.directed?.capabilities.includes(capability) === true)
  )
}

const NONE = Object.freeze([])

/** The handlers of one Dendrite, by Signal type or by trace. */
export class HandlerTable {
  #byType = new Map()
  #byTrace = new Map()

  add(handler) {
    for (const [index, key] of this.#entries(handler)) {
      const list = index.get(key)
      // A new list each time: the old one may be in use by whoever passes on a Signal.
      index.set(key, list === undefined ? [handler] : [...list, handler])
    }
  }

  discard(handler) {
    for (const [index, key] of this.#entries(handler)) {
      const left = (index.get(key) ?? NONE).filter((each) => each !== handler)
      if (left.length === 0) index.delete(key)
      else index.set(key, left)
    }
  }

  /** Return, before the Signal is decoded, whether a handler could want it. */
  mayWant(type, traceId) {
    return this.#byType.has(type) || this.#byTrace.has(traceId)
  }

  /** Return the handlers of a trace, whatever Signals they want. */
  ofTraceId(traceId) {
    return this.#byTrace.get(traceId) ?? NONE
  }

  /** Return the handlers of its type that want a Signal. */
  ofType(signal) {
    return (this.#byType.get(signal.type) ?? NONE).filter((each) => wants(each, signal))
  }

  /** Return the handlers of its trace that want a Signal. */
  ofTrace(signal) {
    return this.ofTraceId(signal.traceId).filter((each) => wants(each, signal))
  }

  #entries(handler) {
    if (handler.traceId !== null) return [[this.#byTrace, handler.traceId]]
    return Array.from(handler.types, (type) => [this.#byType, type])
  }
}
