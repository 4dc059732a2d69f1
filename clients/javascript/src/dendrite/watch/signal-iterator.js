// Signals as an async iterator: `for await (const signal of dendrite.signals('PLAN')) ...`.
import { count } from '../../runtime/counter.js'
import { Fifo } from '../../runtime/fifo.js'
import { QUEUE_LIMIT } from './handler-runner.js'

const DONE = Object.freeze({ value: undefined, done: true })

/**
 * Holds the Signals that its reader has not read yet, at most 32,768; further ones are dropped and
 * counted. It ends when its reader leaves the loop, when it is closed, or when its Dendrite stops;
 * what arrived before the Dendrite stopped is read first.
 */
export class SignalIterator {
  #waiting = new Fifo()
  #readers = []
  #isOver = false
  #off = () => {}
  #counts

  /** @param {object} counts The counters of the Dendrite. */
  constructor(counts) {
    this.#counts = counts
    /** How many Signals were dropped, because the reader is too slow. */
    this.dropped = 0
  }

  /** Set what removes the handler behind this iterator. */
  set off(off) {
    this.#off = off
  }

  /** Take a Signal. */
  put(signal) {
    if (this.#isOver) return
    const reader = this.#readers.shift()
    if (reader !== undefined) reader({ value: signal, done: false })
    else if (this.#waiting.length < QUEUE_LIMIT) this.#waiting.push(signal)
    else {
      this.dropped++
      count(this.#counts, 'drop.handler_queue_full')
    }
  }

  /** End behind what has arrived. */
  end() {
    this.#isOver = true
    for (const reader of this.#readers.splice(0)) reader(DONE)
  }

  /** Resolve to the next Signal, as soon as there is one. */
  next() {
    if (this.#waiting.length > 0)
      return Promise.resolve({ value: this.#waiting.shift(), done: false })
    if (this.#isOver) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  /** End now and drop what was not read; `break` in a loop does this. */
  return(value) {
    this.#waiting = new Fifo()
    this.#off()
    this.end()
    return Promise.resolve({ value, done: true })
  }

  [Symbol.asyncIterator]() {
    return this
  }
}
