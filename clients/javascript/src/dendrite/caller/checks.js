// Check the arguments of the verbs of a caller, with texts for people. Pure.
import { InvalidArgument, shown } from '../../errors.js'
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

/**
 * Check an object of options: it must hold known names only.
 *
 * @param {unknown} options The options.
 * @param {Set<string>} known The names.
 * @param {string} verb The verb, for the error.
 * @throws {InvalidArgument} It is no object, or holds another name.
 */
export function checkOptions(options, known, verb) {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgument(`${verb} takes an object of options, not ${shown(options)}`)
  for (const name in options) if (!known.has(name)) throw unknownOption(name, known, verb)
}

function unknownOption(name, known, verb) {
  const near = nearest(name, [...known])
  const names = near === null ? `; it takes ${[...known].join(', ')}` : hint(near)
  return new InvalidArgument(`${verb} has no option ${shown(name)}${names}`)
}

const hint = (near) => (near === null ? '' : `: did you mean '${near}'?`)

/** Return the word that is nearest to a text, as `timeout_ms` is to `timeoutMs`; null if none is. */
export function nearest(text, words) {
  const plain = simple(text)
  let best = null
  let least = Math.max(2, Math.ceil(plain.length / 3)) + 1
  for (const word of words) {
    const other = simple(word)
    const far = isPart(plain, other) || isPart(other, plain) ? 1 : distance(plain, other)
    if (far >= least) continue
    best = word
    least = far
  }
  return best
}

const isPart = (part, whole) => part.length > 3 && (whole.startsWith(part) || whole.endsWith(part))

const simple = (text) => text.replaceAll('_', '').toLowerCase().slice(0, 40)

/** Return the number of single edits between two short texts. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}
