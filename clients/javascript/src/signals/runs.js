// Runs: several thoughts of one task in one body, and the Signals that they stand for. Pure.
// Spec: docs/spec/07-signals.md, "Runs of thoughts".
import { BadSignal } from '../errors.js'
import { idBytes, idsFrom } from './ids.js'
import { pack } from './msgpack.js'
import { Signal, readWithTenth } from './signals.js'

/** Most texts of a run, the first one included. */
export const MAX_TEXTS = 128
/** Most bytes of a run. */
export const MAX_RUN_BYTES = 16 * 1024
const NINE = 0x99
const ARRAY_OF_TEN = 0x9a
const NO_RUN = 'not a run: expected a THOUGHT_DELTA and a list of 1 to 127 texts'

/**
 * Return the body of a run.
 * @param {Signal} first a THOUGHT_DELTA whose payload is exactly `delta` and `seq`, without meta
 * @param {string[]} further 1 to 127 texts
 * @returns {Buffer}
 */
export function encodeRun(first, further) {
  const body = first.encode()
  if (body[0] !== NINE) throw new TypeError('an envelope has nine fields')
  body[0] = ARRAY_OF_TEN
  return Buffer.concat([body, pack(further)])
}

/**
 * Return the Signals that a run stands for.
 * @param {Buffer} body
 * @returns {Signal[]} 2 to 128
 * @throws {BadSignal} It is no run.
 */
export function readRun(body) {
  // Whole floats stay apart: a seq is an int.
  const { signal, tenth } = readWithTenth(body, true)
  const signals = tenth === undefined ? null : signalsOf(signal, tenth)
  if (signals === null) throw new BadSignal(NO_RUN)
  return signals
}

/**
 * Return the Signal of the body of a copy, or the Signals if it is a run.
 * @param {Buffer} body
 * @param {{ keepFloats?: boolean }} [options] as of `Signal.decode`
 * @returns {Signal[]} at least one
 * @throws {BadSignal} It is invalid; the text names the field.
 */
export function readHeard(body, options) {
  if (body.length > 0 && body[0] !== NINE) {
    const { signal, tenth } = readWithTenth(body, true)
    const signals = tenth === undefined ? null : signalsOf(signal, tenth)
    if (signals !== null) return signals
  }
  return [Signal.decode(body, options)]
}

function signalsOf(first, further) {
  if (!Array.isArray(further) || further.length === 0 || further.length >= MAX_TEXTS) return null
  if (!isPlainThought(first) || !further.every((each) => typeof each === 'string')) return null
  const ids = idsFrom(first.id, further.length + 1)
  const { traceId, parentId, type, directed, ts, payload } = first
  const signals = [first]
  for (let k = 1; k <= further.length; k++)
    signals.push(
      new Signal({
        type,
        id: ids[k],
        traceId,
        parentId,
        directed,
        ts,
        payload: { delta: further[k - 1], seq: payload.seq + k },
      }),
    )
  return signals
}

function isPlainThought({ type, id, payload, meta }) {
  const { delta, seq } = payload
  return (
    type === 'THOUGHT_DELTA' &&
    Object.keys(payload).length === 2 &&
    typeof delta === 'string' &&
    Number.isSafeInteger(seq) &&
    seq >= 0 &&
    Object.keys(meta).length === 0 &&
    isId(id)
  )
}

function isId(id) {
  try {
    idBytes(id)
    return true
  } catch {
    return false
  }
}
