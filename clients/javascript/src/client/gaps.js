// Missing broadcast messages, by the numbers of those that came. Spec: docs/spec/05-broadcast.md,
// "Sequence numbers". Pure. A number is a Number up to 2^53, beyond it a BigInt.

/** The largest number of missing messages that is believed. */
const MAX_LEAP = 1n << 20n

const add = (sequence, count) => {
  const sum = typeof sequence === 'number' ? sequence + count : sequence + BigInt(count)
  return typeof sum === 'bigint' || Number.isSafeInteger(sum)
    ? sum
    : BigInt(sequence) + BigInt(count)
}

/** Counts what is missing for each pair of topic and publisher. */
export class Gaps {
  #maxPairs
  #topics = new Map() // topic -> publisher -> pair
  #pairs = new Set() // the oldest first

  /** @param {number} [maxPairs] over it the oldest is forgotten, and its next message begins a new count */
  constructor(maxPairs = 65_536) {
    this.#maxPairs = maxPairs
  }

  /**
   * Record messages that came.
   * @param {string} topic
   * @param {Buffer} publisher 16 bytes
   * @param {number | bigint} sequence of the first one
   * @param {number} count
   * @returns {number} how many are missing before them
   */
  seen(topic, publisher, sequence, count) {
    const key = publisher.latin1Slice(0, 16)
    const pair = this.#topics.get(topic)?.get(key)
    if (pair === undefined) {
      this.#begin(topic, key, add(sequence, count))
      return 0
    }
    const expected = pair.next
    pair.next = add(sequence, count)
    // 05, Sequence numbers 2: a lower number is a new count and no gap.
    if (sequence === expected || sequence < expected) return 0
    const missing = BigInt(sequence) - BigInt(expected)
    // 05, Sequence numbers 4: it is a new count, and that something is missing is told.
    return missing > MAX_LEAP ? 1 : Number(missing)
  }

  /** Forget a topic that is listened to no longer. @param {string} topic */
  forget(topic) {
    for (const pair of this.#topics.get(topic)?.values() ?? []) this.#pairs.delete(pair)
    this.#topics.delete(topic)
  }

  #begin(topic, key, next) {
    const pair = { topic, key, next }
    let publishers = this.#topics.get(topic)
    if (publishers === undefined) this.#topics.set(topic, (publishers = new Map()))
    publishers.set(key, pair)
    this.#pairs.add(pair)
    if (this.#pairs.size > this.#maxPairs) this.#drop(this.#pairs.values().next().value)
  }

  #drop(pair) {
    this.#pairs.delete(pair)
    const publishers = this.#topics.get(pair.topic)
    publishers.delete(pair.key)
    if (publishers.size === 0) this.#topics.delete(pair.topic)
  }
}
