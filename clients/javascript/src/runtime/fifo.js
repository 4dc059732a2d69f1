// A queue whose both ends cost the same, however long it is. Pure.

const MIN_CUT = 1024

/** First in, first out. An array moves all that is left at every `shift`. */
export class Fifo {
  #entries = []
  #at = 0

  get length() {
    return this.#entries.length - this.#at
  }

  /** The oldest entry, left in place; undefined if there is none. */
  get first() {
    return this.#entries[this.#at]
  }

  push(entry) {
    this.#entries.push(entry)
  }

  /** Remove and return the oldest entry; undefined if there is none. */
  shift() {
    const entries = this.#entries
    if (this.#at === entries.length) return undefined
    const entry = entries[this.#at]
    entries[this.#at++] = undefined
    if (this.#at === entries.length) this.clear()
    else if (this.#at >= MIN_CUT && this.#at * 2 >= entries.length) this.#cut()
    return entry
  }

  #cut() {
    this.#entries = this.#entries.slice(this.#at)
    this.#at = 0
  }

  /** Iterate over the entries without taking them. */
  *[Symbol.iterator]() {
    for (let at = this.#at; at < this.#entries.length; at++) yield this.#entries[at]
  }

  /** Remove and return every entry, the oldest first. */
  clear() {
    const left = this.#entries.slice(this.#at)
    this.#entries = []
    this.#at = 0
    return left
  }
}
