// Publications that are meant for this Dendrite, whichever way they come. Spec: docs/spec/05-broadcast.md, "Handed
// over": over the directed plane; by the broadcast plane too while others may know nothing else.
import { BadSignal } from '../../errors.js'
import { count } from '../../runtime/counter.js'
import { Signal, TYPE, setOrigin } from '../../signals/signals.js'
import { makeHandler } from './handlers.js'

/**
 * Gets a publication: the Signal, the instance id of its sender if that is known, else null, and whether it came over
 * the directed plane, behind all that the Synapse sent before it.
 * @typedef {(signal: object, sender: Buffer | null, isDirected: boolean) => void} Taker
 */

/** Passes what is meant for this Dendrite to the parts that act on it. The same one may come twice. */
export class Published {
  #client
  #subscriptions
  #decoding
  #takers = new Map() // type -> what gets it
  #handlers = new Map() // type -> our listener, while others publish by the broadcast plane alone

  /**
   * @param {object} client The transport port: `hasOlderPublishers`, `originOf`.
   * @param {object} subscriptions The handlers of this Dendrite.
   * @param {{ floats?: boolean }} [options]
   */
  constructor(client, subscriptions, { floats = false } = {}) {
    this.#client = client
    this.#subscriptions = subscriptions
    this.#decoding = { keepFloats: floats }
    this.counts = {}
  }

  /**
   * Take the publications of some types; one part for each type.
   * @param {Iterable<string>} types
   * @param {Taker} taker
   */
  on(types, taker) {
    for (const type of types) this.#takers.set(type, taker)
    this.#listen({ waits: true })
  }

  /** Take the publications of a type no longer. */
  off(type) {
    this.#takers.delete(type)
    this.#subscriptions.discard(this.#handlers.get(type))
    this.#handlers.delete(type)
  }

  /** Listen from now on, if others may publish by the broadcast plane alone. */
  onWelcomed() {
    this.#listen({ waits: false }) // a start waits for all that was asked for until then
  }

  #listen(options) {
    if (!this.#client.hasOlderPublishers) return
    for (const [type, taker] of this.#takers) {
      if (this.#handlers.has(type)) continue
      const pass = (signal) => taker(signal, this.#subscriptions.senderOf(signal), false)
      const handler = makeHandler(pass, [type], { direct: true })
      this.#handlers.set(type, handler)
      this.#subscriptions.add(handler, options)
    }
  }

  /** Pass on a publication of this Dendrite itself, which the Synapse sends back to nobody. */
  own(signal) {
    // The handler for the broadcast plane gets it as any other does.
    if (!this.#handlers.has(signal.type)) this.#takers.get(signal.type)?.(signal, null, false)
  }

  /** Handle a publication that came over the directed plane; see the transport port. */
  onPublished(publisher, kind, trace, body) {
    const taker = this.#takers.get(TYPE[kind])
    if (taker === undefined) return // its sender named more than those who act on it
    let signal
    try {
      signal = Signal.decode(body, this.#decoding)
      // The Synapse checked the right to the type that it was sent as (07-signals, "Origin", 5).
      if (signal.type !== TYPE[kind])
        throw new BadSignal(`a ${signal.type} was sent as a ${TYPE[kind]}`)
    } catch (error) {
      if (!(error instanceof BadSignal)) throw error
      count(this.counts, 'drop.bad_signal')
      return
    }
    setOrigin(signal, this.#client.originOf(publisher))
    taker(signal, publisher, true)
  }
}
