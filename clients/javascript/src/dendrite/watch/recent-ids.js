// The ids of the latest Signals. Spec: docs/spec/09-resync.md, "At listeners". Pure.

/**
 * The ids of the latest Signals, in two generations, so that forgetting costs nothing for each id.
 *
 * A Signal may come twice: a reply that is sent again is copied again.
 */
export class RecentIds {
  #newer = new Set()
  #older = new Set()
  #least

  /** @param {number} [least] The least number of ids that are stored; at most twice as many are. */
  constructor(least = 8192) {
    this.#least = least
  }

  /** Add an id; return whether it is new. */
  add(id) {
    if (this.#newer.has(id) || this.#older.has(id)) return false
    this.#newer.add(id)
    if (this.#newer.size >= this.#least) {
      this.#older = this.#newer
      this.#newer = new Set()
    }
    return true
  }

  /** Return whether an id was added and is still stored. */
  has(id) {
    return this.#newer.has(id) || this.#older.has(id)
  }
}
