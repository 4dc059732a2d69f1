// The child tasks of a job: each ends with it, at the latest.
import { DendriteProtocolError } from '../../errors.js'
import { abortWith } from '../../runtime/aborts.js'
import { checkAbortSignal } from '../caller/checks.js'

/**
 * Dispatch a child task; return what the caller's verb returns.
 * @param {{ dispatch: Function, dispatchAndWait: Function, ask: Function }} caller
 * @param {import('./job.js').Job} job Its parent.
 * @param {'dispatch' | 'dispatchAndWait' | 'ask'} verb
 * @param {object} options As of `Dendrite.dispatchAndWait`.
 * @throws {NeuronError} The job is cancelled: its reason.
 * @throws {DendriteProtocolError} The job has ended.
 */
export function startChild(caller, job, verb, options) {
  if (job.reason !== null || job.isSettled) {
    throw job.reason ?? new DendriteProtocolError('the task has ended: it dispatches nothing more')
  }
  const [signal, unlink] = withJob(job, options.signal ?? null)
  job.runs?.flush() // 03-routing, "Runs", 3
  job.children++
  const ended = () => {
    job.children--
    unlink()
  }
  const made = sent(() => caller[verb]({ ...options, signal }), ended)
  if (verb === 'dispatch') made.whenClosed(ended)
  else made.then(ended, ended)
  return made
}

function sent(send, failed) {
  try {
    return send()
  } catch (error) {
    failed()
    throw error
  }
}

/** Return an AbortSignal that aborts with the job, and with another one; and how to end that. */
function withJob(job, other) {
  if (other === null) return [job.abortSignal, () => {}]
  checkAbortSignal(other)
  const controller = new AbortController()
  const unlinks = [job.abortSignal, other].map((each) => abortWith(controller, each))
  return [controller.signal, () => unlinks.forEach((unlink) => unlink())]
}
