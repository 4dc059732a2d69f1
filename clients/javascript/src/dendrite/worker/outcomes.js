// The Signal that a return value, or what was thrown, stands for: docs/spec/07-signals.md,
// "Payloads". Pure.
import { Clarification, Escalation, NeuronError, PermissionNeeded } from '../../errors.js'
import { factsOf } from '../../error-codes.js'
import { isPlain } from '../../signals/values.js'
import { described, safely } from './raised.js'

const MARKS = Object.freeze({
  __clarification__: 'CLARIFICATION',
  __permission__: 'PERMISSION',
  __escalation__: 'ESCALATION',
  __error__: 'ERROR',
})
const MARK_NAMES = Object.keys(MARKS)
const ASKED = [
  [Clarification, 'CLARIFICATION'],
  [PermissionNeeded, 'PERMISSION'],
  [Escalation, 'ESCALATION'],
]
const MAX_MESSAGE_CHARS = 10_000
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Tell whether a value is what a Signal calls a map: a plain object, or a Map. */
export function isMap(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return value instanceof Map || (!ArrayBuffer.isView(value) && isPlain(value))
}

/**
 * Return type and payload of the reply for the return value of a Neuron.
 *
 * A plain object is the output; anything else becomes `{ value }`, and undefined `{ value: null }`.
 * With `__clarification__`, `__permission__` or `__escalation__` true it is a question, with
 * `__error__` an ERROR.
 * @param {unknown} value
 * @returns {[type: string, payload: object]}
 */
export function replyOf(value) {
  if (!isMap(value)) {
    if (isThrowable(value)) return replyOfThrown(value)
    return ['AGENT_OUTPUT', { output: { value: value === undefined ? null : value } }]
  }
  const fields = value instanceof Map ? Object.fromEntries(value) : value
  const mark = MARK_NAMES.find((each) => fields[each] === true)
  if (mark === undefined) return ['AGENT_OUTPUT', { output: value }]
  const payload = { ...fields }
  delete payload[mark]
  if (mark !== '__error__') return [MARKS[mark], payload]
  const { code = 'NEURON_EXCEPTION', message = '', recoverable, retry_after_s: waitS } = payload
  return ['ERROR', errorPayload(String(code), String(message), recoverable, waitS)]
}

/**
 * Return type and payload of the reply for the return value of a Neuron; never throw.
 * @param {unknown} value
 * @returns {[type: string, payload: object]}
 */
export function replyOfReturned(value) {
  try {
    return replyOf(value)
  } catch (error) {
    // A getter of the value threw.
    return ['ERROR', errorPayload('BAD_OUTPUT', `the output cannot be read: ${described(error)}`)]
  }
}

/** Tell whether a value is one of the errors that mean the same returned and thrown. */
export const isThrowable = (value) =>
  value instanceof NeuronError || ASKED.some(([each]) => value instanceof each)

/**
 * Return type and payload of the reply for what a Neuron threw; never throw.
 * @param {unknown} thrown
 * @returns {[type: string, payload: object]}
 */
export function replyOfThrown(thrown) {
  return (
    safely(() => replyOfKnown(thrown), null) ?? [
      'ERROR',
      errorPayload('NEURON_EXCEPTION', described(thrown)),
    ]
  )
}

function replyOfKnown(thrown) {
  for (const [each, type] of ASKED) if (thrown instanceof each) return questionOf(type, thrown)
  if (!(thrown instanceof NeuronError)) return null
  const { code, message, recoverable, retryAfterMs } = thrown
  const waitS = typeof retryAfterMs === 'number' ? retryAfterMs / 1000 : undefined
  return ['ERROR', errorPayload(String(code), String(message), recoverable, waitS)]
}

/** Return the reply for a question; its payload is copied, so that no getter of it is left. */
function questionOf(type, { payload }) {
  if (isMap(payload) && !(payload instanceof Map)) return [type, { ...payload }]
  const fault = `the payload of a ${type} must be a plain object`
  return ['ERROR', errorPayload('BAD_OUTPUT', fault)]
}

/**
 * Return the payload of an ERROR.
 * @param {string} code One of CODES, or one of the Neuron's own.
 * @param {string} message What happened; cut to 10,000 characters.
 * @param {boolean} [recoverable] Whether a retry may help; by default that of the code.
 * @param {unknown} [retryAfterS] The least number of seconds before a retry; left out if it is no
 *   number from 0.
 */
export function errorPayload(code, message, recoverable, retryAfterS) {
  const payload = {
    code: sendable(code),
    message: sendable(message),
    recoverable: Boolean(recoverable ?? factsOf(code).recoverable),
  }
  if (typeof retryAfterS === 'number' && retryAfterS >= 0) payload.retry_after_s = retryAfterS
  return payload
}

/** Return a text of at most 10,000 characters without lone surrogates, which no Signal carries. */
function sendable(text) {
  const cut = text.length > MAX_MESSAGE_CHARS ? text.slice(0, MAX_MESSAGE_CHARS) : text
  return cut.replace(LONE_SURROGATES, (each) => `\\u${each.charCodeAt(0).toString(16)}`)
}
