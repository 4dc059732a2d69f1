// What is thrown in an app of Express: into its response, and never into the end of the process.
import { IncomingMessage } from 'node:http'
import { InvalidArgument, shown } from '../errors.js'
import { checkOptions } from '../options.js'
import { isOutcome } from './outcomes.js'
import { parserOutcome } from './requests.js'
import { asError, respond } from './respond.js'

const OPTIONS = new Set(['app', 'logger'])

/**
 * Return the error handler of an app: `app.use(errors())` behind all routes.
 *
 * An outcome of a task, and an error of express.json(), gets the status and body of docs/edge.md.
 * An error with a status of its own, as of the package http-errors, is passed on. Anything else is
 * 500 with the code INTERNAL_ERROR, and its details are in the log only.
 *
 * Express 4 passes on what is thrown, and not what an async handler rejects with: that ends the
 * process. Given the app, this catches it for all handlers that were added before, those of its
 * routers too. `wrap` does it for one handler. Express 5 needs neither.
 *
 * @param {{ app?: object, logger?: import('./respond.js').Logger }} [options] `app`: of Express 4;
 *   `logger`: where the details go, by default stderr.
 * @throws {InvalidArgument} An option is unknown or of another kind.
 */
export function errors(options = {}) {
  checkErrors(options)
  const { app, logger } = options
  // Express 5 has no `_router`. The getter `router` of Express 4 throws, so that one is not touched.
  if (app?._router !== undefined) catchIn(app._router)
  // An error handler of Express has four parameters.
  return (error, req, res, next) => {
    if (hasOwnStatus(error)) return next(error)
    respond(res, asError(error), { logger })
  }
}

function checkErrors(options) {
  if (typeof options === 'function')
    throw new InvalidArgument('errors takes an object of options: write errors({ app })')
  if (options instanceof IncomingMessage)
    throw new InvalidArgument('errors returns the handler: write app.use(errors()), with its ()')
  checkOptions(options, OPTIONS, 'errors')
  const { app, logger = null } = options
  if (app !== undefined && typeof app?.use !== 'function')
    throw new InvalidArgument(`app must be that of express(), not ${shown(app)}`)
  if (logger !== null && typeof logger.error !== 'function')
    throw new InvalidArgument(`logger must have a method error(text, error), not ${shown(logger)}`)
}

function hasOwnStatus(error) {
  if (!(error instanceof Error) || isOutcome(error) || parserOutcome(error) !== null) return false
  const status = error.status ?? error.statusCode
  return Number.isInteger(status) && status >= 400 && status < 600
}

/**
 * Return a handler or middleware of Express whose rejections go to `next`, as Express 5 does it.
 *
 *     app.get('/own', wrap(async (req, res) => { ... }))
 *
 * @param {Function} handler With two or three parameters, or four for errors; it may be async.
 */
export function wrap(handler) {
  if (typeof handler !== 'function')
    throw new InvalidArgument(`wrap needs the handler, a function, not ${shown(handler)}`)
  if (wrapped.has(handler)) return handler
  const mine =
    handler.length > 3
      ? (error, req, res, next) => calling(handler, [error, req, res, next])
      : (req, res, next) => calling(handler, [req, res, next])
  wrapped.add(mine)
  return mine
}

const wrapped = new WeakSet()

function calling(handler, given) {
  const next = given.at(-1)
  const returned = handler(...given)
  if (typeof returned?.then !== 'function') return returned
  // What is returned never rejects: Express 5 would call `next` a second time, and break the connection off.
  return returned.then(undefined, (error) => next(error ?? new Error('rejected without an error')))
}

/** Wrap the handlers of a router of Express 4, of its routes and of the routers in it. */
function catchIn({ stack }) {
  for (const layer of stack) {
    if (layer.route !== undefined) catchIn(layer.route)
    else if (Array.isArray(layer.handle.stack)) catchIn(layer.handle)
    else if (typeof layer.handle === 'function') layer.handle = wrap(layer.handle)
  }
}
