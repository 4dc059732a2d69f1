// Publishes Signals of this Dendrite to every subscriber, our own handlers included.
// Spec: docs/spec/05-broadcast.md.
import { SignalTooLarge } from '../../errors.js'
import { CODE } from '../../signals/signals.js'
import { idBytes } from '../../signals/ids.js'
import { ZERO } from '../../wire/wire.js'

/** Publishes Signals. */
export class Publisher {
  #client
  #subscriptions

  /**
   * @param {object} client The transport: carries them to other Dendrites.
   * @param {object} subscriptions Our own handlers, which are fed here; the copies from the Synapse
   *   carry our instance id and are skipped.
   */
  constructor(client, subscriptions) {
    this.#client = client
    this.#subscriptions = subscriptions
  }

  /** Publish to all, our own handlers included; return the number of messages sent. */
  publish(signal) {
    const body = signal.encode()
    const limit = this.#client.maxSignalBytes
    if (body.length > limit) throw new SignalTooLarge(body.length, limit)
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
