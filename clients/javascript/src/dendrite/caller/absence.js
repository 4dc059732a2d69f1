// What a caller knows of an absence of the Synapse, for the outcome of a late task. Pure.
import { SynapseAway, awayText } from '../../errors.js'

/** How a transport begins to say that the Synapse is there, and does not let it in. */
const REFUSED = 'refused: '

/** Since when the Synapse is away, and which TASKs wait for it. */
export class Absence {
  #url
  #sinceMs = null
  #refusal = ''
  #unsent = new Set()

  /** @param {string} url The URL of the Synapse. */
  constructor(url) {
    this.#url = url
  }

  /** Record that the connection is lost, or why it does not come back. */
  begin(nowMs, why = '') {
    this.#sinceMs ??= nowMs // it may be refused while it is away
    this.#refusal = why.startsWith(REFUSED) ? ` (${why})` : ''
  }

  /**
   * Record that the Synapse is there: the TASKs that wait for it leave now.
   *
   * @returns {number | null} How long it was away, in milliseconds; null if it was not.
   */
  end(nowMs) {
    const awayMs = this.#sinceMs === null ? null : nowMs - this.#sinceMs
    this.#sinceMs = null
    this.#refusal = ''
    this.#unsent.clear()
    return awayMs
  }

  /** Record a TASK that was sent and could not leave. */
  wait(opened) {
    if (this.#sinceMs !== null) this.#unsent.add(opened.key)
  }

  /** Forget a TASK that has ended. */
  forget(opened) {
    if (this.#unsent.size > 0) this.#unsent.delete(opened.key)
  }

  /**
   * Return code and reason for a task that is late; null while the Synapse is there.
   *
   * @returns {[code: string, why: string] | null}
   */
  judge(opened, nowMs) {
    if (this.#sinceMs === null) return null
    const why = awayText(this.#url, nowMs - this.#sinceMs) + this.#refusal
    if (this.#unsent.delete(opened.key)) return ['SYNAPSE_AWAY', why]
    return ['EXPIRED', `${why}; the TASK had left before, so it may have run`]
  }

  /** Return the error for the caller of a task that never left. */
  error(opened, nowMs) {
    const task = `the TASK for ${opened.target} on trace ${opened.signal.traceId}`
    return new SynapseAway(this.#url, nowMs - (this.#sinceMs ?? nowMs), task, this.#refusal)
  }
}
