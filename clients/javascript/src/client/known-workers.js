// The workers that a caller knows, from the news of the proxy. Spec: docs/spec/09-resync.md, "Who may
// have had a task". Pure. An instance is a latin1 text of 16 characters here.
import { WORKERS } from '../wire/wire.js'

/** For so long a worker still counts that has not come back after a restart of the proxy. */
export const FORMER_MS = 10_000
const MAX_KNOWN = 65_536

/** Records workers that came or left. */
export class KnownWorkers {
  #counts
  #maxKnown
  #known = new Set()
  #former = new Map() // instance -> { sinceMs, era }
  #isComplete = false
  #isCut = false
  #formerCutUntilMs = -Infinity
  #era = 0 // the number of the proxy, counted from 0

  /** @param {import('./counts.js').Counts} counts @param {number} [maxKnown] */
  constructor(counts, maxKnown = MAX_KNOWN) {
    this.#counts = counts
    this.#maxKnown = maxKnown
  }

  /** Tell whether there can be no further worker. */
  get isComplete() {
    return this.#isComplete
  }

  /**
   * Handle a page of the complete list, or news.
   * @param {number} bits of WORKERS
   * @param {Buffer[]} instances 16 bytes each
   * @param {number} nowMs monotonic clock
   */
  onWorkers(bits, instances, nowMs) {
    const ids = instances.map((each) => each.latin1Slice(0, 16))
    if (bits & WORKERS.LEFT) this.#leave(ids)
    else this.#come(bits, ids, nowMs)
  }

  // 09, Who may have had a task 3: it came back, and its tasks were reported when it left.
  #leave(ids) {
    for (const id of ids) {
      this.#known.delete(id)
      this.#former.delete(id)
    }
  }

  #come(bits, ids, nowMs) {
    if (bits & WORKERS.FIRST) this.#beginList(nowMs)
    if (this.#known.size + ids.length > this.#maxKnown) {
      this.#counts.drop('known_workers', ids.length)
      // Same section, 4: LAST is left out, the verdict is softer, whatever page follows.
      this.#isComplete = false
      this.#isCut = true
      return
    }
    for (const id of ids) this.#known.add(id)
    if (bits & WORKERS.LAST) this.#isComplete = !this.#isCut && nowMs >= this.#formerCutUntilMs
  }

  // Workers missing in the new list may still be on their way back. Those of an earlier restart
  // count on, as another one may follow the first closely.
  #beginList(nowMs) {
    this.#forgetOld(nowMs)
    for (const id of this.#known) {
      if (this.#former.size >= this.#maxKnown) this.#dropOldest(nowMs)
      this.#former.set(id, { sinceMs: nowMs, era: this.#era })
    }
    this.#known = new Set()
    this.#isComplete = false
    this.#isCut = false
  }

  // As for a list that is cut: LAST is left out for as long as it would have been named.
  #dropOldest(nowMs) {
    this.#former.delete(this.#former.keys().next().value)
    this.#formerCutUntilMs = nowMs + FORMER_MS
    this.#counts.drop('known_workers')
  }

  #forgetOld(nowMs) {
    for (const [id, { sinceMs }] of this.#former)
      if (sinceMs + FORMER_MS <= nowMs) this.#former.delete(id)
  }

  /**
   * Return whom a list of open tasks names.
   * @param {number} nowMs
   * @param {boolean} isNewProxy false if the proxy is the one of the last list
   * @returns {{ named: Set<string>, unconfirmed: Set<string> }} `unconfirmed` count only if they
   *   have been workers of this proxy
   */
  forList(nowMs, isNewProxy) {
    this.#forgetOld(nowMs)
    const named = new Set(this.#known)
    const unconfirmed = new Set()
    // Same section, 3.1: at the same proxy, a worker known only from an earlier one counts only if
    // this proxy has met it.
    for (const [id, { era }] of this.#former) {
      if (isNewProxy || era === this.#era) named.add(id)
      else if (!named.has(id)) unconfirmed.add(id)
    }
    if (isNewProxy) this.#era++
    return { named, unconfirmed }
  }
}
