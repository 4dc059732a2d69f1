// The end of a process that serves HTTP with a Dendrite: in an order that loses no request.
import { once } from 'node:events'
import { stopSignal } from '../dendrite/worker/os-signals.js'
import { atMostLongest } from '../runtime/deadline-timer.js'
import { checkServer } from './checks.js'

const DRAIN_MS = 10_000
const LAST_WORDS_MS = 1000 // a client that does not read them is not waited for
const LOOK_MS = 50
const LISTEN_MS = 5000

/**
 * End a server of node:http and its Dendrite. It resolves when both are closed.
 *
 * 1. The server takes no new connection. Those without a request are closed.
 * 2. Responses and streams under way may end, for at most `drainMs` milliseconds.
 * 3. The Dendrite stops: a stream that is still open gets its last event, and its task is cancelled.
 *    Axons of its own may run on for what is left of that time.
 * 4. Connections that are still open are broken off.
 *
 * @param {import('node:http').Server} server What `app.listen` returned.
 * @param {import('../dendrite/dendrite.js').Dendrite} dendrite Its Dendrite.
 * @param {{ drainMs?: number }} [options] 10 s by default.
 * @throws {InvalidArgument} An argument is of another kind; nothing is closed.
 */
export async function close(server, dendrite, options = {}) {
  checkServer('close', server, dendrite, options)
  const { drainMs = DRAIN_MS } = options
  const closed = new Promise((resolve) => {
    server.close(resolve)
  })
  server.prependListener('request', (req, res) => res.setHeader('Connection', 'close'))
  // A connection that is kept alive has no request as soon as its response is out.
  const looking = setInterval(() => server.closeIdleConnections(), LOOK_MS)
  const untilMs = performance.now() + drainMs
  try {
    await within(closed, drainMs)
    await dendrite.stop({ drainMs: Math.max(0, untilMs - performance.now()) })
    await within(closed, LAST_WORDS_MS)
  } finally {
    clearInterval(looking)
    server.closeAllConnections()
  }
  await closed
}

/** Wait for a promise that does not reject, for at most `timeoutMs`. */
async function within(promise, timeoutMs) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, atMostLongest(timeoutMs))
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}

/**
 * Wait for SIGTERM or SIGINT, then `close` the server and its Dendrite. Resolve to the signal.
 *
 *     await serve(app.listen(3000), dendrite)
 *
 * No handler of signals and no timer is left behind, so the process ends by itself if nothing else
 * holds it. A second signal ends it at once.
 *
 * @param {import('node:http').Server} server What `app.listen` returned.
 * @param {import('../dendrite/dendrite.js').Dendrite} dendrite Its Dendrite.
 * @param {{ drainMs?: number }} [options] As for `close`.
 * @throws {InvalidArgument} An argument is of another kind.
 * @throws {Error} The server cannot listen, with the `code` of Node, such as EADDRINUSE; the Dendrite
 *   is stopped.
 */
export async function serve(server, dendrite, options = {}) {
  checkServer('serve', server, dendrite, options)
  const over = new AbortController()
  const fault = new Promise((resolve) => {
    faultOf(server, over.signal).then((found) => found && resolve(found))
  })
  const ended = await Promise.race([stopSignal(process, over.signal), fault])
  over.abort()
  if (ended instanceof Error) {
    await dendrite.stop({ drainMs: 0 })
    throw ended
  }
  await close(server, dendrite, options)
  return ended
}

/**
 * Resolve to the error of a server that cannot listen, and to null once it listens.
 *
 * Express 5 gives that error to the callback of `app.listen`, where nobody looks for it: the program
 * would say that it runs, and serve nothing.
 */
async function faultOf(server, over) {
  if (server.listening) return null
  try {
    await once(server, 'listening', {
      signal: AbortSignal.any([over, AbortSignal.timeout(LISTEN_MS)]),
    })
    return null
  } catch (error) {
    if (over.aborted) return null
    const why = error.name === 'AbortError' ? `it did not within ${LISTEN_MS} ms` : error.message
    const fault = new Error(
      `the HTTP server cannot listen: ${why}; end the program that has the port, or take another port`,
      { cause: error },
    )
    return Object.assign(fault, { code: error.code })
  }
}
