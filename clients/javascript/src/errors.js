// The errors of this package as one tree. Pure. The codes of an ERROR are in error-codes.js.
//
// CosmonapseError
// ├── LocalError                  this program can correct it
// │   ├── InvalidArgument         an argument of the wrong type, out of range, or unknown
// │   │   ├── InvalidName         a neuron id, capability or namespace outside the alphabet
// │   │   ├── InvalidUrl          a Synapse URL that names no endpoint
// │   │   ├── InvalidContext      a context, or the file of them, cannot be used
// │   │   └── InvalidKey          a key or its file cannot be used; the text names the remedy
// │   ├── UnencodableValue        a value that no Signal can carry, with its path
// │   ├── SignalTooLarge          a Signal over the size limit, refused before it leaves
// │   ├── DendriteProtocolError   a call out of turn or out of role
// │   ├── PathwayClosedError      a closed Pathway without the requested Signal
// │   └── MissingExtra            an optional package is not installed
// ├── TimeoutError                a task, a question or a wait had no outcome in its time
// └── RemoteError                 another process, or the network
//     ├── SynapseUnreachable      no Synapse answers at that URL
//     │   └── SynapseAway         it went away, and a TASK never left in its time; a TimeoutError too
//     ├── SynapseRefused          the Synapse refused the connection
//     │   └── AccessRefused       for a key: none, an unknown one, or one without the right
//     ├── BadSignal               bytes that are not a valid Signal
//     ├── NeuronError             a Neuron ended its task with an ERROR
//     ├── NeedsAnswer             a Neuron asked a question instead of answering
//     └── Question                a Neuron throws one to ask instead of answering
//         ├── Clarification       it needs information
//         ├── PermissionNeeded    it needs consent
//         └── Escalation          it cannot continue by itself
//
// Each has a `code`: that of the ERROR for a NeuronError, else a text of its class. An AbortSignal
// rejects with its own `reason`, as those of Node do, and that is none of these.
import { inspect } from 'node:util'
import { CODES, factsOf } from './error-codes.js'

export { CODES, factsOf }

const MAX_WAIT_MS = 30 * 86_400_000 // the longest timeout of a task
const MAX_SHOWN = 200

/** Return a value as a short text for an error, on one line. */
export function shown(value) {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: MAX_SHOWN })
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text
}

/**
 * Return a value of a payload as a text. Any may be of a wrong type, and the text of a map is that of its
 * key `toString`.
 */
export const textOf = (value) => (typeof value === 'object' ? shown(value) : String(value))

/** The root of every error that this package raises itself. */
export class CosmonapseError extends Error {
  /**
   * @param {string} message What happened, and what to do now.
   * @param {ErrorOptions} [options] `cause`, as for every Error.
   */
  constructor(message, options) {
    super(message, options)
    /** A text of the class that does not change from one version to the next. */
    this.code = new.target.code
  }
  static code = 'COSMONAPSE_ERROR'
}

/** An error that this program can correct. */
export class LocalError extends CosmonapseError {
  static code = 'LOCAL_ERROR'
}

/** A failure of another process, or of the network. */
export class RemoteError extends CosmonapseError {
  static code = 'REMOTE_ERROR'
}

/** An argument of the wrong type, out of range, or of an unknown name. */
export class InvalidArgument extends LocalError {
  static code = 'INVALID_ARGUMENT'
}

/** A name outside `[A-Za-z0-9._-]{1,128}`. */
export class InvalidName extends InvalidArgument {
  static code = 'INVALID_NAME'
  /**
   * @param {string} what The kind of name, such as `neuron`.
   * @param {unknown} value The value that was given.
   */
  constructor(what, value) {
    super(`${what} must be 1 to 128 characters of A-Z a-z 0-9 . _ -, not ${shown(value)}`)
    this.what = what
    this.value = value
  }
}

/** A Synapse URL that names no endpoint. */
export class InvalidUrl extends InvalidArgument {
  static code = 'INVALID_URL'
  /**
   * @param {string} url The URL that was given, any password masked.
   * @param {string} reason The part that is wrong, and its correct form.
   */
  constructor(url, reason) {
    super(`invalid Synapse URL ${shown(url)}: ${reason}`)
    this.url = url
    this.reason = reason
  }
}

/** A key, or the file of one, that cannot be used. No secret is part of the text. */
export class InvalidKey extends InvalidArgument {
  static code = 'INVALID_KEY'
  /**
   * @param {string} what The file, or what was given.
   * @param {string} reason What is wrong with it, and what to do.
   * @param {ErrorOptions} [options] `cause`, as for every Error.
   */
  constructor(what, reason, options) {
    super(`cannot use ${what}: ${reason}`, options)
    this.what = what
    this.reason = reason
  }
}

/** A context, or the file of the contexts, that cannot be used. */
export class InvalidContext extends InvalidArgument {
  static code = 'INVALID_CONTEXT'
  /**
   * @param {string} what The file, or the context.
   * @param {string} reason What is wrong with it, and what to do.
   * @param {ErrorOptions} [options] `cause`, as for every Error.
   */
  constructor(what, reason, options) {
    // A secret in place of a path must not come back in a text or a log.
    const [safe, why] = [what, reason].map((each) => each.replace(/csk_\w+/g, 'csk_...'))
    super(`cannot use ${safe}: ${why}`, options)
    this.what = safe
    this.reason = why
  }
}

/** A value that no Signal can carry. */
export class UnencodableValue extends LocalError {
  static code = 'UNENCODABLE_VALUE'
  /**
   * @param {string} path Its place, such as `payload.input.items[3]`.
   * @param {string} reason The fault of the value.
   */
  constructor(path, reason) {
    super(
      `${path} cannot be sent: ${reason}; a Signal carries null, booleans, numbers, BigInts of 64 ` +
        'bits, strings, Buffers, arrays, plain objects and Maps with string keys',
    )
    this.path = path
    this.reason = reason
  }
}

/** A Signal over the size limit; no part of it was sent. */
export class SignalTooLarge extends LocalError {
  static code = 'SIGNAL_TOO_LARGE'
  /**
   * @param {number} size Its encoded size in bytes.
   * @param {number} limit The limit in bytes.
   */
  constructor(size, limit) {
    super(
      `the Signal has ${size.toLocaleString('en')} bytes, the limit is ` +
        `${limit.toLocaleString('en')}: send a reference instead, or raise maxSignalBytes on both ` +
        'ends and max_signal_bytes on the Synapse',
    )
    this.size = size
    this.limit = limit
  }
}

/** A call in the wrong state or role; the text names the right call. */
export class DendriteProtocolError extends LocalError {
  static code = 'DENDRITE_PROTOCOL'
}

/** A closed Pathway that holds no further Signal of the requested kind. */
export class PathwayClosedError extends LocalError {
  static code = 'PATHWAY_CLOSED'
}

/** An optional package is not installed. */
export class MissingExtra extends LocalError {
  static code = 'MISSING_EXTRA'
  /**
   * @param {string} missing The package.
   * @param {string} why What needs it.
   * @param {ErrorOptions} [options] The error of the import, as `cause`.
   */
  constructor(missing, why, options) {
    super(`${missing} is not installed, and ${why} needs it: run npm install ${missing}`, options)
    this.package = missing
  }
}

/** No Synapse answers at that URL. */
export class SynapseUnreachable extends RemoteError {
  static code = 'SYNAPSE_UNREACHABLE'
  /**
   * @param {string} url The URL of the Synapse.
   * @param {string} reason The fault that was seen while connecting.
   * @param {string} hint What to do now.
   */
  constructor(url, reason, hint) {
    super(`no Synapse at ${url}: ${reason}; ${hint}`)
    this.url = url
    this.reason = reason
    this.hint = hint
  }
}

/** The Synapse went away, and a TASK waited for it in vain: it ran nowhere. */
export class SynapseAway extends SynapseUnreachable {
  static code = 'SYNAPSE_AWAY'
  /**
   * @param {string} url The URL of the Synapse.
   * @param {number} awayMs How long the Synapse has been away, in milliseconds.
   * @param {string} task A text that names the TASK.
   * @param {string} [refusal] Why it does not let us in, in brackets; empty if that is not it.
   */
  constructor(url, awayMs, task, refusal = '') {
    super(url, `away for ${Math.round(awayMs / 1000)} s`, 'send the TASK again when it is back')
    this.message = `${awayText(url, awayMs)}${refusal}, and ${task} never left: ${this.hint}`
    this.awayMs = awayMs
  }
}

/**
 * Return a text that says how long a Synapse has been away.
 *
 * @param {string} url The URL of the Synapse.
 * @param {number} awayMs In milliseconds.
 */
export function awayText(url, awayMs) {
  const seconds = (awayMs / 1000).toFixed(awayMs >= 2000 ? 0 : 1)
  return `the Synapse at ${url} has been away for ${seconds} s`
}

/** A task, a question or a wait had no outcome in its time. A SynapseAway is one, too. */
export class TimeoutError extends CosmonapseError {
  static code = 'EXPIRED'
  static [Symbol.hasInstance](value) {
    const is = Function.prototype[Symbol.hasInstance]
    return is.call(this, value) || (this === TimeoutError && is.call(SynapseAway, value))
  }
}

/** The Synapse refused the connection; a retry would fail too. */
export class SynapseRefused extends RemoteError {
  static code = 'SYNAPSE_REFUSED'
  /**
   * @param {string} url The URL of the Synapse.
   * @param {string} reason The reason that the Synapse gave.
   */
  constructor(url, reason) {
    super(`the Synapse at ${url} refused this Dendrite: ${reason}`)
    this.url = url
    this.reason = reason
  }
}

/** The Synapse refused for want of a key or of a right; `fix` says what to do. */
export class AccessRefused extends SynapseRefused {
  static code = 'ACCESS_DENIED'
  /**
   * @param {string} url The URL of the Synapse.
   * @param {string} reason What was refused, and to which key.
   * @param {string} fix What to do now; empty if nobody knows.
   */
  constructor(url, reason, fix = '') {
    super(url, fix === '' ? reason : `${reason}; ${fix}`)
    this.reason = reason
    this.fix = fix
    /** The status that an HTTP edge answers with. */
    this.status = factsOf(AccessRefused.code).httpStatus
  }
}

/** Bytes that are not a valid Signal; the text names the field. */
export class BadSignal extends RemoteError {
  static code = 'BAD_SIGNAL'
}

/**
 * A Neuron ended its task with an ERROR; a Neuron may throw it to do so.
 *
 * `new NeuronError('no such file')`, `new NeuronError('no such file', { code: 'NO_FILE' })` and
 * `new NeuronError('NO_FILE', 'no such file')` are the ways to make one.
 */
export class NeuronError extends RemoteError {
  static code = 'NEURON_ERROR'
  /**
   * @param {string} first The message; or the code, if a text follows.
   * @param {string | object} [second] The message; or the options.
   * @param {object} [third] The options behind a code and a message: `code`, one of CODES or one
   *   of the Neuron's own, by default `NEURON_ERROR`; `recoverable`, whether a retry may help, by
   *   default that of the code; `retryAfterMs`, the least time before a retry; `cause`.
   */
  constructor(first, second, third) {
    const hasCode = typeof second === 'string'
    const options = (hasCode ? third : second) ?? {}
    super(hasCode ? second : first, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = String(hasCode ? first : (options.code ?? NeuronError.code))
    const known = factsOf(this.code)
    this.recoverable = options.recoverable ?? known.recoverable
    this.retryAfterMs = millisecondsOrNull(options.retryAfterMs)
    /** The status that an HTTP edge answers with. */
    this.status = known.httpStatus
  }
}

/**
 * Return the error that stands for an ERROR Signal. Any value of its payload may be of a wrong type.
 *
 * @param {object} payload The payload of the ERROR.
 */
export function neuronErrorOf(payload) {
  const seconds = payload.retry_after_s
  return new NeuronError(
    textOf(payload.code ?? 'NEURON_EXCEPTION'),
    textOf(payload.message ?? ''),
    {
      recoverable: payload.recoverable === true,
      retryAfterMs: typeof seconds === 'number' ? seconds * 1000 : null,
    },
  )
}

/** The base of the errors that a Neuron throws to ask; its task ends with that Signal. */
export class Question extends RemoteError {
  static code = 'QUESTION'
  /**
   * @param {string} text The question, for a log.
   * @param {object} payload The payload of the Signal; what is null is left out.
   */
  constructor(text, payload) {
    super(text)
    this.payload = Object.fromEntries(
      Object.entries(payload).filter(([, value]) => value !== undefined && value !== null),
    )
  }
}

/** Ask the caller a question; the Neuron gets its input again, with `clarification` in it. */
export class Clarification extends Question {
  static code = 'CLARIFICATION'
  /**
   * @param {string} question The question.
   * @param {{ context?: unknown }} [more] What helps to answer it.
   */
  constructor(question, { context } = {}) {
    super(question, { question, context })
  }
}

/** Ask for consent; the Neuron gets its input again, with `permission` in it. */
export class PermissionNeeded extends Question {
  static code = 'PERMISSION'
  /**
   * @param {string} action What the Neuron wants to do.
   * @param {{ scope?: unknown, reason?: string, context?: unknown }} [more] The limits of the
   *   action, the reason for it, and what helps to decide.
   */
  constructor(action, { scope, reason, context } = {}) {
    super(action, { action, scope, reason, context })
  }
}

/** Pass the task to another neuron or to a person. */
export class Escalation extends Question {
  static code = 'ESCALATION'
  /**
   * @param {string} reason Why the Neuron cannot continue.
   * @param {{ target?: string, context?: unknown }} [more] The id of the neuron that should
   *   continue, and what helps it.
   */
  constructor(reason, { target, context } = {}) {
    super(reason, { reason, target, context })
  }
}

/** A Neuron asked a question instead of answering. */
export class NeedsAnswer extends RemoteError {
  static code = 'NEEDS_ANSWER'
  /** @param {object} signal The CLARIFICATION, PERMISSION or ESCALATION. */
  constructor(signal) {
    const { question, action, reason } = signal.payload
    super(
      `the Neuron sent ${signal.type} instead of an output: ${textOf(question ?? action ?? reason)}; a ` +
        'handler, another Dendrite or `cosmo answer` may answer it (answerElsewhere)',
    )
    this.signal = signal
    /** The status that an HTTP edge answers with. */
    this.status = 409
  }
}

/** Return a number of milliseconds, cut to 30 days; null for a negative one and any other value. */
export function millisecondsOrNull(value) {
  return typeof value === 'number' && value >= 0 ? Math.min(value, MAX_WAIT_MS) : null
}

// The name is on the prototype, so that an error prints its facts and not its name twice.
for (const each of [
  CosmonapseError,
  LocalError,
  RemoteError,
  InvalidArgument,
  InvalidName,
  InvalidUrl,
  InvalidContext,
  InvalidKey,
  UnencodableValue,
  SignalTooLarge,
  DendriteProtocolError,
  PathwayClosedError,
  MissingExtra,
  SynapseUnreachable,
  SynapseAway,
  TimeoutError,
  SynapseRefused,
  AccessRefused,
  BadSignal,
  NeuronError,
  Question,
  Clarification,
  PermissionNeeded,
  Escalation,
  NeedsAnswer,
]) {
  Object.defineProperty(each.prototype, 'name', {
    value: each.name,
    configurable: true,
    writable: true,
  })
}
