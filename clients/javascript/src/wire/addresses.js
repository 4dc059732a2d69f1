// Names and addresses: docs/spec/01-wire.md. Pure.
import { InvalidArgument, InvalidName } from '../errors.js'

const MAX_ADDRESS_BYTES = 4096
const MAX_CAPABILITIES = 64
const NAME = /^[A-Za-z0-9._-]{1,128}$/ // without the flag m, `$` is the very end

/**
 * Tell whether a value is a name: 1 to 128 characters out of `A-Z a-z 0-9 . _ -`, neither `.` nor `..`.
 * @param {unknown} value
 * @returns {value is string}
 */
export const isName = (value) =>
  typeof value === 'string' && NAME.test(value) && value !== '.' && value !== '..'

/**
 * Return the address of a neuron, or of a set of capabilities: `name` or `?a,b`, sorted.
 * @param {string} [neuron]
 * @param {Iterable<string>} [capabilities] used if there is no `neuron`
 * @returns {string}
 * @throws {InvalidName} A part is no name.
 * @throws {InvalidArgument} Neither is given, or there are over 64 capabilities, or over 4,096 bytes.
 */
export function addressOf(neuron, capabilities = []) {
  if (neuron !== undefined && neuron !== null) {
    if (isName(neuron)) return neuron
    throw new InvalidName('neuron', neuron)
  }
  const names = typeof capabilities === 'string' ? [capabilities] : [...capabilities]
  if (names.length === 0) throw new InvalidArgument('neuron or capabilities is needed')
  for (const name of names) if (!isName(name)) throw new InvalidName('capability', name)
  const wanted = [...new Set(names)].sort()
  if (wanted.length > MAX_CAPABILITIES)
    throw new InvalidArgument(
      `an address has at most ${MAX_CAPABILITIES} capabilities, not ${wanted.length}`,
    )
  const address = '?' + wanted.join(',')
  if (address.length > MAX_ADDRESS_BYTES)
    throw new InvalidArgument(
      `an address has at most ${MAX_ADDRESS_BYTES} bytes, not ${address.length}: name fewer capabilities`,
    )
  return address
}

/**
 * Read an address.
 * @param {string} address
 * @returns {{ name: string | null, capabilities: string[] } | null} null if it is invalid
 */
export function readAddress(address) {
  if (address.length > MAX_ADDRESS_BYTES) return null
  if (address[0] !== '?') return isName(address) ? { name: address, capabilities: [] } : null
  const capabilities = address.slice(1).split(',')
  return capabilities.length <= MAX_CAPABILITIES && capabilities.every(isName)
    ? { name: null, capabilities }
    : null
}
