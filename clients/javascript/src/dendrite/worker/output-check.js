// The check of an output before it is sent: BAD_OUTPUT says what does not fit. Pure.
// Spec: docs/spec/07-signals.md, "Cards", 7.
import { finderOf, misfitOf } from './input-check.js'
import { errorPayload } from './outcomes.js'
import { described } from './raised.js'

/**
 * Return the check of the outputs of an Axon as a function of an output; null for none.
 *
 * @param {unknown} check A function, an object of Standard Schema, or null.
 * @throws {InvalidArgument} It is something else.
 */
export const outputCheckFor = (check) => (check === null ? null : finderOf(check, 'checkOutput'))

/**
 * Return the reply of a Neuron behind the check of its output, or a promise of it; never throw.
 *
 * A question and an ERROR are not checked. A check that throws refuses the output: what it threw may
 * hold values of it, and is for the log.
 * @param {[type: string, payload: object]} reply
 * @param {import('./axon.js').Axon} axon
 * @param {import('./warnings.js').Warnings} warnings
 */
export function checkedReply(reply, { neuronId, outputFindingsOf }, warnings) {
  const [type, { output }] = reply
  if (outputFindingsOf === null || type !== 'AGENT_OUTPUT') return reply
  const judged = (findings) => {
    const text = misfitOf(findings, output, 'output')
    return text === null ? reply : refused(text)
  }
  const failed = (thrown) => {
    const text = `neuron ${neuronId}: the check of its output threw ${described(thrown)}`
    warnings.warn(`checkOutput ${neuronId}`, text)
    return refused('output: its check has failed')
  }
  try {
    const findings = outputFindingsOf(output)
    if (typeof findings?.then !== 'function') return judged(findings)
    return Promise.resolve(findings).then(judged).catch(failed)
  } catch (thrown) {
    return failed(thrown)
  }
}

const refused = (text) => ['ERROR', errorPayload('BAD_OUTPUT', `the output does not fit: ${text}`)]
