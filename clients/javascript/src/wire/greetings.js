// The small maps that the transport reads itself: greetings and facts. Spec: docs/spec/02-session.md, "Maps". Pure.
import { shown } from '../errors.js'
import { instanceOf } from '../signals/blake2b.js'
import { pack, unpack } from '../signals/msgpack.js'
import { isPlain } from '../signals/values.js'
import { isName } from './addresses.js'
import { NO_BODY } from './heads.js'
import { WireError } from './wire-error.js'

/** Limit of a map, in bytes. */
export const MAX_MAP_BYTES = 8192
const MAX_KEYS = 64
const MAX_LIST = 256
const MAX_TEXT_BYTES = 4096
const ID_BYTES = 16
const MAX_PORT = 65_535
const MAX_USER_BYTES = 128
const MAX_FABRIC = 16

/**
 * Make a small map: text keys, without extension types.
 * @param {object} fields
 * @returns {Buffer}
 */
export const packMap = (fields) => pack(fields)

/**
 * Read a small map. Unknown keys are accepted.
 * @param {Buffer} body at most 8,192 bytes, 64 keys, lists of 256, texts of 4,096 bytes
 * @returns {object}
 * @throws {WireError} `long_body` or `bad_body`.
 */
export function readMap(body) {
  if (body.length > MAX_MAP_BYTES)
    throw new WireError('long_body', `${body.length} bytes where at most ${MAX_MAP_BYTES} belong`)
  const fields = readValue(body)
  if (!isMap(fields)) throw new WireError('bad_body', `a map belongs here, not ${shown(fields)}`)
  if (!isWithinLimits(fields)) throw new WireError('bad_body', 'a map over the limits')
  return fields
}

/**
 * Read any value of msgpack; a whole float is a Float.
 * @param {Buffer} body
 * @throws {WireError} `bad_body`.
 */
export function readValue(body) {
  try {
    return unpack(body, { keepFloats: true }) // 2.0 is no count
  } catch (error) {
    throw new WireError('bad_body', `not msgpack: ${error.message}`)
  }
}

/** Tell whether a value that was read is a map. @param {unknown} value */
export const isMap = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value)

function isWithinLimits(value) {
  if (typeof value === 'string') return Buffer.byteLength(value) <= MAX_TEXT_BYTES
  if (value instanceof Uint8Array) return value.length <= MAX_TEXT_BYTES
  if (Array.isArray(value)) return value.length <= MAX_LIST && value.every(isWithinLimits)
  if (!isMap(value)) return true
  const keys = Object.keys(value)
  return keys.length <= MAX_KEYS && keys.every((key) => isWithinLimits(value[key]))
}

/**
 * Make the body of a HELLO.
 * @param {{ secret: Buffer, instance: Buffer, namespace: string, name: string, epoch: Buffer,
 *   calls: boolean, publish?: boolean, runs?: boolean, access?: boolean, alone?: boolean }} hello `epoch` of the last
 *   proxy, or empty; `calls`: tell it of workers; `publish`: it takes PUBLISH; `runs`: it reads runs; `access`: it takes
 *   USERS, and knows the reason `forbidden`; `alone`: each proxy that it knows was tried, and none leads
 * @returns {Buffer}
 */
export function packHello(hello) {
  const { secret, instance, namespace, name, epoch, calls } = hello
  const fields = { secret, instance, namespace, name, epoch }
  if (calls) fields.calls = true // as the first version of this map, while it does not matter
  for (const key of ['publish', 'runs', 'access', 'alone'])
    if (hello[key] === true) fields[key] = true
  return packMap(fields)
}

/**
 * Read the body of a HELLO; the twin of packHello, for a proxy in a test.
 * @param {Buffer} body
 * @throws {WireError} A field is missing or wrong; the text names it.
 */
export function readHello(body) {
  const fields = readMap(body)
  for (const key of ['namespace', 'name'])
    if (!isName(fields[key]))
      throw new WireError('bad_field', `${key} must be a name, not ${shown(fields[key])}`)
  const secret = bytes16(fields, 'secret')
  const instance = bytes16(fields, 'instance')
  // Of a user with a key the last four bytes name it: docs/spec/11-access.md.
  if (!instanceOf(secret).subarray(0, 12).equals(instance.subarray(0, 12)))
    throw new WireError('bad_secret', 'secret does not belong to that instance id')
  return {
    secret,
    instance,
    namespace: fields.namespace,
    name: fields.name,
    epoch: fields.epoch === undefined || isEmpty(fields.epoch) ? NO_BODY : bytes16(fields, 'epoch'),
    calls: fields.calls === true,
    publish: fields.publish === true,
    runs: fields.runs === true,
    access: fields.access === true,
    alone: fields.alone === true,
  }
}

/**
 * Read the body of a WELCOME.
 * @param {Buffer} body
 * @returns {{ epoch: Buffer, listenPort: number, publishPort: number, heartbeatMs: number,
 *   maxBodyBytes: number, publish: boolean, older: boolean, runs: boolean, user: string,
 *   may: string[] | null, half: boolean, others: boolean }} `publish`: the proxy
 *   takes PUBLISH; `older`: a client that does not is in the namespace; `runs`: it passes runs on; `user`: the name of
 *   our key, empty without; `may`: what it may do, null for everything; `half`: there may be another leader;
 *   `others`: the proxy was told of others
 * @throws {WireError} A field is missing or wrong; the text names it.
 */
export function readWelcome(body) {
  const fields = readMap(body)
  return {
    epoch: bytes16(fields, 'epoch'),
    listenPort: port(fields, 'listen_port'),
    publishPort: port(fields, 'publish_port'),
    heartbeatMs: count(fields, 'heartbeat_ms'),
    maxBodyBytes: count(fields, 'max_body_bytes'),
    publish: fields.publish === true,
    older: fields.older === true,
    runs: fields.runs === true,
    user: typeof fields.user === 'string' ? fields.user : '',
    may: isTexts(fields.may) ? fields.may : null,
    half: fields.half === true,
    others: fields.others === true,
  }
}

/**
 * Read the body of a REFUSED.
 * @param {Buffer} body
 * @returns {{ reason: string, fix: string, isAccess: boolean, isStandby: boolean, fabric: string[] }} texts for
 *   display; `isAccess`: a right or a key is missing; `isStandby`: the proxy does not lead, and `fabric` has the URLs of
 *   at most 16 others
 * @throws {WireError} It is no map.
 */
export function readRefusal(body) {
  const { reason = 'no reason given', fix = '', code, fabric } = readMap(body)
  const text = (value) => (typeof value === 'string' ? value : shown(value))
  const isStandby = code === 'standby'
  const others = isStandby && Array.isArray(fabric) ? fabric : []
  return {
    reason: text(reason),
    fix: text(fix),
    isAccess: code === 'access',
    isStandby,
    fabric: others.filter((each) => typeof each === 'string').slice(0, MAX_FABRIC),
  }
}

/**
 * Read a page of USERS: the names of those that may be in the namespace.
 * @param {Buffer} body
 * @returns {string[]}
 * @throws {WireError} It is no list of texts, or over 8,192 bytes.
 */
export function readUsers(body) {
  if (body.length > MAX_MAP_BYTES)
    throw new WireError('long_body', `${body.length} bytes where at most ${MAX_MAP_BYTES} belong`)
  const names = readValue(body)
  if (isTexts(names)) return names.filter((each) => Buffer.byteLength(each) <= MAX_USER_BYTES)
  throw new WireError('bad_body', `a list of names belongs here, not ${shown(names)}`)
}

const isTexts = (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')

const isEmpty = (value) => value instanceof Uint8Array && value.length === 0

function bytes16(fields, key) {
  const value = fields[key]
  // A copy: what came is a view of all that one read of the socket brought.
  if (value instanceof Uint8Array && value.length === ID_BYTES) return Buffer.from(value)
  throw new WireError('bad_field', `${key} must be 16 bytes of type bin, not ${shown(value)}`)
}

function port(fields, key) {
  const value = count(fields, key)
  if (value <= MAX_PORT) return value
  throw new WireError('bad_field', `${key} must be at most ${MAX_PORT}, not ${value}`)
}

function count(fields, key) {
  const value = fields[key]
  const isCount =
    (typeof value === 'bigint' && value < 2n ** 63n && value >= 0n) ||
    (Number.isInteger(value) && value >= 0)
  if (isCount) return Number(value)
  throw new WireError('bad_field', `${key} must be a count, not ${shown(value)}`)
}
