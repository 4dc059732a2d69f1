// An outcome as a response of node:http, and what only the service may see of it into its log.
import { inspect } from 'node:util'
import { answerOf, leavesOf } from './outcomes.js'
import { parserOutcome } from './requests.js'
import { toJson } from './json.js'
import { CosmonapseError } from '../errors.js'

/**
 * Where the details of a failure go: `console`, a logger of pino or winston, or null for silence.
 *
 * @typedef {{ error: (text: string, error?: unknown) => void } | null} Logger
 */

/** @type {Logger} */
const STDERR = {
  error(text, ...more) {
    console.error(text, ...more) // eslint-disable-line no-console -- as Express does with its errors
  },
}

/**
 * Send the response for a reply, an output or an error, by the table of docs/edge.md.
 *
 * It does nothing when the client is gone. It ends the connection when a response had begun, because
 * nothing else can say then that it failed. An error of express.json() becomes 400 or 413.
 *
 * @param {import('node:http').ServerResponse} res Of Express or of node:http.
 * @param {unknown} outcome The Signal that settled a task, an output, or what was thrown.
 * @param {{ logger?: Logger }} [options] `logger`: by default stderr.
 */
export function respond(res, outcome, { logger = STDERR } = {}) {
  const answer = answerOf(parserOutcome(outcome) ?? outcome)
  if (answer.log !== 'no') logger?.error(...entryOf(answer, outcome))
  if (res.destroyed || res.writableEnded) return
  if (res.headersSent) res.destroy()
  else send(res, answer)
}

/** Return what was thrown as an Error: it may be any value, and `next` gives some a meaning. */
export const asError = (thrown) =>
  thrown instanceof Error ? thrown : new Error(`thrown: ${inspect(thrown)}`, { cause: thrown })

function send(res, { status, body, headers }) {
  const content = Buffer.from(toJson(body))
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': content.length,
    ...headers,
  })
  res.end(content) // node:http leaves it out for HEAD
}

/** Return a line for the log, and the error too where its stack belongs to it. */
function entryOf(answer, outcome) {
  const told = leavesOf(outcome).map((leaf) =>
    leaf instanceof CosmonapseError ? leaf.message : String(leaf),
  )
  const text = `a task could not be served: ${told.join('; ')}`
  return answer.log === 'line' ? [text] : [text, outcome]
}
