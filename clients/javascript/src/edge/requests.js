// Requests of an HTTP client: is it a JSON object, and what express.json() found wrong with it. Pure.
// Page: docs/edge.md "Responses to a client", the rows of 400 and 413.
import { BadRequest, BodyTooLarge } from './outcomes.js'

const JSON_TYPE = 'application/json'
const NOT_JSON = 'the body of the request is not valid JSON'
const EMPTY = 'the body of the request is empty: send a JSON object'
const SEND_JSON = `send JSON, with the header 'Content-Type: ${JSON_TYPE}'`

/**
 * Return the JSON object of a request. `express.json()` must have read it.
 *
 * Another content type than JSON is refused, because a page of another origin may make a browser
 * send everything else.
 *
 * @param {object} req The request of Express, or any one with `headers` and the parsed `body`.
 * @param {...string} required Keys that must be there, with a value other than null and "".
 * @returns {Record<string, any>}
 * @throws {BadRequest} It is not a JSON object, or lacks a key; it becomes status 400.
 * @throws {Error} Nothing has read the body: the app lacks `app.use(express.json())`.
 */
export function jsonBody(req, ...required) {
  if (!isJsonType(req.headers['content-type'])) throw new BadRequest(SEND_JSON)
  if (!hasBody(req.headers)) throw new BadRequest(EMPTY)
  return jsonObject(bodyOf(req), required)
}

function bodyOf(req) {
  if (req.body !== undefined) return req.body
  throw new Error(
    'jsonBody found no parsed body: put app.use(express.json()) before the routes (with ' +
      "{ type: ['json', '+json'] } for more than application/json)",
  )
}

function isJsonType(contentType = '') {
  const kind = contentType.split(';', 1)[0].trim().toLowerCase()
  return kind === JSON_TYPE || kind.endsWith('+json')
}

const hasBody = (headers) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function jsonObject(value, required) {
  const kind = kindOf(value)
  if (kind !== 'an object') throw new BadRequest(`the body must be a JSON object, not ${kind}`)
  const missing = required.filter((key) => [undefined, null, ''].includes(value[key]))
  if (missing.length > 0) throw new BadRequest(`the JSON object lacks ${missing.join(', ')}`)
  return value
}

function kindOf(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return (
    { object: 'an object', string: 'a string', boolean: 'true or false' }[typeof value] ??
    'a number'
  )
}

// What a parser of bodies calls its errors: https://www.npmjs.com/package/body-parser "Errors".
const OF_TYPE = {
  'charset.unsupported': () => new BadRequest('send JSON in UTF-8'),
  'encoding.unsupported': (error) =>
    new BadRequest(`this service cannot read the content encoding '${error.encoding}'`),
  'entity.parse.failed': (error) => whyNotParsed(error.body),
  'entity.too.large': (error) => new BodyTooLarge(error.limit, error.length),
  'entity.verify.failed': () => new BadRequest('the body of the request is not accepted'),
  'request.aborted': () => new BadRequest('the body of the request ended early'),
  'request.size.invalid': () =>
    new BadRequest('the body of the request is not as long as its header Content-Length says'),
}

/**
 * Return the outcome that stands for an error of express.json(), or null for any other value.
 *
 * @param {unknown} error What was passed to `next`.
 * @returns {BadRequest | null}
 */
export function parserOutcome(error) {
  if (!(error instanceof Error) || !Object.hasOwn(OF_TYPE, error.type ?? '')) return null
  return OF_TYPE[error.type](error)
}

/** The parser accepts objects and arrays only, and calls everything else a syntax error. */
function whyNotParsed(body) {
  if (body.trim() === '') return new BadRequest(EMPTY)
  try {
    jsonObject(JSON.parse(body), [])
  } catch (error) {
    if (error instanceof BadRequest) return error
    return new BadRequest(`${NOT_JSON}: ${whyNoJson(error.message, body)}`)
  }
  return new BadRequest(NOT_JSON)
}

/** Return what V8 says of a text, with the place as people count it, and without what the text holds. */
function whyNoJson(message, body) {
  if (message.startsWith('Unexpected end')) return 'it ends early'
  const [, reason, position] = /^([^"]+) (?:in|after) JSON at position (\d+)/.exec(message) ?? []
  if (reason === undefined) return 'it has a character that JSON does not have there'
  const lines = body.slice(0, Number(position)).split('\n')
  return `${reason}, at line ${lines.length}, column ${lines.at(-1).length + 1}`
}
