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
