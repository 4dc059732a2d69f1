// A task as a response that streams: server-sent events, or bare texts.
import { DendriteProtocolError } from '../errors.js'
import { answerOf } from './outcomes.js'
import { CONTENT_TYPE, CUT_OFF, eventOf, HEADERS, KEEP_ALIVE } from './sse.js'
import { StreamWriter } from './writer.js'

const TEXT_TYPE = 'text/plain; charset=utf-8'

/** Return the headers of a stream. */
export const headersOf = (asText) => ({
  'Content-Type': asText ? TEXT_TYPE : CONTENT_TYPE,
  ...HEADERS,
})

/**
 * Stream the Signals of a reader as server-sent events, until the last one is out or the client gone.
 *
 * @param {import('node:http').ServerResponse} res The response.
 * @param {import('./reader.js').SignalReader} reader Where they come from.
 * @param {number} keepAliveMs How often a comment is sent while the Neuron is silent.
 */
export async function streamEvents(res, reader, keepAliveMs) {
  const idle = { idle: KEEP_ALIVE, everyMs: keepAliveMs }
  const writer = new StreamWriter(res, headersOf(false), idle)
  for (let signal; (signal = await reader.next()) !== null;)
    await writer.write(eventOf(signal, reader.missedNow))
  if (reader.reply === null) await writer.write(CUT_OFF)
  writer.end()
}

/**
 * Stream the bare texts of a reader. A failure, or a client that reads too slowly, breaks the
 * connection off: a text cannot say it, and is never silently shorter.
 *
 * @param {import('node:http').ServerResponse} res The response.
 * @param {import('./reader.js').SignalReader} reader Where they come from.
 */
export async function streamTexts(res, reader) {
  const writer = new StreamWriter(res, headersOf(true))
  const textOf = textPieces()
  for (let signal; (signal = await reader.next()) !== null;) {
    if (reader.missed > 0) return writer.abort()
    const text = textOf(signal)
    if (text !== '') await writer.write(text)
  }
  const outcome = reader.reply ?? new DendriteProtocolError('the Dendrite was stopped')
  if (answerOf(outcome).status === 200) writer.end()
  else writer.abort()
}

/**
 * Return a function from Signals to bare texts: the thoughts that belong to the response, or without
 * any the `response` of the output. It returns '' for every other Signal.
 */
export function textPieces() {
  let spoke = false
  return (signal) => {
    if (signal.type === 'THOUGHT_DELTA') {
      const { delta, kind } = signal.payload
      if (kind === 'reasoning') return ''
      spoke = true
      return textOr(delta)
    }
    const isOutput = signal.type === 'AGENT_OUTPUT' || signal.type === 'FINAL'
    return isOutput && !spoke ? textOr(signal.output?.response) : ''
  }
}

const textOr = (value) => (typeof value === 'string' ? value : '')
