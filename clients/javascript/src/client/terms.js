// What a client and its proxy have agreed on; it changes with each WELCOME. Spec: docs/spec/02-session.md, Maps. Pure.
import { KEEP, RUN } from '../wire/wire.js'

const DEFAULT_MAX_SIGNAL_BYTES = 16 * 2 ** 20

/** The terms of one client. */
export class Terms {
  #welcome = null
  /** Limit of a body that leaves, in bytes; it never grows. */
  maxSignalBytes
  /** How often an Axon shows life, in ms. */
  heartbeatMs = 2000
  /** The flags of a TASK that the proxy knows; a field, as each TASK reads it. */
  taskFlags = KEEP

  /** @param {number} [maxSignalBytes] The limit of this client. */
  constructor(maxSignalBytes = DEFAULT_MAX_SIGNAL_BYTES) {
    this.maxSignalBytes = maxSignalBytes
  }

  /** Whether the proxy takes PUBLISH; known from the first WELCOME on. */
  get takesPublished() {
    return this.#welcome?.publish === true
  }

  /** Whether others may publish by the broadcast plane alone. */
  get hasOlderPublishers() {
    return this.#welcome !== null && (!this.#welcome.publish || this.#welcome.older)
  }

  /** @param {object} welcome As `readWelcome` returns it. */
  onWelcomed(welcome) {
    this.#welcome = welcome
    this.taskFlags = welcome.runs ? KEEP | RUN : KEEP
    this.heartbeatMs = welcome.heartbeatMs
    this.maxSignalBytes = Math.min(this.maxSignalBytes, welcome.maxBodyBytes)
  }
}
