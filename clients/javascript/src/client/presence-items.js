// What a worker says of one of its Axons. Spec: docs/spec/04-liveness.md. Pure.
import { InvalidArgument } from '../errors.js'
import { MAX_MAP_BYTES, item, packMap } from '../wire/wire.js'

/**
 * Return the items of a message: the facts for the tables of the Synapse, and a Signal for those who listen.
 * @param {number} verb REGISTER, HEARTBEAT or DEREGISTER of `VERB`
 * @param {string} neuronId
 * @param {object} facts
 * @param {number} kind type code of `body`
 * @param {Buffer} body
 * @throws {InvalidArgument} The facts have over 8,192 bytes.
 */
export function presenceItems(verb, neuronId, facts, kind, body) {
  const packed = packMap(facts)
  if (packed.length > MAX_MAP_BYTES)
    throw new InvalidArgument(
      `the facts of ${neuronId} have ${packed.length} bytes, the limit is ${MAX_MAP_BYTES}: ` +
        'name fewer capabilities',
    )
  return [item(verb, { body: packed }), item(verb, { kind, body })]
}
