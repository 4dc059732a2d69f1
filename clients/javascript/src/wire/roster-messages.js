// What a client can ask its proxy: seats, clients, open tasks, and its state. Spec: docs/spec/04-liveness.md. Pure.
//
// A query is a ROSTER with a small map, the answer a ROSTER with the same task id. Pages have at most
// 100 rows; the next query names the number of the last one, or the place that the answer told.
import { Float } from '../signals/msgpack.js'
import { isMap, packMap, readValue } from './greetings.js'
import { WireError } from './wire-error.js'

const MAX_STATE_BYTES = 256 * 1024
const ID_BYTES = 16
const MAX_PLACE_BYTES = 64

/** The body of the query for the state of the proxy. */
export const STATE_QUERY = packMap({ state: true })

/**
 * Make the body of a query for seats.
 * @param {{ name?: string, capability?: string, after?: number }} query empty for any; `after`: go on
 *   behind the row of this number
 */
export const packSeatsQuery = ({ name = '', capability = '', after = 0 }) =>
  packMap({ name, capability, after })

/** Make the body of a query for clients. @param {number} after go on behind the row of this number */
export const packClientsQuery = (after) =>
  packMap({ name: '', capability: '', after, clients: true })

/**
 * Make the body of a query for open tasks.
 * @param {Uint8Array | null} after the place that the answer before told; null at first, as an older
 *   proxy would refuse it
 */
export const packTasksQuery = (after) =>
  packMap(after === null ? { tasks: true } : { tasks: true, after })

const isCount = (value) => Number.isInteger(value) && value >= 0
const isText = (value) => typeof value === 'string'
const isTexts = (value) => Array.isArray(value) && value.every(isText)
const isId = (value) => value instanceof Uint8Array && value.length === ID_BYTES
const isIdOrNone = (value) => isId(value) || (value instanceof Uint8Array && value.length === 0)
const isPlace = (value) =>
  value instanceof Uint8Array && value.length > 0 && value.length <= MAX_PLACE_BYTES
const isFlag = (value) => typeof value === 'boolean'
const isSeconds = (value) =>
  value instanceof Float || (typeof value === 'number' && !Number.isInteger(value))
const isPeers = (value) =>
  Array.isArray(value) &&
  value.every((each) => isMap(each) && isText(each.url) && isText(each.role))
const isCounts = (value) => isMap(value) && Object.values(value).every(Number.isInteger)

const SEAT = [
  ['name', isText],
  ['capabilities', isTexts],
  ['client', isText],
  ['instance', isId],
  ['state', isText],
  ['open', isCount],
  ['facts', isMap],
  ['vitals', isMap],
  ['number', isCount],
]
const CLIENT = [
  ['name', isText],
  ['instance', isId],
  ['state', isText],
  ['seats', isCount],
  ['open', isCount],
  ['calls', isFlag],
  ['age_s', isSeconds],
  ['number', isCount],
]
const TASK = [
  ['task', isId],
  ['trace', isId],
  ['caller', isId],
  ['caller_name', isText],
  ['user', isText],
  ['address', isText],
  ['state', isText],
  ['worker', isIdOrNone],
  ['worker_name', isText],
  ['seat', isText],
  ['cancelled', isFlag],
  ['age_ms', isCount],
]
const OF_TASK_IF_KNOWN = [
  ['left_ms', isCount],
  ['bytes', isCount],
]
const STATE = [
  ['uptime_s', isSeconds],
  ['draining', isFlag],
  ['clients', isCount],
  ['away', isCount],
  ['seats', isCount],
  ['open', isCount],
  ['parked', isCount],
  ['topics', isCount],
  ['counts', isCounts],
  ['recent_s', isSeconds],
  ['recent', isCounts],
]
const TOLD = [
  ['release', isText],
  ['ts', isSeconds],
  ['role', isText],
  ['term', isCount],
  ['peers', isPeers],
]
const OLDER = { recent_s: new Float(0), recent: {} } // missing in the answer of an older proxy

/** Return a value that was read, with each Float in it as a number. */
function withNumbers(value) {
  if (value instanceof Float) return value.value
  if (Array.isArray(value)) return value.map(withNumbers)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withNumbers(each)]))
}

/** Return the fields of `shape`, each of its type; what nobody knows is left out. */
function checked(fields, shape, what) {
  const row = {}
  for (const [key, fits] of shape) {
    const value = fields[key]
    if (!fits(value)) throw new WireError('bad_body', `${what} has no valid ${key}`)
    row[key] = withNumbers(value)
  }
  return row
}

/**
 * Read one page of seats.
 * @param {Buffer} body
 * @returns {{ rows: object[], more: boolean }} each row with name, capabilities, client, instance, state,
 *   open, facts, vitals and number
 * @throws {WireError} `bad_body`.
 */
export function readSeats(body) {
  const answer = readValue(body)
  if (!Array.isArray(answer) || answer.length !== 2 || !Array.isArray(answer[0]))
    throw new WireError('bad_body', 'a page of seats is a list of rows, and whether there are more')
  const rows = answer[0].map((row) => {
    if (!Array.isArray(row) || row.length !== SEAT.length)
      throw new WireError('bad_body', `a seat is a row of ${SEAT.length} fields`)
    return checked(Object.fromEntries(SEAT.map(([key], at) => [key, row[at]])), SEAT, 'a seat')
  })
  return { rows, more: Boolean(answer[1]) }
}

/**
 * Read one page of clients; no row from a proxy that does not know this query.
 * @param {Buffer} body
 * @returns {{ rows: object[], more: boolean }} each row with name, instance, state, seats, open, calls,
 *   age_s and number
 * @throws {WireError} `bad_body`.
 */
export function readClients(body) {
  const answer = readValue(body)
  if (Array.isArray(answer)) return { rows: [], more: false } // 04, Roster 4: it cannot tell
  if (!isMap(answer) || !Array.isArray(answer.clients))
    throw new WireError('bad_body', 'a page of clients is a map')
  const rows = answer.clients.map((row) => checked(isMap(row) ? row : {}, CLIENT, 'a client'))
  return { rows, more: Boolean(answer.more) }
}

/**
 * Read one page of open tasks; null from a proxy that does not know this query.
 * @param {Buffer} body
 * @returns {{ rows: object[], after: Uint8Array | null } | null} each row with the keys of the spec; `after`
 *   is where the next query goes on, null at the end
 * @throws {WireError} `bad_body`.
 */
export function readTasks(body) {
  const answer = readValue(body)
  if (Array.isArray(answer)) return null // 04, Roster 4: it cannot tell
  if (!isMap(answer) || !Array.isArray(answer.tasks))
    throw new WireError('bad_body', 'a page of tasks is a map')
  if (typeof answer.more !== 'boolean' || (answer.more && !isPlace(answer.after)))
    throw new WireError('bad_body', 'a page of tasks does not tell where it ends')
  const rows = answer.tasks.map((row) => {
    const fields = isMap(row) ? row : {}
    const known = OF_TASK_IF_KNOWN.filter(([key]) => key in fields)
    return checked(fields, [...TASK, ...known], 'a task')
  })
  return { rows, after: answer.more ? answer.after : null }
}

/**
 * Read the state of the proxy.
 * @param {Buffer} body at most 256 KiB
 * @returns {object} the keys of the spec, `namespace` only if it is the state of one, `release` and `ts` if they are
 *   told; `recent_s` 0 and `recent` empty from an older proxy
 * @throws {WireError} `long_body` or `bad_body`.
 */
export function readState(body) {
  if (body.length > MAX_STATE_BYTES)
    throw new WireError('long_body', `${body.length} bytes where at most ${MAX_STATE_BYTES} belong`)
  const answer = readValue(body)
  if (!isMap(answer)) throw new WireError('bad_body', 'the state of a proxy is a map')
  const state = checked({ ...OLDER, ...answer }, STATE, 'the state of the proxy')
  // 11-access, What is checked, 5: a client that may not inspect sees that of its namespace alone.
  if (typeof answer.namespace === 'string') state.namespace = answer.namespace
  for (const [key, fits] of TOLD) if (fits(answer[key])) state[key] = withNumbers(answer[key])
  return state
}
