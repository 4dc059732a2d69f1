// Check the arguments of the verbs of a caller, with texts for people. Pure.
import { InvalidArgument, shown } from '../../errors.js'
import { hint, nearest } from '../../options.js'
import { CODE } from '../../signals/signals.js'

const MAX_TIMEOUT_MS = 2 ** 32 - 1 // what the wire can carry: 49 days

/**
 * Return `timeoutMs` if it is a valid length of time.
 *
 * @param {unknown} timeoutMs Milliseconds, over 0 and at most 2^32 - 1.
 * @param {string} [name] The name of the argument, for the error.
 * @returns {number}
 * @throws {InvalidArgument} It is not.
 */
export function checkedTimeout(timeoutMs, name = 'timeoutMs') {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS && typeof timeoutMs === 'number')
    return timeoutMs
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs))
    throw new InvalidArgument(`${name} must be a number of milliseconds, not ${shown(timeoutMs)}`)
  throw new InvalidArgument(
    `${name} must be over 0 and at most ${MAX_TIMEOUT_MS} (49 days), not ${timeoutMs}`,
  )
}

/**
 * Return `drainMs` if it is a length of time for what still runs; 0 is one.
 *
 * @param {unknown} drainMs Milliseconds.
 * @throws {InvalidArgument} It is none.
 */
export const checkedDrain = (drainMs) => (drainMs === 0 ? 0 : checkedTimeout(drainMs, 'drainMs'))

/**
 * Return `type` if it is a type of Signal.
 *
 * @param {unknown} type Such as `THOUGHT_DELTA`.
 * @throws {InvalidArgument} It is none.
 */
export function checkedType(type) {
  if (typeof type === 'string' && Object.hasOwn(CODE, type)) return type
  const near = typeof type === 'string' ? nearest(type.toUpperCase(), Object.keys(CODE)) : null
  throw new InvalidArgument(`${shown(type)} is no type of Signal${hint(near)}`)
}

/**
 * Check the AbortSignal that the program gave, or null.
 *
 * @throws {InvalidArgument} It is none.
 */
export function checkAbortSignal(signal) {
  if (signal === null) return
  if (typeof signal.addEventListener === 'function' && typeof signal.aborted === 'boolean') return
  throw new InvalidArgument(
    `signal must be an AbortSignal, as of an AbortController, not ${shown(signal)}`,
  )
}
