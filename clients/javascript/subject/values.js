// Values as JSON and back, without a loss: what JSON has no form for is an object with one short key.
//
//   { i: '9007199254740993' }  an integer beyond the exact numbers     BigInt
//   { f: '4000000000000000' }  the eight bytes of a float              Float, or a number
//   { b: 'AAEC' }              bytes in base64                         Buffer
//   { m: [['key', value]] }    a map; its order counts                 an object, or a Map
//   { s: [...] }               a Signal
//   { u: 'set' }               a value that no Signal can carry
import { Float, NeuronError, Signal, Directed } from '../src/index.js'

const UNCARRIED = { set: () => new Set([1, 2]), object: () => Symbol('object') }
const scratch = Buffer.alloc(8)

const floatToJson = (value) => {
  scratch.writeDoubleBE(value)
  return { f: scratch.toString('hex') }
}

const signalToJson = (signal) => {
  const { type, payload, directed, traceId, parentId, meta, id, ts, v } = signal
  const to = directed && [directed.id, directed.type, directed.capabilities]
  return { s: [type, payload, to, traceId, parentId, meta, id, new Float(ts), v].map(toJson) }
}

/** Return the JSON form of a value. */
export function toJson(value) {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) && !Object.is(value, -0) ? value : floatToJson(value)
    case 'bigint':
      return { i: String(value) }
    case 'undefined':
      return null
    case 'object':
      return objectToJson(value)
    default:
      return value
  }
}

function objectToJson(value) {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('base64') }
  if (value instanceof Float) return floatToJson(value.value)
  if (value instanceof Signal) return signalToJson(value)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return { m: entries.map(([key, each]) => [toJson(key), toJson(each)]) }
}

/** Return the value of a JSON form. */
export function fromJson(json) {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(fromJson)
  const [[tag, inside]] = Object.entries(json)
  return FROM[tag](inside)
}

const FROM = {
  i: (digits) => BigInt(digits),
  f: (hex) => {
    const value = Buffer.from(hex, 'hex').readDoubleBE()
    return Number.isInteger(value) ? new Float(value) : value
  },
  b: (base64) => Buffer.from(base64, 'base64'),
  m: (entries) => {
    const pairs = entries.map(([key, value]) => [fromJson(key), fromJson(value)])
    return pairs.every(([key]) => keepsItsPlace(key)) ? Object.fromEntries(pairs) : new Map(pairs)
  },
  s: ([type, payload, directed, traceId, parentId, meta, id, ts, v]) =>
    new Signal({
      type,
      payload: fromJson(payload),
      directed: directed && new Directed(...directed),
      traceId,
      parentId,
      meta: fromJson(meta),
      id,
      ts: Number(fromJson(ts)),
      v,
    }),
  u: (what) => UNCARRIED[what](),
}

// An object sorts the keys that look like an index to the front.
const keepsItsPlace = (key) => typeof key === 'string' && !/^\d+$/.test(key)

/** Return the JSON form of an error: its class, text and facts. */
export function errorToJson(error) {
  const facts = { ...error }
  if (error instanceof NeuronError) facts.isNeuronError = true
  return toJson({
    name: error?.constructor?.name ?? typeof error,
    message: String(error?.message ?? error),
    stack: String(error?.stack ?? ''),
    facts: Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, plain(value)])),
  })
}

const plain = (value) =>
  ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Signal
    ? value
    : String(value)
