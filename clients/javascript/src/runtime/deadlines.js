// A table of deadlines for one timer. Pure.
//
// A deadline is rounded up to a slot of 5 ms. Setting and dropping one costs a few links of a list
// and leaves no entry: a million tasks with early answers do not stay in memory until their
// deadlines. An entry is any object with the fields of `Timed`; it is in one table at most.

export const SLOT_MS = 5
const MIN_STALE_SLOTS = 64

/** The base of an entry. A class may have the same three fields without this base. */
export class Timed {
  slot = null
  earlier = null
  later = null
}

class Slot {
  constructor(number) {
    this.number = number
    this.first = null
    this.last = null
  }
}

/** Entries with the deadline of each, on a monotonic clock. */
export class Deadlines {
  #slots = new Map()
  #order = [] // a heap of slot numbers; those of empty slots are left in it for a while

  /** The number of slots that hold an entry. */
  get slotCount() {
    return this.#slots.size
  }

  /**
   * Set the deadline of an entry that has none.
   *
   * @param {Timed} entry The entry.
   * @param {number} atMs The deadline.
   * @returns {number} When the entry will be due: the end of its slot.
   */
  set(entry, atMs) {
    const number = Math.floor(atMs / SLOT_MS) + 1
    let slot = this.#slots.get(number)
    if (slot === undefined) {
      slot = new Slot(number)
      this.#slots.set(number, slot)
      push(this.#order, number)
    }
    entry.slot = slot
    entry.earlier = slot.last
    if (slot.last === null) slot.first = entry
    else slot.last.later = entry
    slot.last = entry
    return number * SLOT_MS
  }

  /** Remove an entry; do nothing if it has no deadline, or one that has passed. */
  drop(entry) {
    const { slot, earlier, later } = entry
    if (slot === null) return
    if (earlier === null) slot.first = later
    else earlier.later = later
    if (later === null) slot.last = earlier
    else later.earlier = earlier
    entry.slot = entry.earlier = entry.later = null
    if (slot.first === null) this.#removeSlot(slot.number)
  }

  /**
   * Remove and return the entries whose deadline has passed, the earliest slot first.
   *
   * @param {number} nowMs The time.
   * @returns {Timed[]}
   */
  due(nowMs) {
    const passed = []
    while (this.#order.length > 0 && this.#order[0] * SLOT_MS <= nowMs) {
      const number = pop(this.#order)
      let entry = this.#slots.get(number)?.first ?? null
      this.#slots.delete(number)
      while (entry !== null) {
        const next = entry.later
        entry.slot = entry.earlier = entry.later = null
        passed.push(entry)
        entry = next
      }
    }
    return passed
  }

  /** Return the time of the next call of `due`; infinity without a deadline. */
  nextAtMs() {
    while (this.#order.length > 0 && !this.#slots.has(this.#order[0])) pop(this.#order)
    return this.#order.length > 0 ? this.#order[0] * SLOT_MS : Infinity
  }

  /** Remove an empty slot; clean the heap when most of its numbers are of empty slots. */
  #removeSlot(number) {
    this.#slots.delete(number)
    if (this.#order.length > 2 * this.#slots.size + MIN_STALE_SLOTS)
      this.#order = [...this.#slots.keys()].sort((a, b) => a - b)
  }
}

function push(heap, number) {
  let at = heap.length
  heap.push(number)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent] <= number) break
    heap[at] = heap[parent]
    at = parent
  }
  heap[at] = number
}

function pop(heap) {
  const least = heap[0]
  const number = heap.pop()
  const { length } = heap
  if (length === 0) return least
  let at = 0
  for (let child = 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && heap[child + 1] < heap[child]) child++
    if (heap[child] >= number) break
    heap[at] = heap[child]
    at = child
  }
  heap[at] = number
  return least
}
