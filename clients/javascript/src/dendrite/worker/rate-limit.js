// Rate limits: how often the function of an Axon may begin. Pure.
// A bucket holds one token, so the starts are evenly spaced. A bucket of N tokens would let through
// N at once after a quiet time, and so up to twice N within one period, which a provider refuses.
import { InvalidArgument, shown } from '../../errors.js'

const FORM = /^(\d{1,9})\/(\d{1,9}(?:\.\d{1,9})?)?([smh])$/
const UNIT_MS = Object.freeze({ s: 1000, m: 60_000, h: 3_600_000 })
/** No timer is finer. */
const MIN_INTERVAL_MS = 1
const MAX_INTERVAL_MS = 86_400_000

/**
 * Return a rate limit as it was given, or null.
 * @throws {InvalidArgument} It is not such as '10/s', '100/m' or '5/2s', or it is over 1,000 in a
 *   second or below one in a day.
 */
export function checkedRate(value) {
  if (value === null) return null
  if (typeof value !== 'string') {
    throw new InvalidArgument(`rateLimit must be a text such as '10/s', not ${shown(value)}`)
  }
  intervalOf(value)
  return value
}

/** Return the milliseconds between two starts. @throws {InvalidArgument} */
export function intervalOf(rateLimit) {
  const [, digits = '0', times = '1', unit = 's'] = FORM.exec(rateLimit.replaceAll(' ', '')) ?? []
  const periodMs = Number(times) * UNIT_MS[unit]
  if (Number(digits) === 0 || periodMs === 0) {
    throw new InvalidArgument(
      "rateLimit must be a number of tasks and a time, such as '10/s', '100/m', '1000/h' or " +
        `'5/2s', not ${shown(rateLimit)}`,
    )
  }
  const intervalMs = periodMs / Number(digits)
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
    throw new InvalidArgument(
      `rateLimit must be between one in 24 h and 1000/s, not ${shown(rateLimit)}: leave it out for none`,
    )
  }
  return intervalMs
}

/** One token. It is there again an interval after what took it has begun. */
export class RateBucket {
  #freeAtMs = -Infinity
  #beforeMs = -Infinity

  /** @param {number} intervalMs The milliseconds between two starts. */
  constructor(intervalMs) {
    this.intervalMs = intervalMs
  }

  /** Return how long it takes until the token is there; infinity while it is taken. */
  waitMs(nowMs) {
    return Math.max(0, this.#freeAtMs - nowMs)
  }

  /** Take the token, which must be there. */
  take() {
    this.#beforeMs = this.#freeAtMs
    this.#freeAtMs = Infinity
  }

  /** Record that what took the token begins now: the interval counts from here. */
  begun(nowMs) {
    this.#freeAtMs = nowMs + this.intervalMs
  }

  /** Put the token back: what took it does not begin. */
  giveBack() {
    this.#freeAtMs = this.#beforeMs
  }
}
