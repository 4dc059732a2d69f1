// The Signals that a Neuron may send while it works: docs/spec/07-signals.md, "Payloads". Pure.
import { InvalidArgument, shown } from '../../errors.js'
import { STREAMED, payloadOf } from '../../signals/payloads.js'

/**
 * Return the payload of a Signal that a Neuron streams; what is undefined or null counts as not
 * given.
 * @param {string} type One of the eight.
 * @param {object} values The keys of the payload.
 * @throws {InvalidArgument} Another type, or a key is missing or unknown; the text names all of
 *   them.
 */
export function streamedPayload(type, values) {
  if (STREAMED.includes(type)) return payloadOf(type, values)
  throw new InvalidArgument(
    `a Neuron cannot emit ${type} while it works, only ${STREAMED.join(', ')}: return it, or throw it`,
  )
}

/** Return the payload of the next thought of a job. */
export function thought(job, text, kind) {
  const payload = { delta: checkedText(text), seq: job.thoughts++ }
  if (kind !== undefined && kind !== null) payload.kind = kind
  return payload
}

/** Return `text` if it is one. @throws {InvalidArgument} */
export function checkedText(text) {
  if (typeof text === 'string') return text
  throw new InvalidArgument(`a thought must be a string, not ${shown(text)}`)
}
