// A queue. Pure.

/** First in, first out; each call takes constant time on average. */
export class Fifo {
  #items = []
  #head = 0

  get length() {
    return this.#items.length - this.#head
  }

  get first() {
    return this.#items[this.#head]
  }

  push(item) {
    this.#items.push(item)
  }

  shift() {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head >= 64 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Iterate over the items without taking them. */
  *[Symbol.iterator]() {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at]
  }
}
