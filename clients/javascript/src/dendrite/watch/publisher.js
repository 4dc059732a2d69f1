// Publishes Signals of this Dendrite: to every subscriber, our own handlers included, and to those for whom a type is
// meant. Spec: docs/spec/05-broadcast.md; 07-signals.md, "Offers and bids", "Stopping a trace", "Questions".
import { CODE, setOrigin } from '../../signals/signals.js'
import { idBytes } from '../../signals/ids.js'
import { RECIPIENTS } from '../../wire/heads.js'

const { HOSTS, OFFERS, PEER, CALLERS } = RECIPIENTS
/** For whom a type is meant besides those who listen, if nobody is named. */
const MEANT_FOR = Object.freeze({
  __proto__: null,
  STOP: HOSTS | CALLERS,
  TASK_OFFER: OFFERS,
  BID: CALLERS,
  CLARIFICATION_ANSWER: CALLERS,
  PERMISSION_DECISION: CALLERS,
})

/** The `to` of a Signal of the fabric for those who listen alone: too rare for a connection of its own. */
export const LISTENERS = Object.freeze({ recipients: 0, isSeldom: true })
/** Return the `to` of a Signal for one Dendrite, by its instance id; undefined if that is not known. */
export const toPeer = (peer) => (peer === null ? undefined : { recipients: PEER, peer })

/** Publishes Signals. */
export class Publisher {
  #client
  #subscriptions
  #published

  /**
   * @param {object} client The transport: carries them to other Dendrites.
   * @param {object} subscriptions Our own handlers, which are fed here; the copies that come back
   *   carry our instance id and are passed over.
   * @param {{ own: (signal: object) => void }} published Our own parts that act on a publication.
   */
  constructor(client, subscriptions, published) {
    this.#client = client
    this.#subscriptions = subscriptions
    this.#published = published
  }

  /**
   * Publish to all, our own handlers included.
   *
   * @param {object} signal The Signal.
   * @param {{ recipients: number, peer?: Buffer, isSeldom?: boolean }} [to] For whom it is meant, by default as its type says.
   * @returns {number} The number of messages sent, 0 to 2.
   * @throws {UnencodableValue} It holds a value that no Signal can carry.
   * @throws {SignalTooLarge} It is over the limit.
   */
  publish(signal, to) {
    const body = signal.encode(this.#client.maxSignalBytes)
    setOrigin(signal, this.#client.user || null)
    if (this.#subscriptions.mayWant(signal.type, signal.traceId)) this.#subscriptions.feed(signal)
    this.#published.own(signal)
    return this.publishAgain(signal, body, to)
  }

  /** Publish to other Dendrites only; return the number of messages sent. */
  publishAgain(signal, body, to = { recipients: MEANT_FOR[signal.type] ?? 0 }) {
    const trace = idBytes(signal.traceId)
    const kind = CODE[signal.type]
    if (to.recipients !== 0 && this.#client.takesPublished) {
      const { capabilities } = signal.directed ?? {}
      const { recipients, peer } = to
      const options = recipients & OFFERS ? { peer, capabilities } : { peer }
      const outcome = this.#client.sendPublished(recipients, kind, trace, body, options)
      return outcome === 'SENT' || outcome === 'WAITING' ? 1 : 0
    }
    if (!this.#client.isHeard(kind, trace)) return 0
    return this.#client.publish(kind, trace, body, to.isSeldom)
  }
}
