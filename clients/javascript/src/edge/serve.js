// The end of a process that serves HTTP with a Dendrite: in an order that loses no request.
import { checkedDrain } from '../dendrite/caller/checks.js'
import { stopSignal } from '../dendrite/worker/os-signals.js'
import { atMostLongest } from '../runtime/deadline-timer.js'

const DRAIN_MS = 10_000
const LAST_WORDS_MS = 1000 // a client that does not read them is not waited for
const LOOK_MS = 50

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
 * @throws {InvalidArgument} `drainMs` is no number from 0 on; nothing is closed.
 */
export async function close(server, dendrite, { drainMs = DRAIN_MS } = {}) {
  checkedDrain(drainMs)
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
 */
export async function serve(server, dendrite, options) {
  const signal = await stopSignal()
  await close(server, dendrite, options)
  return signal
}
