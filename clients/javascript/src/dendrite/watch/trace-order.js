// The Signals of one trace in the order in which the Synapse saw them. Pure.
// Spec: docs/spec/05-broadcast.md, "One trace in order"; decision 0007 says why.
//
// A Dendrite gets its own Signals on the directed plane and those of others as copies, and one may
// overtake the other. Its own come as copies too, and all copies are in causal order. So an own
// Signal is held until its copy gives its place, and not for longer than HOLD_MS: the copy may be
// lost.
import { RecentIds } from './recent-ids.js'

export const HOLD_MS = 250
const MAX_AHEAD = 32_768 // copies that may be ahead of our own Signals, at the least

/** Orders the Signals of one trace and passes on each once. */
export class TraceOrder {
  #held = new Map() // id -> { signal, untilMs }, in the order in which they came
  #passed = new RecentIds(MAX_AHEAD)

  /** Hold an own Signal until its copy comes, unless the copy was first. */
  own(signal, nowMs) {
    if (!this.#passed.has(signal.id))
      this.#held.set(signal.id, { signal, untilMs: nowMs + HOLD_MS })
  }

  /**
   * Take a broadcast Signal, an own copy or another, and return those that may pass now, in order.
   *
   * The copies of the replies to one task come in order (rule 2), so a copy shows that the copies of
   * what the same task said before are lost.
   */
  heard(signal) {
    return this.#pass([...this.#heldBefore(signal), signal])
  }

  #heldBefore({ id, parentId }) {
    const before = []
    if (!this.#held.has(id) || parentId === null) return before
    for (const { signal } of this.#held.values()) {
      if (signal.id === id) break
      if (signal.parentId === parentId) before.push(signal)
    }
    return before
  }

  /** Return the Signals that were held long enough. */
  due(nowMs) {
    const over = []
    for (const { signal, untilMs } of this.#held.values()) if (untilMs <= nowMs) over.push(signal)
    return this.#pass(over)
  }

  /** The time of the next call of `due`; infinity while nothing is held. */
  get nextAtMs() {
    const [first] = this.#held.values()
    return first === undefined ? Infinity : first.untilMs
  }

  #pass(signals) {
    for (const { id } of signals) this.#held.delete(id)
    return signals.filter(({ id }) => this.#passed.add(id))
  }
}
