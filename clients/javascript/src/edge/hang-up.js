// Whether the client of an HTTP response is still there.
import { NeuronError } from '../errors.js'
import { abortWith } from '../runtime/aborts.js'

/** Return whether nothing can be sent to a client any more. */
export const isGone = (res) => res.destroyed || res.closed || res.req?.socket?.destroyed === true

/**
 * Call a function once if the client hangs up before its response is out; at once if it has already.
 *
 * The response is watched and not the request: that one closes as soon as its body is read.
 *
 * @param {import('node:http').ServerResponse} res The response.
 * @param {() => void} call Called at most once.
 */
export function onHangUp(res, call) {
  if (isGone(res)) return call()
  res.once('close', () => {
    if (!res.writableFinished) call()
  })
}

/**
 * Return an AbortSignal that is aborted when the client hangs up before its response is out.
 *
 * Give it to `ask`, `dispatchAndWait` or `dispatch`, and the task is cancelled at its worker. Its
 * reason is a NeuronError with the code CANCELLED. The body of the request must have been read: Node
 * notices no hang-up behind one of some 100 kB that waits to be read.
 *
 * @param {import('node:http').ServerResponse} res Of Express or of node:http.
 * @param {AbortSignal} [other] One more signal that aborts it, with its own reason.
 * @returns {AbortSignal}
 */
export function hangUp(res, other) {
  const controller = new AbortController()
  const gone = () => new NeuronError('CANCELLED', 'the client disconnected before the answer')
  onHangUp(res, () => controller.abort(gone()))
  if (other !== undefined && !isGone(res)) res.once('close', abortWith(controller, other))
  return controller.signal
}
