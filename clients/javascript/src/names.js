// Check names of neurons, capabilities, namespaces and Dendrites: one alphabet for all. Pure.
// Spec: docs/spec/01-wire.md, "Names".
import { InvalidArgument, InvalidName, shown } from './errors.js'
import { isName } from './wire/addresses.js'

const MAX_CAPABILITIES = 256
const MAX_CAPABILITIES_LENGTH = 4000 // what fits into an address and into the facts of a REGISTER

/**
 * Return `value` if it is a valid name.
 *
 * @param {string} what The kind of name, for the error.
 * @param {unknown} value The name.
 * @returns {string}
 * @throws {InvalidName} It is not 1 to 128 characters of `A-Z a-z 0-9 . _ -`.
 */
export function checkedName(what, value) {
  if (isName(value)) return value
  throw new InvalidName(what, value)
}

/**
 * Return capabilities as a frozen array without repeats, in the order given.
 *
 * @param {unknown} values An array, a Set or another iterable of names.
 * @returns {readonly string[]}
 * @throws {InvalidName} One of them is invalid.
 * @throws {InvalidArgument} It is no list, holds over 256 names, or over 4,000 characters with a
 *   comma after each.
 */
export function checkedCapabilities(values) {
  if (typeof values !== 'object' || typeof values?.[Symbol.iterator] !== 'function')
    throw new InvalidArgument(`capabilities must be a list of names, not ${shown(values)}`)
  const names = new Set()
  let length = 0
  for (const each of values) {
    if (names.has(checkedName('a capability', each))) continue
    names.add(each)
    length += each.length + 1
  }
  if (names.size > MAX_CAPABILITIES || length > MAX_CAPABILITIES_LENGTH)
    throw new InvalidArgument(
      `capabilities must be at most ${MAX_CAPABILITIES} names with ${MAX_CAPABILITIES_LENGTH} ` +
        `characters together, not ${names.size} of ${length}`,
    )
  return Object.freeze([...names])
}
