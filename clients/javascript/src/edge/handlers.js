// The handlers of an HTTP edge: a request becomes a task, and its outcome the response.
// For Express 4 and 5, and without `next` for node:http.
import { checkOptions } from '../options.js'
import { newTraceId } from '../signals/ids.js'
import { passedOn } from '../tracing/trace-context.js'
import { checkHandler, checkMilliseconds } from './checks.js'
import { hangUp, isGone, onHangUp } from './hang-up.js'
import { mark } from './outcomes.js'
import { SignalReader } from './reader.js'
import { asError, respond } from './respond.js'
import { isOver } from './sse.js'
import { headersOf, streamEvents, streamTexts } from './streaming.js'

const STREAM_OPTIONS = new Set(['asText', 'keepAliveMs'])
const OPENING_MS = 200
const KEEP_ALIVE_MS = 5000

/**
 * Return a handler that sends a task and answers with its output.
 *
 *     app.post('/ask', answer(dendrite, (req) => ({ neuron: 'worker', input: jsonBody(req, 'prompt') })))
 *
 * A client that hangs up cancels the task. Whatever is thrown goes to `next`, so `errors()` answers it;
 * without `next`, as in `http.createServer(answer(...))`, it is answered here.
 *
 * @param {import('../dendrite/dendrite.js').Dendrite} dendrite That of this process, started.
 * @param {(req: object, res: object) => object | Promise<object>} makeTask Returns the arguments of
 *   `dendrite.ask`; may be async, and may throw.
 * @throws {InvalidArgument} One is of another kind.
 */
export function answer(dendrite, makeTask) {
  checkHandler('answer', dendrite, makeTask)
  return guarded(async (req, res) => {
    const task = await taskOf(makeTask, req, res)
    const signal = hangUp(res, task.signal)
    if (isGone(res)) return
    await outcomeOf(task, async () =>
      respond(res, await dendrite.dispatchAndWait({ ...task, signal })),
    )
  })
}

/**
 * Return a handler that sends a task and streams it as server-sent events; see docs/edge.md.
 *
 *     app.get('/stream', stream(dendrite, (req) => ({ neuron: 'worker', input: req.query })))
 *
 * A client that hangs up cancels the task, while the Neuron is silent too. A task that is refused
 * within 0.2 s gets its own status instead of a stream. An EventSource that connects again after its
 * last event gets status 204, and no task is sent; nor is one for HEAD.
 *
 * @param {import('../dendrite/dendrite.js').Dendrite} dendrite That of this process, started.
 * @param {(req: object, res: object) => object | Promise<object>} makeTask Returns the arguments of
 *   `dendrite.dispatch`; may be async, and may throw.
 * @param {{ asText?: boolean, keepAliveMs?: number }} [options] `asText`: the bare texts, which a
 *   failure ends early; `keepAliveMs`: how often a comment is sent while the Neuron is silent.
 * @throws {InvalidArgument} An argument is of another kind, or an option unknown.
 */
export function stream(dendrite, makeTask, options = {}) {
  checkHandler('stream', dendrite, makeTask)
  checkOptions(options, STREAM_OPTIONS, 'stream')
  checkMilliseconds('keepAliveMs', options.keepAliveMs)
  const { asText = false, keepAliveMs = KEEP_ALIVE_MS } = options
  const send = asText ? streamTexts : streamEvents
  return guarded(async (req, res) => {
    if (isOver(req.headers['last-event-id'])) return res.writeHead(204).end()
    if (req.method === 'HEAD') return res.writeHead(200, headersOf(asText)).end()
    const task = await taskOf(makeTask, req, res)
    if (isGone(res)) return
    await outcomeOf(task, async () => {
      const reader = new SignalReader(await dendrite.dispatch(task))
      onHangUp(res, () => reader.close())
      const refusal = await reader.refusal(OPENING_MS)
      await (refusal === null ? send(res, reader, keepAliveMs) : respond(res, refusal))
    })
  })
}

/** Return a handler of Express for an async function; what it throws is answered, always. */
function guarded(handle) {
  return (req, res, next) => {
    handle(req, res).catch((error) => {
      if (isGone(res)) return
      if (typeof next === 'function') next(asError(error))
      else respond(res, asError(error))
    })
  }
}

/** Return the arguments of a task with a trace id, a new one unless they have it. */
async function taskOf(makeTask, req, res) {
  const task = await makeTask(req, res)
  if (task === null || typeof task !== 'object') {
    throw new TypeError(
      `the function for a task must return its arguments, such as { neuron, input }, not ${task}`,
    )
  }
  req.resume() // a hang-up behind an unread body would be seen by nobody
  return withTrace({ ...task, traceId: task.traceId ?? newTraceId() }, req.headers)
}

/** Return the arguments of a task with the trace context of its request; what they have stays. */
function withTrace(task, headers) {
  if (headers.traceparent === undefined) return task
  const passed = passedOn(headers)
  const meta = task.meta ?? {}
  const isOwn = typeof meta !== 'object' || Object.hasOwn(meta, 'traceparent')
  return isOwn || passed.traceparent === undefined
    ? task
    : { ...task, meta: { ...passed, ...meta } }
}

/** Run a task; mark what it throws as its outcome. */
async function outcomeOf(task, run) {
  try {
    return await run()
  } catch (error) {
    throw mark(error, task.traceId)
  }
}
