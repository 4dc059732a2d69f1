// Signals: docs/spec/07-signals.md "Envelope".
import { writer, writeFloat, writeText, writeValue, arrayHead, Reader } from './msgpack.js'
import { newEventId } from './ids.js'
import { BadSignal, NeedsAnswer, neuronErrorOf, UnencodableValue } from '../errors.js'

const NAMES =
  'TASK AGENT_OUTPUT FINAL ERROR CLARIFICATION CLARIFICATION_ANSWER PERMISSION PERMISSION_DECISION ESCALATION THOUGHT_DELTA TOOL_CALL TOOL_RESULT PLAN CRITIQUE CONSENSUS CONTEXT_SYNC MEMORY_APPEND REGISTER HEARTBEAT DEREGISTER DISCOVER TASK_OFFER BID TASK_AWARDED TASK_DECLINED STOP STOPPED'.split(
    ' ',
  )
/** @type {Record<string, string>} */
export const SignalType = Object.freeze(Object.fromEntries(NAMES.map((name) => [name, name])))
export const CODE = Object.fromEntries(NAMES.map((name, i) => [name, i + 1]))
export const TYPE = [null, ...NAMES]
const QUESTIONS = new Set(['CLARIFICATION', 'PERMISSION', 'ESCALATION'])
const NO_CAPABILITIES = Object.freeze([])

export class Directed {
  constructor(id = null, type = null, capabilities = NO_CAPABILITIES) {
    this.id = id
    this.type = type
    this.capabilities = capabilities
  }
}

export class Signal {
  constructor({
    type,
    traceId,
    parentId = null,
    directed = null,
    payload = {},
    meta = {},
    id = newEventId(),
    ts = Date.now() / 1000,
  }) {
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
  /** The output of the Neuron, or the error that stands for it. */
  get output() {
    if (this.type === 'ERROR') throw neuronErrorOf(this.payload)
    if (QUESTIONS.has(this.type)) throw new NeedsAnswer(this)
    return this.type === 'FINAL' ? this.payload.result : this.payload.output
  }
  reply(type, payload = {}, { directed = null, meta = {} } = {}) {
    return new Signal({ type, traceId: this.traceId, parentId: this.id, directed, payload, meta })
  }
  encode() {
    const w = writer
    w.at = 0
    arrayHead(w, 9)
    writeText(w, '1', 'v')
    writeText(w, this.id, 'id')
    writeText(w, this.traceId, 'trace_id')
    if (this.parentId === null) w.byte(0xc0)
    else writeText(w, this.parentId, 'parent_id')
    w.byte(CODE[this.type])
    const d = this.directed
    if (d === null) w.byte(0xc0)
    else {
      arrayHead(w, 3)
      writeValue(w, d.id, 'directed.id', 0)
      writeValue(w, d.type, 'directed.type', 0)
      writeValue(w, d.capabilities, 'directed.capabilities', 0)
    }
    writeFloat(w, this.ts)
    map(w, this.payload, 'payload')
    map(w, this.meta, 'meta')
    return w.taken()
  }
  static decode(bytes, { keepFloats = false } = {}) {
    const r = new Reader(bytes)
    if (keepFloats) r.keepFloats = true
    let fields
    let tsIsFloat = false
    try {
      const c = bytes[r.need(1)]
      const n = (c & 0xf0) === 0x90 ? c & 15 : c === 0xdc ? bytes.readUInt16BE(r.need(2)) : -1
      if (n < 9) throw new BadSignal('a Signal is an array of nine fields')
      fields = new Array(n)
      for (let i = 0; i < n; i++) {
        if (i === 6) tsIsFloat = r.isFloat()
        fields[i] = r.value(i < 7 ? 1 : 0)
      }
      if (r.at !== bytes.length) throw new Error('bytes behind the end')
    } catch (error) {
      throw error instanceof BadSignal
        ? error
        : new BadSignal(`no Signal: ${error.message}`, { cause: error })
    }
    const [v, id, traceId, parentId, code, directed, ts, payload, meta] = fields
    if (v !== '1') throw new BadSignal(`v is ${JSON.stringify(v)}`)
    if (typeof id !== 'string' || id.length !== 30)
      throw new BadSignal('id must be a text of 30 characters')
    if (typeof traceId !== 'string' || traceId.length !== 30)
      throw new BadSignal('trace_id must be a text of 30 characters')
    if (parentId !== null && (typeof parentId !== 'string' || parentId.length !== 30))
      throw new BadSignal('parent_id must be a text of 30 characters, or nil')
    if (typeof code !== 'number' || !TYPE[code])
      throw new BadSignal(`type ${JSON.stringify(code)} is unknown`)
    if (!tsIsFloat) throw new BadSignal('ts must be a float')
    if (!isMap(payload) || !isMap(meta)) throw new BadSignal('payload and meta must be maps')
    return new Signal({
      id,
      traceId,
      parentId,
      type: TYPE[code],
      directed: readDirected(directed),
      ts: Number(ts),
      payload,
      meta,
    })
  }
}
function map(w, value, path) {
  if (!isMap(value) || value instanceof Map) throw new UnencodableValue(path, 'what is no map')
  writeValue(w, value, path, 0)
}
const isMap = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array)
function readDirected(value) {
  if (value === null) return null
  if (!Array.isArray(value) || value.length < 3)
    throw new BadSignal('directed must be an array of three, or nil')
  const [id, type, capabilities] = value
  if (id !== null && typeof id !== 'string')
    throw new BadSignal('directed.id must be a text, or nil')
  if (type !== null && typeof type !== 'string')
    throw new BadSignal('directed.type must be a text, or nil')
  if (!Array.isArray(capabilities) || capabilities.some((name) => typeof name !== 'string'))
    throw new BadSignal('directed.capabilities must be an array of texts')
  return new Directed(id, type, capabilities)
}
