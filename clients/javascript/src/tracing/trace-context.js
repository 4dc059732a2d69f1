// The trace context of the W3C in the meta of a TASK: `traceparent` and `tracestate`. Pure.
// Spec: docs/spec/07-signals.md, "Trace context"; https://www.w3.org/TR/trace-context/.

const MAX_TRACEPARENT = 256
const MAX_TRACESTATE = 512
const MAX_MEMBERS = 32
const SAMPLED = 1
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[^\n]*)?$/
// Blanks, then a key of lower case, then a value of printable ASCII without "," and "=".
const MEMBER =
  /^[ \t]*([a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e][ \t]*$/
const NOTHING = Object.freeze({ context: null, dropped: 0 })

/**
 * Return the trace context in the meta of a TASK; nothing that arrives makes it throw.
 * @param {object} values
 * @returns {{ context: { traceId: string, spanId: string, flags: number, state: string } | null,
 *   dropped: number }} The context, and how many values are invalid and count as absent.
 */
export function foundIn(values) {
  const { traceparent, tracestate } = values
  if (traceparent === undefined) return NOTHING
  const context = parsed(traceparent)
  if (context === null) return { context: null, dropped: 1 }
  if (tracestate === undefined || tracestate === null || tracestate === '')
    return { context, dropped: 0 }
  if (!isTracestate(tracestate)) return { context, dropped: 1 }
  return { context: { ...context, state: tracestate }, dropped: 0 }
}

function parsed(text) {
  if (typeof text !== 'string' || text.length > MAX_TRACEPARENT) return null
  const match = TRACEPARENT.exec(text)
  if (match === null) return null
  const [, version, traceId, spanId, flags, more] = match
  // A later version may append something; ff is none, and zeros are no ids.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & SAMPLED, state: '' }
}

/** Tell whether a value is a valid `tracestate` of at most 512 characters. */
export function isTracestate(text) {
  if (typeof text !== 'string' || text.length > MAX_TRACESTATE) return false
  const members = text.split(',').filter((each) => /[^ \t]/.test(each))
  const keys = members.map((each) => MEMBER.exec(each)?.[1])
  return (
    members.length > 0 &&
    members.length <= MAX_MEMBERS &&
    !keys.includes(undefined) &&
    new Set(keys).size === keys.length
  )
}

/** Return a `traceparent` of version 00. */
export const traceparentOf = ({ traceId, spanId, traceFlags }) =>
  `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`

/**
 * Return what of some headers, or of the meta of another Signal, goes on in the meta of a TASK;
 * nothing if it is invalid.
 * @param {object} values With names in lower case.
 */
export function passedOn(values) {
  const { context } = foundIn(values)
  if (context === null) return {}
  const meta = { traceparent: values.traceparent }
  if (context.state !== '') meta.tracestate = context.state
  return meta
}
