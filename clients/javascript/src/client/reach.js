// What a client says while its Synapse is out of reach: the errors, and the notes of a long wait.
import { AccessRefused, SynapseRefused, SynapseUnreachable } from '../errors.js'

const NOTE_MS = 10_000 // how often one who waits without a limit says so
const BUSY_HINT = 'the Synapse or this machine is busy: allow more time with timeoutMs'

/** Names what the carrier saw on the way to one Synapse. */
export class Reach {
  #carrier
  #url
  #log

  /** @param {object} carrier @param {string} url @param {(text: string) => void} log gets the notes */
  constructor(carrier, url, log) {
    this.#carrier = carrier
    this.#url = url
    this.#log = log
  }

  /** Return an error: for a reason, or for what the carrier has seen. @param {string} [reason] */
  error(reason) {
    if (reason !== undefined) return new SynapseUnreachable(this.#url, reason, BUSY_HINT)
    const seen = this.#diagnosis()
    return new SynapseUnreachable(this.#url, seen.reason, seen.hint)
  }

  /** Return the error for a refusal. @param {{ reason: string, fix: string, isAccess: boolean }} refusal */
  refused({ reason, fix, isAccess }) {
    if (isAccess) return new AccessRefused(this.#url, reason, fix)
    return new SynapseRefused(this.#url, reason + wayIn(reason))
  }

  /** Log every 10 s what was seen; return how to end that. */
  noteWaiting() {
    const sinceMs = performance.now()
    const timer = setInterval(() => {
      const { reason, hint } = this.#diagnosis()
      const waitedS = Math.round((performance.now() - sinceMs) / 1000)
      this.#log(`no Synapse at ${this.#url} for ${waitedS} s: ${reason}; ${hint}; still waiting`)
    }, NOTE_MS)
    return () => clearInterval(timer)
  }

  #diagnosis() {
    const seen = this.#carrier.diagnosis()
    return { reason: seen.reason ?? String(seen), hint: seen.hint ?? BUSY_HINT }
  }
}

/** How to name another namespace, behind a refusal for the namespace. */
const wayIn = (reason) =>
  reason.startsWith('namespace ')
    ? "; name one of them: new Dendrite({ namespace: 'NAME' }) in code"
    : ''
