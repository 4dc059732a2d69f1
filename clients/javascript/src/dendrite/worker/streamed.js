// The Signals that a Neuron may send while it works, and their payloads: docs/spec/07-signals.md, "Payloads". Pure.
import { InvalidArgument } from '../../errors.js'
import { newEventId } from '../../signals/ids.js'

const SHAPES = Object.freeze({
  THOUGHT_DELTA: [['delta'], ['kind']],
  TOOL_CALL: [['tool_name'], ['args', 'call_id']],
  TOOL_RESULT: [['tool_name'], ['result', 'error', 'call_id']],
  PLAN: [['steps'], ['rationale']],
  CRITIQUE: [['target_event_id', 'issues', 'verdict'], []],
  CONSENSUS: [['members', 'verdict'], ['votes']],
  CONTEXT_SYNC: [['snapshot'], ['version']],
  MEMORY_APPEND: [['key', 'value'], []],
})

/**
 * Return the payload of a Signal that a Neuron streams; what is undefined or null counts as not given.
 * @param {string} type One of the eight.
 * @param {object} values The keys of the payload.
 * @throws {InvalidArgument} Another type, or a key is missing or unknown; the text names all of them.
 */
export function streamedPayload(type, values) {
  const shape = Object.hasOwn(SHAPES, type) ? SHAPES[type] : null
  if (shape === null) {
    throw new InvalidArgument(
      `a Neuron cannot emit ${type} while it works, only ${Object.keys(SHAPES).join(', ')}: return it, or throw it`,
    )
  }
  checkKeys(type, shape, values)
  const payload = {}
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) payload[key] = value
  }
  for (const key of shape[0]) payload[key] ??= null
  if (type === 'TOOL_CALL' || type === 'TOOL_RESULT') completeTool(type, payload)
  return payload
}

function checkKeys(type, [required, optional], values) {
  const given = Object.keys(values)
  const wrong = [
    ...required.filter((each) => values[each] === undefined).map((each) => `${each} is missing`),
    ...given
      .filter((each) => !required.includes(each) && !optional.includes(each))
      .map((each) => `${each} is unknown`),
  ]
  if (wrong.length === 0) return
  const keys = [...required, ...optional.map((each) => `${each}?`)].join(', ')
  throw new InvalidArgument(`a ${type} takes { ${keys} }: ${wrong.join('; ')}`)
}

function completeTool(type, payload) {
  payload.tool = payload.tool_name
  payload.call_id ??= newEventId()
  if (type === 'TOOL_CALL') payload.args ??= {}
  else if (payload.error === undefined) payload.result ??= null
}
