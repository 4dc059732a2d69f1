// The ERROR Signal of a task that got no reply: its code and its text. Pure.
// Spec: docs/spec/03-routing.md, "At the caller".
import { TimeoutError, factsOf } from '../../errors.js'
import { Directed } from '../../signals/signals.js'

const CODE_OF_REASON = {
  __proto__: null,
  busy: 'OVERLOADED',
  forbidden: 'ACCESS_DENIED',
  expired: 'EXPIRED',
  worker_lost: 'WORKER_LOST',
  reply_lost: 'REPLY_LOST',
}

const MESSAGES = {
  NO_SUCH_NEURON: ({ target }) =>
    `no live Axon serves ${target}: start one, or check the id and the namespace`,
  NO_CAPABLE_NEURON: ({ target }) =>
    `no live Axon for ${target}: start one, or check the namespace`,
  ACCESS_DENIED: ({ target }) =>
    `the key of this Dendrite may not send TASKs to ${target}: whoever keeps the keys of the Synapse can allow it ` +
    "with 'cosmo keys allow'",
  OVERLOADED: ({ target }) =>
    `${target} accepts no more tasks now: try again later, or start a replica`,
  SYNAPSE_AWAY: ({ target }) =>
    `the task for ${target} never left: the Synapse is away; send it again`,
  EXPIRED: ({ target, timeoutMs }) =>
    `the task for ${target} did not end within its timeout of ${timeoutMs} ms`,
  CANCELLED: ({ target }) => `the caller cancelled the task for ${target}`,
  WORKER_LOST: ({ target }) => `the worker that ran the task for ${target} is gone`,
  REPLY_LOST: ({ target }) => `${target} ran the task, but its reply is lost`,
  TASK_LOST: ({ target }) => `it is unknown whether ${target} ran the task`,
}

/** Return the code of ERROR for a reason of a BOUNCE or LOST. */
export function codeOf(reason, opened) {
  if (reason === 'no_route' || reason === 'bad_address')
    return (opened.signal.directed?.id ?? null) === null ? 'NO_CAPABLE_NEURON' : 'NO_SUCH_NEURON'
  return CODE_OF_REASON[reason] ?? 'TASK_LOST'
}

/**
 * Return the ERROR that the caller's side makes for a task without a reply.
 *
 * Its producer is the neuron that the TASK named, if it named one, so that filters by neuron match
 * its failures too.
 *
 * @param {object} opened The open task.
 * @param {string} code The code of the ERROR.
 * @param {string} [why] What is known beyond the text of the code.
 */
export function errorFor(opened, code, why = '') {
  const asked = opened.signal.directed
  const message = MESSAGES[code](opened)
  return opened.signal.reply(
    'ERROR',
    {
      code,
      message: why === '' ? message : `${message}: ${why}`,
      recoverable: factsOf(code).recoverable,
    },
    { directed: new Directed(asked?.id ?? null, 'neuron', asked?.capabilities) },
  )
}

/** Return the ERROR for a last reply that is no Signal. */
export const unreadable = (opened, error) =>
  opened.signal.reply(
    'ERROR',
    {
      code: 'BAD_OUTPUT',
      message: `the reply could not be read: ${error.message}`,
      recoverable: false,
    },
    { directed: opened.signal.directed },
  )

/** Return the error for a caller that waited in vain. */
export function timeoutOf({ question, target, signal, timeoutMs }, why = '') {
  if (question !== null)
    return new TimeoutError(
      `nobody answered the ${question.type} of ${target} on trace ${signal.traceId} within ` +
        `${timeoutMs} ms`,
    )
  const known = why === '' ? '' : `: ${why}`
  return new TimeoutError(
    `no reply from ${target} on trace ${signal.traceId} within ${timeoutMs} ms${known}`,
  )
}
