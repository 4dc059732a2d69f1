// The error of bytes that do not obey the wire: docs/spec/01-wire.md. Pure.

/**
 * Say that a body is malformed. It stays within the client, which counts `drop.<reason>`.
 * `reason` is a word of the counters: `bad_body`, `bad_field`, `long_body`, `bad_list`, ...
 */
export class WireError extends Error {
  /**
   * @param {string} reason
   * @param {string} message expected and got
   */
  constructor(reason, message) {
    super(message)
    this.name = 'WireError'
    this.reason = reason
  }
}

/**
 * Return a short text of a value for an error: a text or a number as it is, a container by its kind.
 * @param {unknown} value anything, from the network too
 * @returns {string} at most about 100 characters
 */
export function shown(value) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 100 ? value.slice(0, 100) + '…' : value)
    case 'number':
    case 'boolean':
    case 'undefined':
    case 'bigint':
      return String(value).slice(0, 100)
    case 'object':
      return shownObject(value)
    default:
      return `a ${typeof value}`
  }
}

function shownObject(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return value instanceof Map || Object.getPrototypeOf(value) === Object.prototype
    ? 'a map'
    : 'an object'
}
