// The types of Signals and their codes: docs/spec/07-signals.md, "Types". Pure.

const NAMES = Object.freeze([
  'TASK',
  'AGENT_OUTPUT',
  'FINAL',
  'ERROR',
  'CLARIFICATION',
  'CLARIFICATION_ANSWER',
  'PERMISSION',
  'PERMISSION_DECISION',
  'ESCALATION',
  'THOUGHT_DELTA',
  'TOOL_CALL',
  'TOOL_RESULT',
  'PLAN',
  'CRITIQUE',
  'CONSENSUS',
  'CONTEXT_SYNC',
  'MEMORY_APPEND',
  'REGISTER',
  'HEARTBEAT',
  'DEREGISTER',
  'DISCOVER',
  'TASK_OFFER',
  'BID',
  'TASK_AWARDED',
  'TASK_DECLINED',
  'STOP',
  'STOPPED',
])

/** The types of Signals; each is its own name: `SignalType.PLAN === 'PLAN'`. */
export const SignalType = Object.freeze(Object.fromEntries(NAMES.map((name) => [name, name])))

/** The code of each type, from 1. Has no prototype, so that any text may be looked up. */
export const CODE = Object.freeze(
  Object.assign(Object.create(null), Object.fromEntries(NAMES.map((name, i) => [name, i + 1]))),
)

/** The type of each code; null for 0. */
export const TYPE = Object.freeze([null, ...NAMES])

/** The types that a Neuron uses to ask instead of answering. */
export const QUESTIONS = Object.freeze(
  new Set([SignalType.CLARIFICATION, SignalType.PERMISSION, SignalType.ESCALATION]),
)

/**
 * Return `type` if it is a type of Signals.
 * @param {unknown} type
 * @returns {string}
 * @throws {RangeError} It is none; the text lists them all.
 */
export function checkedType(type) {
  if (typeof type === 'string' && CODE[type] !== undefined) return type
  throw new RangeError(
    `${String(type).slice(0, 80)} is no type of Signal; they are ${NAMES.join(', ')}`,
  )
}
