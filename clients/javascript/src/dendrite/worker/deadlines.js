// The deadlines of many items in slots of 64 ms, so that one timer serves them all. Pure.
// To set and to drop one takes constant time; most are dropped long before they are due.

export const SLOT_MS = 64

export class Deadlines {
  #slots = new Map()
  #servedUntil = -Infinity

  /** The number of deadlines that are set. */
  size = 0

  /**
   * Set the deadline of an item that has none. It is due up to 64 ms late, never early.
   * @param {{ deadlineSlot: Set<object> | null }} item Keeps its slot in `deadlineSlot`.
   * @param {number} atMs On the clock of `due`.
   */
  set(item, atMs) {
    const number = Math.max(Math.ceil(atMs / SLOT_MS), this.#servedUntil + 1)
    let slot = this.#slots.get(number)
    if (slot === undefined) this.#slots.set(number, (slot = new Set()))
    slot.add(item)
    item.deadlineSlot = slot
    this.size++
  }

  /** Drop the deadline of an item; nothing happens if it has none. */
  drop(item) {
    const slot = item.deadlineSlot
    if (slot === null) return
    item.deadlineSlot = null
    slot.delete(item)
    if (--this.size === 0) this.#slots.clear()
  }

  /** Return the items that are due, and drop their deadlines. */
  due(nowMs) {
    const until = Math.floor(nowMs / SLOT_MS)
    const items = []
    for (const number of this.#dueSlots(until)) {
      for (const item of this.#slots.get(number)) {
        item.deadlineSlot = null
        items.push(item)
      }
      this.#slots.delete(number)
    }
    this.#servedUntil = Math.max(this.#servedUntil, until)
    this.size -= items.length
    return items
  }

  #dueSlots(until) {
    const numbers = []
    if (until - this.#servedUntil > this.#slots.size) {
      for (const each of this.#slots.keys()) if (each <= until) numbers.push(each)
      return numbers.sort((one, other) => one - other)
    }
    for (let each = this.#servedUntil + 1; each <= until; each++) {
      if (this.#slots.has(each)) numbers.push(each)
    }
    return numbers
  }
}
