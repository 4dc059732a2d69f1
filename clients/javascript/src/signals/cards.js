// Cards: what a Neuron takes, gives and is for, and the digest that REGISTER carries. Pure.
// Spec: docs/spec/07-signals.md, "Cards". The one text of a card is that of RFC 8785.
import { InvalidArgument } from '../errors.js'
import { blake2bOf } from './blake2b.js'
import { Float } from './values.js'

/** The most bytes of a card as JSON. */
export const MAX_CARD_BYTES = 64 * 1024
const MAX_TOLD_CHARS = 128
/** The key in the meta of a TASK that asks for a card. */
export const CARD_MARK = 'card'

/**
 * Return the one JSON text of a plain value: keys in the order of their UTF-16 units.
 * @throws {TypeError} It is no JSON.
 */
export function canonical(value) {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Float) return canonical(value.value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const keys = Object.keys(value).sort()
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
  }
  const isJson = value === null || ['string', 'boolean'].includes(typeof value)
  if (!isJson && !Number.isFinite(value)) throw new TypeError(`${String(value)} is no JSON`)
  return JSON.stringify(value)
}

/** Return the digest of a card, 16 hex digits. */
export const digestOf = (card) => blake2bOf(Buffer.from(canonical(card)), '', 8).toString('hex')

/**
 * Return the card of an Axon, and its digest.
 * @throws {InvalidArgument} It is no JSON, or over 64 KiB.
 */
export function cardOf({ neuronId, description, input, output, capabilities, version }) {
  const card = {
    id: neuronId,
    description,
    input,
    output,
    capabilities: [...capabilities],
    version,
  }
  let bytes
  try {
    bytes = Buffer.byteLength(canonical(card))
  } catch (error) {
    throw new InvalidArgument(`the card of ${neuronId} is no JSON: ${error.message}`)
  }
  if (bytes > MAX_CARD_BYTES) {
    throw new InvalidArgument(
      `the card of ${neuronId} has ${bytes} bytes, and ${MAX_CARD_BYTES} are the most: shorten its ` +
        'description or its schemas',
    )
  }
  return { card, digest: digestOf(card) }
}

/** Return the first line of a description, cut for REGISTER. */
export function told(description) {
  const line =
    description
      .split(/\r?\n/)
      .map((each) => each.trim())
      .find(Boolean) ?? ''
  const characters = [...line]
  if (characters.length <= MAX_TOLD_CHARS) return line
  return `${characters
    .slice(0, MAX_TOLD_CHARS - 1)
    .join('')
    .trimEnd()}…`
}

/** Tell whether a Signal asks for a card or is one: no work, and so not shown as work. */
export const isOfCard = ({ type, meta, payload }) =>
  meta[CARD_MARK] === true &&
  (type === 'TASK' ? !Object.hasOwn(payload, 'input') : type === 'AGENT_OUTPUT')
