// What a client saw on the way to its Synapse, and what to do about it, for the text of an error. Pure.
import { quoted } from '../runtime/shell.js'

/** The kinds of trouble, for a program. */
export const Cause = Object.freeze({
  /** The name does not resolve. */
  NAME: 'NAME',
  /** The connection was refused: no process listens there. */
  NOBODY: 'NOBODY',
  /** No connection came about: the host is off, or a firewall drops it. */
  NO_ANSWER: 'NO_ANSWER',
  /** This user may not write to the Unix socket. */
  BARRED: 'BARRED',
  /** Another program or another kind of socket answers. */
  STRANGER: 'STRANGER',
  /** Connected, but an answer did not come in time. */
  SLOW: 'SLOW',
  /** It refuses this client, for its key or for the want of one. */
  REFUSED: 'REFUSED',
  /** The directed port answers, but a broadcast port does not. */
  BROADCAST: 'BROADCAST',
})

/**
 * How one attempt to connect failed: refused at once, no connection in time, no handshake, or one that needs a key.
 */
export const Fault = Object.freeze({
  CLOSED_PORT: 'CLOSED_PORT',
  NO_ANSWER: 'NO_ANSWER',
  STRANGER: 'STRANGER',
  KEYED: 'KEYED',
})

/** What was seen at the far end (`reason`), its `cause`, and what to do now (`hint`). As a text: both. */
export class Diagnosis {
  /**
   * @param {string} cause One of `Cause`.
   * @param {string} reason For people.
   * @param {object} endpoint Where the Synapse was expected.
   * @param {string} [hint] What to do now, where the cause does not say it.
   */
  constructor(cause, reason, endpoint, hint = remedy(cause, endpoint)) {
    this.cause = cause
    this.reason = reason
    this.hint = hint
    Object.freeze(this)
  }

  toString() {
    return `${this.reason}; ${this.hint}`
  }
}

/** The failed attempts of one connection since it last stood. */
export class FailedAttempts {
  #faults = new Map()
  #attempts = 0
  /** What answered in place of a proxy, for people; empty if nothing did. */
  stranger = ''

  get isEmpty() {
    return this.#faults.size === 0
  }

  get hasStranger() {
    return [...this.#faults.values()].includes(Fault.STRANGER)
  }

  /**
   * Record a failed attempt.
   * @param {object} address Where.
   * @param {string} fault One of `Fault`.
   * @param {string} [seen] The stranger there, as far as it is known.
   */
  add(address, fault, seen = '') {
    const where = String(address)
    this.#faults.delete(where)
    this.#faults.set(where, fault)
    this.#attempts++
    if (seen) this.stranger = seen
  }

  /** Forget everything: the connection stands. */
  clear() {
    this.#faults.clear()
    this.#attempts = 0
    this.stranger = ''
  }

  /** Return `[cause, reason]`; the address that came nearest to a proxy gives the cause. */
  summary() {
    if (this.isEmpty) return [Cause.NO_ANSWER, 'no connection came about yet']
    if (this.hasStranger) {
      const what = this.stranger || 'something that does not speak our protocol (or hangs)'
      return [Cause.STRANGER, `${what} answers at ${this.#listed(Fault.STRANGER)}, not a proxy`]
    }
    const silent = this.#listed(Fault.NO_ANSWER)
    const closed = this.#listed(Fault.CLOSED_PORT)
    const tries = this.#attempts === 1 ? '(1 try)' : `(${this.#attempts} tries)`
    if (!closed) return [Cause.NO_ANSWER, `${silent} does not accept a connection ${tries}`]
    const also = silent && `, and ${silent} does not accept a connection`
    return [Cause.NOBODY, `no process listens at ${closed}${also} ${tries}`]
  }

  #listed(wanted) {
    const found = [...this.#faults].filter(([, fault]) => fault === wanted)
    return found.map(([address]) => address).join(' and ')
  }
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']

/** Return what to do about a cause. */
function remedy(cause, endpoint) {
  return endpoint.path === undefined
    ? remedyOnNetwork(cause, endpoint)
    : remedyAtPath(cause, endpoint.path)
}

function remedyOnNetwork(cause, { host, port }) {
  const places = `the ports ${port}, ${port + 2} and ${port + 3} of ${host}`
  switch (cause) {
    case Cause.NAME:
      return (
        `check the name ${host} in the URL, and the name server of this machine; ` +
        `a Synapse there has ${places}`
      )
    case Cause.NO_ANSWER:
      return `check that ${host} is on, and that its firewall lets ${places} through`
    case Cause.STRANGER:
      return (
        "check the URL against the one that 'cosmo synapse start' prints: a Synapse there has " +
        `${places}, and the URL names the first`
      )
    case Cause.BROADCAST:
      return `open all of ${places}, in the firewall and in the container`
    case Cause.SLOW:
      return (
        `the Synapse or this machine is busy, or another program has ${places}: ` +
        'allow more time with timeoutMs'
      )
    default: {
      const isHere = LOOPBACK.includes(host)
      const where = isHere ? 'run' : `on ${host} run`
      const keys = isHere ? '' : ' --keys' // which a Synapse needs beyond loopback
      const option = LOOPBACK.slice(0, 2).includes(host) ? '' : `${keys} --host ${host}`
      return (
        `${where} 'cosmo synapse start${option} --port ${port}', or check the URL; ` +
        `a Synapse there has ${places}`
      )
    }
  }
}

function remedyAtPath(cause, path) {
  if (cause === Cause.SLOW) {
    return 'the Synapse or this machine is busy: allow more time with timeoutMs'
  }
  return `on this machine run 'cosmo synapse start --ipc ${quoted(path)}', or check the URL`
}
