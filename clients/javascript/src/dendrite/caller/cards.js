// The card in the reply of a Neuron. Pure. Spec: docs/spec/07-signals.md, "Cards".
import { checkedCapabilities, checkedName } from '../../names.js'
import { cardOf } from '../../signals/cards.js'

/**
 * A card as `Dendrite.card` returns it.
 * @typedef {{ neuronId: string, description: string, input: object | null, output: object | null,
 *   capabilities: readonly string[], version: string | null, digest: string }} Card
 */

/**
 * Return the card that a reply holds; keys that are unknown are left out.
 * @returns {Readonly<Card>}
 * @throws {TypeError | RangeError | InvalidArgument} It is no card, or nested too deep.
 */
export function cardFrom(value) {
  if (!isObject(value)) throw new TypeError('a card is a map')
  const card = {
    neuronId: checkedName('the id of a card', value.id),
    description: textOr(value.description, ''),
    input: isObject(value.input) ? value.input : null,
    output: isObject(value.output) ? value.output : null,
    capabilities: checkedCapabilities(value.capabilities ?? []),
    version: textOr(value.version, null),
  }
  return Object.freeze({ ...card, digest: cardOf(card).digest })
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const textOr = (value, none) => (typeof value === 'string' ? value : none)
