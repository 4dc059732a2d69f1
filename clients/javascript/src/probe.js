// Ask whether a Synapse of our version answers. Spec: docs/spec/02-session.md, Greeting.
import { AccessRefused, SynapseRefused, SynapseUnreachable, shown } from './errors.js'
import { whenAborted } from './runtime/aborts.js'
import { atMostLongest } from './runtime/deadline-timer.js'
import { unpack } from './signals/msgpack.js'
import { VERB, VERSION, parseMessage } from './wire/heads.js'

const NOTE_MS = 10_000
const CLOSED = 'the Synapse object was closed meanwhile'

/**
 * Resolve when a Synapse of our version answers.
 *
 * @param {object} carrier A carrier that is not open yet; it is closed in the end.
 * @param {string} url The URL of the Synapse, for the texts.
 * @param {number | null} timeoutMs Maximum wait; null waits for ever, and warns every 10 s of what was seen.
 * @param {{ warn: (text: string) => void }} logger Gets these warnings.
 * @param {AbortSignal} closed Ends the wait.
 * @throws {SynapseUnreachable} No answer in time; the text names the cause and the remedy.
 * @throws {AccessRefused} It needs a key, or lets this one not in.
 * @throws {SynapseRefused} A Synapse of another version answered, or another program that speaks ZeroMQ.
 */
export async function probe(carrier, url, timeoutMs, logger, closed) {
  let timer
  let unlink = () => {}
  try {
    const [head, body] = await new Promise((resolve, reject) => {
      timer =
        timeoutMs === null
          ? noteWait(carrier, url, logger)
          : failLater(carrier, url, timeoutMs, reject)
      unlink = whenAborted(closed, () =>
        reject(new SynapseUnreachable(url, CLOSED, 'call connect again')),
      )
      carrier.open({
        onMessage: (...frames) => resolve(frames),
        onWritable() {},
        onRefused: ({ reason, fix }) => reject(new AccessRefused(url, reason, fix)),
        onDisconnected() {},
        onDropped() {},
      })
    })
    const refusal = refusalOf(head, body)
    if (refusal) throw new SynapseRefused(url, refusal)
  } finally {
    clearInterval(timer)
    unlink()
    carrier.close()
  }
}

function failLater(carrier, url, timeoutMs, reject) {
  return setTimeout(() => {
    const { reason, hint } = carrier.diagnosis()
    reject(new SynapseUnreachable(url, reason, hint))
  }, atMostLongest(timeoutMs))
}

function noteWait(carrier, url, logger) {
  let waitedS = 0
  return setInterval(() => {
    waitedS += NOTE_MS / 1000
    logger.warn(`no Synapse at ${url} for ${waitedS} s: ${carrier.diagnosis()}; still waiting`)
  }, NOTE_MS)
}

/** Return why this WHO is none of our version; empty for a good one. */
function refusalOf(head, body) {
  const message = parseMessage(head, body)
  if (typeof message === 'string' || message.items[0].verb !== VERB.WHO) {
    return 'it answers, but not as a Synapse of our version does'
  }
  const speaks = versionsIn(message.items[0].body)
  const isOurs =
    Array.isArray(speaks) && isAtMost(speaks[0], VERSION) && isAtMost(VERSION, speaks[1])
  if (isOurs) return ''
  return (
    `it speaks versions ${shown(speaks)}, we speak ${VERSION}: ` +
    'install the same release at both ends'
  )
}

/** Compare two numbers; anything else that a stranger sends is none of ours. */
function isAtMost(low, high) {
  return typeof low === 'number' && typeof high === 'number' && low <= high
}

function versionsIn(body) {
  try {
    return unpack(body).speaks ?? null
  } catch {
    return null
  }
}
