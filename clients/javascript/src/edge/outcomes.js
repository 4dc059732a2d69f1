// The answers of an HTTP edge: one table from outcomes to status, JSON body and headers. Pure.
// Page: docs/edge.md "Responses to a client". The Python edge gives the same ones.
//
// An outcome is the Signal that settled a task, its output, or the error that came instead.
import {
  AccessRefused,
  BadSignal,
  CosmonapseError,
  DendriteProtocolError,
  factsOf,
  InvalidContext,
  InvalidKey,
  InvalidName,
  InvalidUrl,
  NeedsAnswer,
  NeuronError,
  neuronErrorOf,
  RemoteError,
  SignalTooLarge,
  SynapseRefused,
  SynapseUnreachable,
  TimeoutError,
  UnencodableValue,
} from '../errors.js'
import { QUESTIONS } from '../signals/signal-types.js'
import { Signal } from '../signals/signals.js'

/**
 * The answer to an HTTP client.
 *
 * @typedef {object} HttpAnswer
 * @property {number} status The HTTP status.
 * @property {unknown} body The value that becomes JSON.
 * @property {Record<string, string>} headers Beside those of the content.
 * @property {'no' | 'line' | 'traceback'} log The entry in the log of the service.
 */

const OUTPUTS = ['AGENT_OUTPUT', 'FINAL']
const QUESTION_KEYS = ['question', 'action', 'scope', 'reason', 'target', 'context']
const LATE_CODES = ['EXPIRED', 'SYNAPSE_AWAY']
// How a Dendrite says in the error of a late task that its Synapse is away. It names the URL.
const SAYS_AWAY = /the Synapse at \S+ has been away/
const AWAY = 'the service behind this one cannot be reached at the moment; try again later'
const AWAY_LATER =
  'the service behind this one has been lost since it got the task, which may have run there'
const REFUSED =
  'the service behind this one refuses the connection; its operator must check the setup'
const DENIED = 'the service behind this one does not let it do that; its log has the reason'
const NOT_RUNNING =
  'this service is starting or stopping, or its setup is wrong; its log has the reason'
const FAILED = 'this service failed; its log has the reason'

/** An HTTP request that cannot become a task: status 400. The text is for its sender. */
export class BadRequest extends CosmonapseError {
  static code = 'BAD_REQUEST'
  static status = 400
  /** @param {string} message What is wrong with the request, for its sender. */
  constructor(message) {
    super(message)
    /** The status; an app without `errors()` answers with it too. */
    this.status = new.target.status
  }
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'BadRequest', configurable: true })
  }
}

/** An HTTP request with more bytes than this service reads: status 413. */
export class BodyTooLarge extends BadRequest {
  static code = 'TOO_LARGE'
  static status = 413
  /**
   * @param {number} limit The limit in bytes.
   * @param {number} [size] The size in bytes, if the request tells it.
   */
  constructor(limit, size) {
    const bytes = (count) => count.toLocaleString('en')
    const got = size === undefined ? '' : `, not ${bytes(size)}`
    super(`the body of a request may have at most ${bytes(limit)} bytes${got}`)
    this.limit = limit
    this.size = size
  }
}

const traces = new WeakMap()
const facts = (status, code, more) => ({ status, code, retry: false, log: 'no', ...more })
/** What an error says without a code of its own. The first class that fits counts. */
const FACTS = [
  [BodyTooLarge, facts(413, 'TOO_LARGE')],
  [BadRequest, facts(400, 'BAD_REQUEST')],
  [InvalidName, facts(400, 'BAD_REQUEST')],
  ...[InvalidContext, InvalidKey, InvalidUrl].map((each) => [
    each,
    facts(503, 'NOT_READY', { text: NOT_RUNNING, log: 'line' }),
  ]),
  [UnencodableValue, facts(400, 'BAD_REQUEST')],
  [BadSignal, facts(400, 'BAD_SIGNAL')],
  [SignalTooLarge, facts(413, 'TOO_LARGE')],
  [SynapseUnreachable, facts(503, 'SYNAPSE_UNREACHABLE', { retry: true, text: AWAY, log: 'line' })],
  [AccessRefused, facts(403, 'ACCESS_DENIED', { text: DENIED, log: 'line' })],
  [SynapseRefused, facts(503, 'SYNAPSE_REFUSED', { text: REFUSED, log: 'line' })],
  [TimeoutError, facts(504, 'EXPIRED')],
  [DendriteProtocolError, facts(503, 'NOT_READY', { text: NOT_RUNNING, log: 'traceback' })],
  [RemoteError, facts(502, 'REMOTE_ERROR', { text: AWAY, log: 'traceback' })],
]
const OF_ABORT = {
  TimeoutError: facts(504, 'EXPIRED'),
  AbortError: facts(499, 'CANCELLED'),
}
const UNEXPECTED = facts(500, 'INTERNAL_ERROR', { text: FAILED, log: 'traceback' })

/**
 * Return the answer to an HTTP client for an outcome.
 *
 * @param {unknown} outcome The Signal that settled a task, an output, or an Error.
 * @param {string | null} [traceId] The workflow, for an outcome that does not name it.
 * @returns {HttpAnswer}
 */
export function answerOf(outcome, traceId = null) {
  if (outcome instanceof Signal) return answerOfSignal(outcome)
  if (outcome instanceof Error) return answerOfError(outcome, traceOf(outcome) ?? traceId)
  return { status: 200, body: outcome, headers: {}, log: 'no' }
}

/** Return whether a Signal asks a question. */
export const isQuestion = (signal) => QUESTIONS.has(signal.type)

function answerOfSignal(signal) {
  if (isQuestion(signal)) return answerOfQuestion(signal)
  if (signal.type === 'ERROR') {
    return answerOfError(neuronErrorOf(signal.payload), signal.traceId)
  }
  if (OUTPUTS.includes(signal.type)) return answerOf(signal.output)
  return errorAnswer(UNEXPECTED, FAILED, signal.traceId) // it settles nothing
}

function answerOfQuestion(signal) {
  const asked = QUESTION_KEYS.filter((key) => key in signal.payload)
  const text = `the Neuron sent ${signal.type} instead of an output`
  const more = Object.fromEntries(asked.map((key) => [key, signal.payload[key]]))
  return errorAnswer(facts(409, signal.type), text, signal.traceId, more)
}

function answerOfError(error, traceId) {
  if (error instanceof AggregateError) return answerOfGroup(error, traceId)
  if (error instanceof NeedsAnswer) return answerOfQuestion(error.signal)
  if (isLateWhileAway(error)) return answerWhileAway(error, traceId)
  if (error instanceof NeuronError) return answerOfNeuronError(error, traceId)
  const known = factsOfError(error)
  return errorAnswer(known, known.text ?? error.message, traceId)
}

function factsOfError(error) {
  const found = FACTS.find(([kind]) => error instanceof kind)
  if (found !== undefined) return found[1]
  return (isAbort(error) && OF_ABORT[error.name]) || UNEXPECTED
}

/** Return whether an error is the reason of an AbortSignal that the program gave to its own task. */
const isAbort = (error) => error instanceof DOMException && traces.has(error)

function answerOfNeuronError(error, traceId) {
  const known = facts(factsOf(error.code).httpStatus, error.code, { retry: error.recoverable })
  const waitMs = error.retryAfterMs ?? null
  if (waitMs === null) {
    const headers = error.code === 'OVERLOADED' ? { 'Retry-After': '1' } : {}
    return { ...errorAnswer(known, error.message, traceId), headers }
  }
  const waitS = Math.ceil(waitMs / 1000)
  const answer = errorAnswer(known, error.message, traceId, { retry_after_s: waitS })
  return { ...answer, headers: { 'Retry-After': String(waitS) } }
}

function isLateWhileAway(error) {
  const isLate =
    error instanceof TimeoutError ||
    (error instanceof NeuronError && LATE_CODES.includes(error.code))
  return isLate && SAYS_AWAY.test(error.message)
}

function answerWhileAway(error, traceId) {
  const neverLeft =
    error instanceof SynapseUnreachable || (error instanceof NeuronError && error.recoverable)
  const known = facts(503, 'SYNAPSE_UNREACHABLE', { retry: neverLeft, log: 'line' })
  return errorAnswer(known, neverLeft ? AWAY : AWAY_LATER, traceId)
}

/**
 * Return the answer for an AggregateError: of the first outcome that no retry helps, or the first.
 * Its text names all of them. A group with anything else in it is a failure of this service.
 */
function answerOfGroup(group, traceId) {
  const leaves = leavesOf(group)
  if (leaves.length === 0 || !isOutcome(group)) return errorAnswer(UNEXPECTED, FAILED, traceId)
  const answers = leaves.map((leaf) => answerOfError(leaf, traceOf(leaf) ?? traceId))
  const worst = answers.find((each) => !each.body.retry) ?? answers[0]
  const texts = new Set(answers.map((each) => each.body.error))
  return { ...worst, body: { ...worst.body, error: [...texts].join('; ') } }
}

function errorAnswer({ status, code, retry, log }, text, traceId, more) {
  const body = { error: text, code, retry, trace_id: traceId, ...more }
  return { status, body, headers: {}, log }
}

/** Return the errors of a group that are no groups, from left to right; else the error itself. */
export function leavesOf(error) {
  return error instanceof AggregateError ? error.errors.flatMap(leavesOf) : [error]
}

/** Return whether an error is an outcome of a task; a group is one if all of its leaves are. */
export function isOutcome(error) {
  return leavesOf(error).every((leaf) => leaf instanceof CosmonapseError || isAbort(leaf))
}

/** Record the workflow of an error, which may be any value that was thrown. Return the error. */
export function mark(error, traceId) {
  if (error instanceof Error) traces.set(error, traceId)
  return error
}

/** Return the workflow that `mark` recorded, or null. */
export const traceOf = (error) => traces.get(error) ?? null
