// The payload keys of the Signals that a program or a Neuron sends: docs/spec/07-signals.md,
// "Payloads". Pure.
import { DendriteProtocolError, InvalidArgument, factsOf, shown } from '../errors.js'
import { newEventId } from './ids.js'
import { QUESTIONS } from './signal-types.js'

/** The keys of a payload that must be given, and those that may be. */
const shape = (required, optional = []) => Object.freeze({ required, optional })

/** The types whose payloads are checked, each with its keys. */
export const SHAPES = Object.freeze({
  FINAL: shape(['result'], ['cost']),
  BID: shape(['cost'], ['eta_ms', 'confidence']),
  ERROR: shape(['code', 'message'], ['recoverable', 'retry_after_s']),
  ESCALATION: shape(['reason'], ['target', 'context']),
  THOUGHT_DELTA: shape(['delta'], ['seq', 'kind']),
  TOOL_CALL: shape(['tool_name'], ['args', 'call_id']),
  TOOL_RESULT: shape(['tool_name'], ['result', 'error', 'call_id']),
  PLAN: shape(['steps'], ['rationale']),
  CRITIQUE: shape(['target_event_id', 'issues', 'verdict']),
  CONSENSUS: shape(['members', 'verdict'], ['votes']),
  CONTEXT_SYNC: shape(['snapshot'], ['version']),
  MEMORY_APPEND: shape(['key', 'value']),
})

/** The types that a Neuron may send while it works, to the caller of its task, before the reply. */
export const STREAMED = Object.freeze([
  'THOUGHT_DELTA',
  'TOOL_CALL',
  'TOOL_RESULT',
  'PLAN',
  'CRITIQUE',
  'CONSENSUS',
  'CONTEXT_SYNC',
  'MEMORY_APPEND',
])

/** The types that travel as a TASK or as a reply to one. */
export const OF_TASKS = Object.freeze(
  new Set(['TASK', 'AGENT_OUTPUT', 'FINAL', 'ERROR', ...QUESTIONS, ...STREAMED]),
)

const OF_THE_FABRIC = new Set(['TASK', 'REGISTER', 'HEARTBEAT', 'DEREGISTER', 'DISCOVER'])

/**
 * Return the type if a program may publish such a Signal.
 *
 * @param {string} type
 * @throws {DendriteProtocolError} Only the fabric publishes it.
 */
export function checkedEmission(type) {
  if (!OF_THE_FABRIC.has(type)) return type
  const instead = type === 'TASK' ? 'dispatch it' : 'attach an Axon for it'
  throw new DendriteProtocolError(
    `a ${type} cannot be emitted: ${instead}, so that the Synapse records it`,
  )
}

/**
 * Return the payload of the given values, with what the fabric fills in: `tool` and `call_id` of a
 * tool call, `recoverable` of an ERROR. What is undefined or null counts as not given, but for a
 * required key that is null. The payload of a type without a shape is returned as it is.
 *
 * @param {string} type
 * @param {object} values
 * @returns {object}
 * @throws {InvalidArgument} A key is missing or unknown; the text names all of them.
 */
export function payloadOf(type, values) {
  if (typeof values !== 'object' || values === null)
    throw new InvalidArgument(`the payload of a ${type} must be an object, not ${shown(values)}`)
  if (!Object.hasOwn(SHAPES, type)) return values
  const { required } = SHAPES[type]
  checkKeys(type, values)
  const payload = {}
  for (const [key, value] of Object.entries(values))
    if (value !== undefined && (value !== null || required.includes(key))) payload[key] = value
  complete(type, payload)
  return payload
}

function checkKeys(type, values) {
  const { required, optional } = SHAPES[type]
  const isKnown = (key) => required.includes(key) || optional.includes(key)
  const wrong = [
    ...required.filter((key) => values[key] === undefined).map((key) => `${key} is missing`),
    ...Object.keys(values)
      .filter((key) => !isKnown(key))
      .map((key) => `${key} is unknown`),
  ]
  if (wrong.length === 0) return
  const keys = [...required, ...optional.map((key) => `${key}?`)].join(', ')
  throw new InvalidArgument(`a ${type} takes { ${keys} }: ${wrong.join('; ')}`)
}

function complete(type, payload) {
  if (type === 'TOOL_CALL' || type === 'TOOL_RESULT') {
    payload.tool = payload.tool_name
    payload.call_id ??= newEventId()
  }
  if (type === 'TOOL_CALL') payload.args ??= {}
  else if (type === 'TOOL_RESULT' && payload.error === undefined) payload.result ??= null
  else if (type === 'ERROR') payload.recoverable ??= factsOf(payload.code).recoverable
}
