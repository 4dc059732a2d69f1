// Questions that a Neuron sends instead of an output, and the TASK that an answer leads to. Pure.
//
// Spec: docs/spec/07-signals.md, "Questions". A question settles its TASK. Its answer leads to a new
// TASK on the same trace, with the question as its parent: the original input and the answer.
import { DendriteProtocolError, InvalidArgument, shown } from '../../errors.js'
import { checkedName } from '../../names.js'
import { Directed, Signal } from '../../signals/signals.js'

/** An ESCALATION has no answer type of its own: its answer carries `input` and `neuron`. */
const ANSWER_OF = {
  CLARIFICATION: 'CLARIFICATION_ANSWER',
  PERMISSION: 'PERMISSION_DECISION',
  ESCALATION: 'CLARIFICATION_ANSWER',
}
export const ANSWERS = new Set(Object.values(ANSWER_OF))

function checkQuestion(question, type) {
  if (question instanceof Signal && question.type === type) return
  const got = question instanceof Signal ? `a ${question.type}` : shown(question)
  throw new DendriteProtocolError(`expected a ${type} to answer, got ${got}`)
}

/**
 * Return the CLARIFICATION_ANSWER to a CLARIFICATION.
 *
 * @param {Signal} question The CLARIFICATION.
 * @param {unknown} answer The answer.
 * @param {{ extra?: object }} [more] More keys for the input.
 * @throws {DendriteProtocolError} `question` is another Signal.
 */
export function clarificationAnswer(question, answer, { extra } = {}) {
  checkQuestion(question, 'CLARIFICATION')
  if (extra !== undefined && !isMap(extra))
    throw new InvalidArgument(`extra must be an object of further keys, not ${shown(extra)}`)
  const payload = { answer: answer === undefined ? null : answer }
  if (extra !== undefined && Object.keys(extra).length > 0) payload.extra = { ...extra }
  return question.reply('CLARIFICATION_ANSWER', payload)
}

/**
 * Return the PERMISSION_DECISION to a PERMISSION.
 *
 * @param {Signal} question The PERMISSION.
 * @param {boolean} granted The decision.
 * @param {{ reason?: string, ttlMs?: number }} [more] Why, and how long it holds.
 * @throws {DendriteProtocolError} `question` is another Signal.
 * @throws {InvalidArgument} `granted` is neither true nor false.
 */
export function permissionDecision(question, granted, { reason, ttlMs } = {}) {
  checkQuestion(question, 'PERMISSION')
  if (typeof granted !== 'boolean')
    throw new InvalidArgument(`granted must be true or false, not ${shown(granted)}`)
  const payload = { granted }
  if (reason !== undefined && reason !== null) payload.reason = reason
  if (ttlMs !== undefined && ttlMs !== null) payload.ttl_ms = ttlMs
  return question.reply('PERMISSION_DECISION', payload)
}

/**
 * Return the answer to an ESCALATION: the neuron that continues, and its input.
 *
 * @param {Signal} question The ESCALATION.
 * @param {{ input?: unknown, neuron?: string }} [more] At least one of them, unless the ESCALATION
 *   names a target.
 * @throws {DendriteProtocolError} `question` is another Signal; or there is neither an input nor
 *   another neuron.
 * @throws {InvalidName} `neuron`, or the target in the question, is an invalid name.
 */
export function escalationAnswer(question, { input, neuron } = {}) {
  checkQuestion(question, 'ESCALATION')
  const target = neuron ?? question.payload.target ?? null
  if (input === undefined && target === null)
    throw new DendriteProtocolError(
      'respondToEscalation needs input, neuron or a target in the ESCALATION: the same neuron with ' +
        'the same input would escalate again',
    )
  const payload = { answer: null }
  if (input !== undefined) payload.input = input
  if (target !== null) payload.neuron = checkedName('neuron', target)
  return question.reply('CLARIFICATION_ANSWER', payload)
}

/**
 * Return the TASK that continues with an answer.
 *
 * Its destination is the neuron that asked, or the one that the answer names.
 *
 * @param {Signal} task The TASK that ended in the question.
 * @param {Signal} question The question.
 * @param {Signal} answer A Signal of one of `ANSWERS`.
 * @throws {DendriteProtocolError} The answer does not fit the type of the question, or its `granted`
 *   is neither true nor false.
 * @throws {InvalidName} It names a neuron by an invalid name.
 */
export function followUp(task, question, answer) {
  if (answer.type !== ANSWER_OF[question.type])
    throw new DendriteProtocolError(`a ${answer.type} does not answer a ${question.type}`)
  const { granted, neuron = null } = answer.payload
  if (question.type === 'PERMISSION' && typeof granted !== 'boolean')
    throw new DendriteProtocolError(`granted must be true or false, not ${shown(granted)}`)
  const asked = question.directed?.id ?? null
  const payload = { ...task.payload, input: inputOf(task, question, answer) }
  delete payload.capabilities
  return new Signal({
    type: 'TASK',
    traceId: task.traceId,
    parentId: question.id,
    directed: destinationOf(neuron, asked) ?? task.directed,
    payload,
    meta: { ...task.meta, answer: answer.id },
  })
}

function destinationOf(named, asked) {
  if (named !== null) return new Directed(checkedName('neuron', named), 'neuron')
  return asked === null ? null : new Directed(asked, 'neuron')
}

function inputOf(task, question, answer) {
  const given = task.payload.input
  const said = answer.payload
  if (question.type === 'ESCALATION') return Object.hasOwn(said, 'input') ? said.input : given
  const before = mapOf(given)
  if (question.type === 'PERMISSION') {
    const permission = { action: question.payload.action ?? null }
    for (const key of ['granted', 'reason', 'ttl_ms'])
      if (Object.hasOwn(said, key)) permission[key] = said[key]
    return { ...before, permission }
  }
  const clarification = {
    question: question.payload.question ?? null,
    answer: said.answer ?? null,
  }
  const after = { ...before, ...(isMap(said.extra) ? mapOf(said.extra) : {}) }
  if (Object.hasOwn(before, 'clarification')) {
    const known = before.clarifications
    const earlier = Array.isArray(known) ? known : [before.clarification]
    after.clarifications = [...earlier, clarification]
  }
  after.clarification = clarification
  return after
}

/** Return the keys of a first input; one that is not a map becomes `{ value: it }`. */
function mapOf(input) {
  if (!isMap(input)) return { value: input === undefined ? null : input }
  return input instanceof Map ? Object.fromEntries(input) : { ...input }
}

function isMap(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return value instanceof Map || !ArrayBuffer.isView(value)
}
