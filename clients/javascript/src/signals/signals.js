// Signals, the envelopes that Neurons, Axons and Dendrites exchange: docs/spec/07-signals.md.
// Pure, but for two defaults: a new id, and the time of day.
import { BadSignal, NeedsAnswer, neuronErrorOf } from '../errors.js'
import { ID_CHARS, newEventId } from './ids.js'
import { Malformed, Reader } from './msgpack-reader.js'
import { borrow, giveBack } from './msgpack-writer.js'
import { CODE, QUESTIONS, SignalType, TYPE, checkedType } from './signal-types.js'
import { isPlain } from './values.js'

export { CODE, SignalType, TYPE } from './signal-types.js'

const FIELDS = 9
const TS_AT = 6
const FIELD_NAMES = [
  'v',
  'id',
  'trace_id',
  'parent_id',
  'type',
  'directed',
  'ts',
  'payload',
  'meta',
]
const NO_CAPABILITIES = Object.freeze([])

/** The destination of a TASK; the producer of every other Signal. */
export class Directed {
  /**
   * @param {string | null} [id] a neuron id
   * @param {string | null} [type] the kind of participant: `neuron`, `dendrite`
   * @param {readonly string[]} [capabilities] what it offers, or what a TASK requires
   */
  constructor(id = null, type = null, capabilities = NO_CAPABILITIES) {
    this.id = id
    this.type = type
    this.capabilities = capabilities
  }
}

/**
 * Record from whose key a Signal came, as the transport knows it.
 * @type {(signal: Signal, origin: string | null) => void}
 */
export let setOrigin

/** One message between participants. Treat it, its payload and its meta as frozen. */
export class Signal {
  #origin = null

  static {
    setOrigin = (signal, origin) => {
      signal.#origin = origin
    }
  }

  /**
   * @param {object} fields
   * @param {string} fields.type one of SignalType
   * @param {object} [fields.payload] what it says; the keys depend on the type
   * @param {Directed | null} [fields.directed]
   * @param {string} [fields.traceId] the workflow; by default this Signal begins one
   * @param {string | null} [fields.parentId] the Signal that it answers or follows
   * @param {object} [fields.meta] notes beside the payload
   * @param {string} [fields.id]
   * @param {number} [fields.ts] seconds UTC, for display
   * @throws {RangeError} `type` is none.
   * @throws {TypeError} payload or meta is no plain object.
   */
  constructor({
    type,
    payload = {},
    directed = null,
    id = newEventId(),
    traceId = 'trc_' + id.slice(4),
    parentId = null,
    meta = {},
    ts = Date.now() / 1000,
  }) {
    if (CODE[type] === undefined) checkedType(type)
    if (!isMap(payload) || !isMap(meta))
      throw new TypeError('payload and meta must be plain objects')
    this.v = '1'
    this.id = id
    this.traceId = traceId
    this.parentId = parentId
    this.type = type
    this.directed = directed
    this.ts = ts
    this.payload = payload
    this.meta = meta
  }

  /**
   * The name of the key that it came from; null where the transport does not know, as at a Synapse
   * without keys. It is no part of what travels: nobody can claim it.
   */
  get origin() {
    return this.#origin
  }

  /**
   * The output that an AGENT_OUTPUT or a FINAL carries.
   * @throws {NeuronError} This is an ERROR.
   * @throws {NeedsAnswer} This is a CLARIFICATION, PERMISSION or ESCALATION.
   * @throws {TypeError} This type carries no output.
   */
  get output() {
    const { type, payload } = this
    if (type === SignalType.AGENT_OUTPUT) return payload.output
    if (type === SignalType.FINAL) return payload.result
    if (type === SignalType.ERROR) throw neuronErrorOf(payload)
    if (QUESTIONS.has(type)) throw new NeedsAnswer(this)
    throw new TypeError(`a ${type} carries no output`)
  }

  /**
   * Make a Signal that answers this one: same trace, this one as its parent.
   * @param {string} type
   * @param {object} [payload]
   * @param {{ directed?: Directed | null, meta?: object, id?: string }} [more]
   * @returns {Signal}
   */
  reply(type, payload = {}, { directed = null, meta = {}, id } = {}) {
    return new Signal({
      type,
      traceId: this.traceId,
      parentId: this.id,
      directed,
      payload,
      meta,
      id,
    })
  }

  /**
   * Return the bytes for the wire.
   * @param {number} [maxBytes]
   * @returns {Buffer}
   * @throws {UnencodableValue} payload or meta holds what cannot travel; the path names it.
   * @throws {SignalTooLarge} It has over `maxBytes`; `size` says how many, of a huge one at least.
   */
  encode(maxBytes = Infinity) {
    const writer = borrow('', maxBytes)
    try {
      this.#write(writer)
    } catch (error) {
      giveBack(writer)
      throw error
    }
    return writer.taken()
  }

  #write(w) {
    w.arrayHead(FIELDS)
    w.text('1')
    w.text(this.id)
    w.text(this.traceId)
    if (this.parentId === null) w.nil()
    else w.text(this.parentId)
    w.int(CODE[this.type])
    writeDirected(w, this.directed)
    w.float(this.ts)
    w.root = 'payload'
    w.map(this.payload, 0)
    w.root = 'meta'
    w.map(this.meta, 0)
  }

  /**
   * Read a Signal. More fields than nine are ignored.
   * @param {Buffer} bytes
   * @param {{ keepFloats?: boolean }} [options] give whole floats as Float
   * @returns {Signal}
   * @throws {BadSignal} It is invalid; the text names the field.
   */
  static decode(bytes, { keepFloats = false } = {}) {
    return readWithTenth(bytes, keepFloats).signal
  }
}

/**
 * Read a Signal and the first of the fields behind its nine.
 * @param {Buffer} bytes
 * @param {boolean} keepFloats
 * @returns {{ signal: Signal, tenth: unknown }} `tenth` is undefined without a further field
 * @throws {BadSignal} It is invalid; the text names the field.
 */
export function readWithTenth(bytes, keepFloats) {
  const reader = new Reader(bytes, keepFloats)
  try {
    return readSignal(reader)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new BadSignal(`not a Signal: ${error.message}`, { cause: error })
  }
}

function writeDirected(w, directed) {
  if (directed === null) return w.nil()
  w.root = 'directed'
  w.arrayHead(3)
  w.value(directed.id, 0)
  w.value(directed.type, 0)
  w.value(directed.capabilities, 0)
}

function readSignal(reader) {
  const size = reader.arrayHead()
  if (size < FIELDS) throw reader.fault(`expected an array of ${FIELDS} or more fields`)
  const fields = new Array(FIELDS)
  let tsIsFloat = false
  for (let i = 0; i < FIELDS; i++) {
    reader.root = FIELD_NAMES[i]
    if (i === TS_AT) tsIsFloat = reader.isFloatNext
    fields[i] = reader.value(0)
  }
  reader.root = 'a field behind meta'
  const tenth = size > FIELDS ? reader.value(0) : undefined
  for (let i = FIELDS + 1; i < size; i++) reader.value(0)
  reader.root = ''
  if (!reader.isAtEnd) throw reader.fault('there are bytes behind the end')
  return { signal: checkedSignal(fields, tsIsFloat), tenth }
}

function checkedSignal(fields, tsIsFloat) {
  const [v, id, traceId, parentId, code, directed, ts, payload, meta] = fields
  if (v !== '1') throw new BadSignal(`v is ${brief(v)}, this package reads major version 1`)
  const type = typeof code === 'number' ? TYPE[code] : undefined
  if (typeof type !== 'string') throw new BadSignal(`type ${brief(code)} is unknown`)
  checkId('id', id)
  checkId('trace_id', traceId)
  if (parentId !== null) checkId('parent_id', parentId)
  if (!tsIsFloat) throw new BadSignal(`ts must be a float, not ${brief(ts)}`)
  checkMap('payload', payload)
  checkMap('meta', meta)
  return new Signal({
    id,
    traceId,
    parentId,
    type,
    directed: directed === null ? null : readDirected(directed),
    ts: Number(ts),
    payload,
    meta,
  })
}

function checkId(field, value) {
  if (typeof value !== 'string' || value.length !== ID_CHARS)
    throw new BadSignal(`${field} must be an id of ${ID_CHARS} characters, not ${brief(value)}`)
}

function checkMap(field, value) {
  if (!isMap(value)) throw new BadSignal(`${field} must be a map, not ${brief(value)}`)
}

const isMap = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value)

function readDirected(value) {
  if (!Array.isArray(value) || value.length < 3)
    throw new BadSignal('directed must be an array of id, type and capabilities, or nil')
  const [id, type, capabilities] = value
  if (id !== null && typeof id !== 'string')
    throw new BadSignal(`directed.id must be text or nil, not ${brief(id)}`)
  if (type !== null && typeof type !== 'string')
    throw new BadSignal(`directed.type must be text or nil, not ${brief(type)}`)
  if (!Array.isArray(capabilities) || !capabilities.every((name) => typeof name === 'string'))
    throw new BadSignal('directed.capabilities must be an array of text')
  return new Directed(id, type, capabilities)
}

/** A value from the network, for an error: a container by its kind, a text cut short. */
function brief(value) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : Buffer.isBuffer(value) ? 'bytes' : 'a map'
}
