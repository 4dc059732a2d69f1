// Express 4 and 5 (and any Connect-like server): one Dendrite per app, outcomes as HTTP statuses, a Pathway as server-sent events, hang-up cancels.
import {
  DendriteProtocolError,
  NeedsAnswer,
  NeuronError,
  TimeoutError,
  SynapseUnreachable,
  SignalTooLarge,
  UnencodableValue,
  InvalidArgument,
} from './errors.js'

const QUESTIONS = new Set(['CLARIFICATION', 'PERMISSION', 'ESCALATION'])
const body = (code, error, retry, more = {}) => ({ error, code, retry, ...more })
/** Status and JSON body of whatever a dispatch threw: the table of docs/edge.md, "What a client gets"; null for what is none of ours. */
export function outcomeOf(error) {
  if (error instanceof NeuronError)
    return [error.status, body(error.code, error.message, error.recoverable)]
  if (error instanceof NeedsAnswer)
    return [
      409,
      body(error.signal.type, error.message, false, {
        ...error.signal.payload,
        trace_id: error.signal.traceId,
      }),
    ]
  if (error instanceof TimeoutError) return [504, body('EXPIRED', error.message, false)]
  if (error instanceof SynapseUnreachable)
    return [503, body('SYNAPSE_UNREACHABLE', 'the fabric is not there', true)]
  if (error instanceof SignalTooLarge) return [413, body('TOO_LARGE', error.message, false)]
  if (
    error instanceof UnencodableValue ||
    error instanceof InvalidArgument ||
    error instanceof RangeError
  )
    return [400, body('BAD_REQUEST', error.message, false)]
  if (error instanceof DendriteProtocolError)
    return [503, body('NOT_READY', 'starting or stopping', true)]
  return null
}
/** Aborts when the client hangs up before the answer is out. `req.on('close')` fires after every request body on Node 16+, so the response is watched. */
export function hangUp(res) {
  const abort = new AbortController()
  res.on('close', () => {
    if (!res.writableFinished) abort.abort(new NeuronError('CANCELLED', 'the client hung up'))
  })
  return abort.signal
}
/** `app.post('/ask', answer(dendrite, (req) => ({ neuron: 'worker', input: req.body })))` */
export function answer(dendrite, options) {
  return (req, res, next) => {
    const signal = hangUp(res)
    ;(async () => res.json(await dendrite.ask({ ...(await options(req)), signal })))().catch(
      (error) => {
        if (signal.aborted) return
        next(error)
      },
    )
  }
}
/** The same as server-sent events: `thought`, then `output` or `error`. */
export function stream(dendrite, options, { keepAliveMs = 15000 } = {}) {
  return (req, res, next) => {
    const signal = hangUp(res)
    ;(async () => {
      const pathway = dendrite.dispatch({ ...(await options(req)), signal })
      res.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      })
      res.flushHeaders()
      const pulse = setInterval(() => res.write(':\n\n'), keepAliveMs)
      const say = async (event, data, id) => {
        if (!res.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data, plain)}\n\n`))
          await new Promise((r) => {
            res.once('drain', r)
            res.once('close', r)
          })
      }
      try {
        for await (const s of pathway) {
          if (signal.aborted) break
          if (s.type === 'THOUGHT_DELTA') await say('thought', s.payload, s.id)
          else if (s.type === 'AGENT_OUTPUT' || s.type === 'FINAL')
            await say('output', s.output, s.id)
          else if (s.type === 'ERROR')
            await say(
              'error',
              body(s.payload.code, s.payload.message, s.payload.recoverable, {
                trace_id: s.traceId,
              }),
              s.id,
            )
          else await say(QUESTIONS.has(s.type) ? 'question' : s.type.toLowerCase(), s.payload, s.id)
        }
      } finally {
        clearInterval(pulse)
        res.end()
      }
    })().catch((error) => {
      if (!res.headersSent) next(error)
    })
  }
}
/** `app.use(errors())` behind the routes. */
export function errors() {
  return (error, req, res, next) => {
    const known = outcomeOf(error)
    if (known === null || res.headersSent) return next(error)
    if (known[1].code === 'OVERLOADED') res.set('retry-after', '1')
    res.status(known[0]).json(known[1])
  }
}
export const plain = (key, value) => (typeof value === 'bigint' ? String(value) : value)
