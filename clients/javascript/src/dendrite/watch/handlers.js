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
 * @property {boolean} direct Whether it is called at once and not through a queue; it must not block.
 */

/**
 * Return a handler.
 *
 * @param {(signal: object) => unknown} fn Is called with the Signal.
 * @param {Iterable<string>} types Signal types; none means any, on `traceId`.
 * @param {object} [filters] neuron, capability, traceId; `direct`.
 * @returns {Handler}
 */
export function makeHandler(fn, types, filters = {}) {
  const { neuron = null, capability = null, traceId = null, direct = false } = filters
  return { fn, types: new Set(types), neuron, capability, traceId, direct }
}

/** Return whether a Signal passes every filter of a handler. */
export function wants({ types, neuron, capability, traceId }, signal) {
  return (
    (types.size === 0 || types.has(signal.type)) &&
    (neuron === null || signal.directed?.id === neuron) &&
    (traceId === null || signal.traceId === traceId) &&
    (capability === null || signal.directed?.capabilities.includes(capability) === true)
  )
}

/** The handlers of one Dendrite, by Signal type or by trace. */
export class HandlerTable {
  #byType = new Map()
  #byTrace = new Map()

  add(handler) {
    for (const [index, key] of this.#entries(handler)) {
      const list = index.get(key)
      if (list === undefined) index.set(key, [handler])
      else list.push(handler)
    }
  }

  discard(handler) {
    for (const [index, key] of this.#entries(handler)) {
      const left = (index.get(key) ?? []).filter((each) => each !== handler)
      if (left.length === 0) index.delete(key)
      else index.set(key, left)
    }
  }

  /** Return, before the Signal is decoded, whether a handler could want it. */
  mayWant(type, traceId) {
    return this.#byType.has(type) || this.#byTrace.has(traceId)
  }

  /** Return the handlers of its type that want a Signal. */
  ofType(signal) {
    return (this.#byType.get(signal.type) ?? []).filter((each) => wants(each, signal))
  }

  /** Return the handlers of its trace that want a Signal. */
  ofTrace(signal) {
    return (this.#byTrace.get(signal.traceId) ?? []).filter((each) => wants(each, signal))
  }

  /** Every handler, once. */
  *[Symbol.iterator]() {
    const all = new Set()
    for (const lists of [this.#byType.values(), this.#byTrace.values()])
      for (const list of lists) for (const each of list) all.add(each)
    yield* all
  }

  #entries(handler) {
    if (handler.traceId !== null) return [[this.#byTrace, handler.traceId]]
    return Array.from(handler.types, (type) => [this.#byType, type])
  }
}
