// JSON of values that a Signal can carry and JSON cannot: docs/edge.md "Responses to a client". Pure.
//
// The bytes are those of the Python edge, with a space behind each comma and colon, so that one test
// compares both.
import { Float } from '../signals/msgpack.js'

/**
 * Return a value as JSON on one line: bytes as base64, NaN and infinities as null, a BigInt and a
 * Float with all their digits, a Map as an object, a lone surrogate escaped.
 *
 * An object with a method `toJSON` is what that returns. As in JSON.stringify, `undefined`, functions
 * and symbols are left out of objects, and are null elsewhere.
 *
 * @param {unknown} value Of any depth that the stack allows, without cycles.
 * @returns {string}
 * @throws {RangeError} The value holds itself.
 */
export function toJson(value) {
  return textOf(value) ?? 'null'
}

/** Return the text of a value, or undefined for one that JSON leaves out. */
function textOf(value) {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? 'null' : textOfObject(value)
    default:
      return undefined
  }
}

function textOfObject(value) {
  if (Array.isArray(value)) return `[${value.map(toJson).join(', ')}]`
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (value instanceof Float) return textOfFloat(value.value)
  if (value instanceof Map) return textOfPairs(value)
  if (typeof value.toJSON === 'function') return textOf(value.toJSON())
  return textOfPairs(Object.entries(value))
}

function textOfPairs(pairs) {
  const parts = []
  for (const [key, each] of pairs) {
    const text = textOf(each)
    if (text !== undefined) parts.push(`${JSON.stringify(String(key))}: ${text}`)
  }
  return `{${parts.join(', ')}}`
}

function textOfFloat(number) {
  const text = toJson(number)
  return /^-?\d+$/.test(text) ? `${Object.is(number, -0) ? '-0' : text}.0` : text
}

function base64(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
