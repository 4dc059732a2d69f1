// Check what a program gives to the helpers of an HTTP edge, when it sets them up. Pure.
import { InvalidArgument, shown } from '../errors.js'
import { checkedDrain } from '../dendrite/caller/checks.js'
import { checkOptions } from '../options.js'

const DRAIN_OPTIONS = new Set(['drainMs'])

/**
 * Check the arguments of a helper that makes a handler.
 *
 * @param {string} verb The helper, for the error.
 * @param {unknown} dendrite A Dendrite.
 * @param {unknown} makeTask A function.
 * @throws {InvalidArgument} One is of another kind.
 */
export function checkHandler(verb, dendrite, makeTask) {
  checkDendrite(verb, dendrite)
  if (typeof makeTask === 'function') return
  throw new InvalidArgument(
    `${verb}(dendrite, makeTask) needs a function that returns the task, such as ` +
      `(req) => ({ neuron, input }), not ${shown(makeTask)}`,
  )
}

/**
 * Check the arguments of a helper that ends a server.
 *
 * @param {string} verb The helper, for the error.
 * @param {unknown} server A server of node:http.
 * @param {unknown} dendrite A Dendrite.
 * @param {object} options `drainMs`, in milliseconds.
 * @throws {InvalidArgument} One is of another kind.
 */
export function checkServer(verb, server, dendrite, options) {
  if (typeof server === 'function')
    throw new InvalidArgument(
      `${verb} needs a server, not an app: write ${verb}(app.listen(port), dendrite)`,
    )
  if (typeof server?.closeIdleConnections !== 'function')
    throw new InvalidArgument(
      `${verb} needs the server that app.listen(port) returns, not ${shown(server)}`,
    )
  checkDendrite(verb, dendrite)
  checkOptions(options, DRAIN_OPTIONS, verb)
  if (options.drainMs !== undefined) checkedDrain(options.drainMs)
}

function checkDendrite(verb, dendrite) {
  if (typeof dendrite?.stop === 'function') return
  if (typeof dendrite?.then === 'function')
    throw new InvalidArgument(`${verb} needs a Dendrite, not a promise: 'await' is missing`)
  throw new InvalidArgument(`${verb} needs a Dendrite, not ${shown(dendrite)}`)
}

/**
 * Check a length of time that may be left out.
 *
 * @param {string} name The option, for the error.
 * @param {unknown} value Milliseconds, at least 0, or undefined.
 * @throws {InvalidArgument} It is anything else.
 */
export function checkMilliseconds(name, value) {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return
  throw new InvalidArgument(`${name} must be a number of milliseconds, not ${shown(value)}`)
}
