// Server-sent events, Signals in and text out: docs/edge.md "Server-sent events". Pure.
// Spec: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.
//
// Data is JSON on one line, so no text of a Neuron can end an event or start another field.
import { DendriteProtocolError } from '../errors.js'
import { QUESTIONS } from '../signals/signal-types.js'
import { answerOf } from './outcomes.js'
import { toJson } from './json.js'

export const CONTENT_TYPE = 'text/event-stream; charset=utf-8'
/** The headers of every stream, so that no proxy in front buffers it. */
export const HEADERS = Object.freeze({
  'Cache-Control': 'no-cache',
  'X-Accel-Buffering': 'no',
})
/** A comment, which no client shows. */
export const KEEP_ALIVE = ': keep-alive\n\n'

const END = 'end-'
const SETTLING = new Set(['AGENT_OUTPUT', 'FINAL', 'ERROR', ...QUESTIONS])
const NAMES = new Map([
  ['THOUGHT_DELTA', 'thought'],
  ['AGENT_OUTPUT', 'output'],
  ['FINAL', 'output'],
  ...Array.from(QUESTIONS, (type) => [type, 'question']),
])

/** Return whether a Signal is an outcome: an output, an ERROR or a question. */
export const settles = (signal) => SETTLING.has(signal.type)

/**
 * Return the event for a Signal, behind a `gap` if Signals are missing before it.
 *
 * `thought` carries `delta` and `seq`; `output` the output; `error` and `question` the body that a
 * plain HTTP answer would have; every other type its payload, under its name in lower case.
 *
 * @param {object} signal The Signal.
 * @param {number} [missed] How many Signals were dropped before it.
 */
export function eventOf(signal, missed = 0) {
  const name = NAMES.get(signal.type) ?? signal.type.toLowerCase()
  const gap = missed === 0 ? '' : event('gap', { missed })
  if (settles(signal)) return gap + event(name, answerOf(signal).body, END + signal.traceId)
  return gap + event(name, signal.payload)
}

/**
 * Return an event.
 *
 * @param {string} name One word; a client listens for it.
 * @param {unknown} data The value that becomes JSON.
 * @param {string} [id] What a client that connects again sends as `Last-Event-ID`.
 * @throws {RangeError} `name` is empty, or one of them holds a line end.
 */
export function event(name, data, id = '') {
  if (name === '' || /[\n\r\0]/.test(name + id)) {
    const got = `${JSON.stringify(name)} and ${JSON.stringify(id)}`
    throw new RangeError(`name and id of an event must be one line of text, not ${got}`)
  }
  return `event: ${name}\ndata: ${toJson(data)}\n${id === '' ? '' : `id: ${id}\n`}\n`
}

/**
 * Return whether the header `Last-Event-ID` of a request names the last event of a stream.
 *
 * EventSource connects again after the end of each stream. Status 204 makes it stop; a new stream
 * would run the model again.
 */
export const isOver = (lastEventId) => lastEventId?.startsWith(END) === true

/** The last event where the Dendrite was stopped before the task was settled. */
export const CUT_OFF = event(
  'error',
  answerOf(new DendriteProtocolError('stopped')).body,
  `${END}stopped`,
)
