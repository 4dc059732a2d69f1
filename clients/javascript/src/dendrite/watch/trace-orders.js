// The order of every trace that a handler follows, and the timer for what is held too long.
import { DeadlineTimer } from '../../runtime/deadline-timer.js'
import { TraceOrder } from './trace-order.js'

/** Passes on the Signals of the followed traces, each trace in the order of the Synapse. */
export class TraceOrders {
  #orders = new Map() // trace id -> order
  #holding = new Map() // those that may hold a Signal
  #passOn
  #timer

  /** @param {(signal: object) => void} passOn Is called with each Signal in its turn. */
  constructor(passOn) {
    this.#passOn = passOn
    this.#timer = new DeadlineTimer(
      () => this.#nextAtMs(),
      (nowMs) => {
        for (const order of [...this.#holding.values()]) this.#pass(order.due(nowMs))
      },
    )
  }

  /** Put the Signals of a trace in order from now on. */
  follow(traceId) {
    if (!this.#orders.has(traceId)) this.#orders.set(traceId, new TraceOrder())
  }

  /** Forget a trace, and what is held of it. */
  leave(traceId) {
    this.#orders.delete(traceId)
    this.#holding.delete(traceId)
  }

  isFollowed(traceId) {
    return this.#orders.has(traceId)
  }

  /** Hold a Signal of our own traffic until its copy comes; nothing happens if nobody follows. */
  own(signal) {
    const order = this.#orders.get(signal.traceId)
    if (order === undefined) return
    order.own(signal, performance.now())
    if (order.nextAtMs === Infinity) return
    this.#holding.set(signal.traceId, order)
    this.#timer.arm(order.nextAtMs)
  }

  /** Take a broadcast Signal of a followed trace. */
  heard(signal) {
    this.#pass(this.#orders.get(signal.traceId)?.heard(signal) ?? [])
  }

  #pass(signals) {
    for (const each of signals) this.#passOn(each)
  }

  #nextAtMs() {
    let nextAtMs = Infinity
    for (const [traceId, order] of this.#holding) {
      if (order.nextAtMs === Infinity) this.#holding.delete(traceId)
      nextAtMs = Math.min(nextAtMs, order.nextAtMs)
    }
    return nextAtMs
  }

  /** Hold nothing any more. */
  close() {
    this.#timer.close()
    this.#orders.clear()
    this.#holding.clear()
  }
}
