// Publishes Signals of this Dendrite to every subscriber, our own handlers included.
// Spec: docs/spec/05-broadcast.md.
import { CODE } from '../../signals/signals.js'
import { idBytes } from '../../signals/ids.js'
import { ZERO } from '../../wire/heads.js'

/** Publishes Signals. */
export class Publisher {
  #client
  #subscriptions

  /**
   * @param {object} client The transport: carries them to other Dendrites.
   * @param {object} subscriptions Our own handlers, which are fed here; the copies that come back
   *   carry our instance id and are passed over.
   */
  constructor(client, subscriptions) {
    this.#client = client
    this.#subscriptions = subscriptions
  }

  /**
   * Publish to all, our own handlers included.
   *
   * @returns {number} The number of messages sent, 0 to 2.
   * @throws {UnencodableValue} It holds a value that no Signal can carry.
   * @throws {SignalTooLarge} It is over the limit.
   */
  publish(signal) {
    const body = signal.encode(this.#client.maxSignalBytes)
    if (this.#subscriptions.mayWant(signal.type, signal.traceId)) this.#subscriptions.feed(signal)
    return this.publishAgain(signal, body)
  }

  /** Publish to other Dendrites only; return the number of messages sent. */
  publishAgain(signal, body) {
    const trace = idBytes(signal.traceId)
    const kind = CODE[signal.type]
    if (!this.#client.isHeard(kind, trace)) return 0
    return this.#client.publish(kind, trace, this.#client.instance, ZERO, body)
  }
}
