// The codes of an ERROR Signal, with what a retry, an edge and a command make of each. Pure.
// Spec: docs/spec/07-signals.md, "Codes of an ERROR".

/**
 * @typedef {object} CodeFacts
 * @property {boolean} recoverable Whether a retry may help.
 * @property {number} httpStatus The status that an HTTP edge answers with.
 * @property {number} exitCode The exit code of a command line.
 */

/** @returns {Readonly<CodeFacts>} */
const facts = (recoverable, httpStatus, exitCode) =>
  Object.freeze({ recoverable, httpStatus, exitCode })

/**
 * The codes that the fabric itself uses. A Neuron may use codes of its own.
 *
 * @type {Readonly<Record<string, Readonly<CodeFacts>>>}
 */
export const CODES = Object.freeze({
  __proto__: null, // so that a code of a Neuron named like a method of Object is not found
  NO_SUCH_NEURON: facts(true, 503, 3),
  NO_CAPABLE_NEURON: facts(true, 503, 3),
  ACCESS_DENIED: facts(false, 403, 5),
  OVERLOADED: facts(true, 503, 1),
  WORKER_LOST: facts(true, 502, 1),
  TASK_LOST: facts(true, 502, 1),
  REPLY_LOST: facts(false, 502, 1),
  SYNAPSE_AWAY: facts(true, 503, 3),
  EXPIRED: facts(false, 504, 4),
  CANCELLED: facts(false, 499, 1),
  CANCEL_TIMEOUT: facts(false, 504, 4),
  NEURON_EXCEPTION: facts(false, 502, 1),
  NEURON_ERROR: facts(false, 502, 1),
  BAD_OUTPUT: facts(false, 502, 1),
  BAD_SIGNAL: facts(false, 400, 2),
  BAD_INPUT: facts(false, 400, 2),
  PROVIDER_ERROR: facts(false, 502, 1),
  PROVIDER_UNREACHABLE: facts(true, 502, 1),
  TOOL_ERROR: facts(false, 502, 1),
  TOOL_UNREACHABLE: facts(true, 502, 1),
  TOOL_LOOP: facts(false, 502, 1),
})

const OTHER = facts(false, 502, 1)

/**
 * Return the facts of a code; a code of a Neuron's own is not recoverable, 502, exit 1.
 *
 * @param {string} code A code of an ERROR.
 * @returns {Readonly<CodeFacts>}
 */
export const factsOf = (code) => CODES[code] ?? OTHER
