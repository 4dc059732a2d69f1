// What a client saw on the way to its Synapse, and what to do about it, for the text of an error. Pure.
import { quoted } from '../runtime/shell.js'
import { hostInUrl, placesOf } from './endpoints.js'

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
  /** A proxy that stands by answers, and none that leads. */
  STANDBY: 'STANDBY',
  /** It refuses this client, for its key or for the want of one. */
  REFUSED: 'REFUSED',
  /** The directed port answers, but a broadcast port does not. */
  BROADCAST: 'BROADCAST',
})

/**
 * How one attempt to connect failed: refused at once, no connection in time, no handshake, one that needs a key, or a
 * proxy that stands by and lets nobody in.
 */
export const Fault = Object.freeze({
  CLOSED_PORT: 'CLOSED_PORT',
  NO_ANSWER: 'NO_ANSWER',
  STRANGER: 'STRANGER',
  KEYED: 'KEYED',
  STANDBY: 'STANDBY',
})

/** What was seen at the far end (`reason`), its `cause`, and what to do now (`hint`). As a text: both. */
export class Diagnosis {
  /**
   * @param {string} cause One of `Cause`.
   * @param {string} reason For people.
   * @param {object} target Where the Synapse was expected: one place, or several.
   * @param {string} [hint] What to do now, where the cause does not say it.
   */
  constructor(cause, reason, target, hint = remedy(cause, target)) {
    this.cause = cause
    this.reason = reason
    this.hint = hint
    Object.freeze(this)
  }

  toString() {
    return `${this.reason}; ${this.hint}`
  }
}

/** So many URLs that standbys name are in a text. */
const MAX_LEADERS = 16

/** The failed attempts of one connection since it last stood, or since a proxy last let this client in. */
export class FailedAttempts {
  #faults = new Map()
  #attempts = 0
  #leaders = []
  /** What answered in place of a proxy, for people; empty if nothing did. */
  stranger = ''

  get isEmpty() {
    return this.#faults.size === 0
  }

  get hasStandby() {
    return [...this.#faults.values()].includes(Fault.STANDBY)
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

  /**
   * Record a proxy that stands by.
   * @param {object} address Where.
   * @param {string[]} leaders The URLs of the others of its fabric, for people.
   */
  addStandby(address, leaders) {
    this.add(address, Fault.STANDBY)
    this.#leaders = [...new Set([...leaders, ...this.#leaders])].slice(0, MAX_LEADERS)
  }

  /** Forget the fault of an address: it is connected. That it stands by is true until it says otherwise. */
  forget(address) {
    const where = String(address)
    if (this.#faults.get(where) !== Fault.STANDBY) this.#faults.delete(where)
  }

  /** Forget everything: the connection stands. */
  clear() {
    this.#faults.clear()
    this.#attempts = 0
    this.#leaders = []
    this.stranger = ''
  }

  /**
   * Return `[cause, reason]`; the address that came nearest to a proxy gives the cause.
   * @param {string[]} [unresolved] The names without an address, beside those that have one.
   */
  summary(unresolved = []) {
    const [cause, reason] = this.#found()
    return [cause, unresolved.length === 0 ? reason : `${reason}, and ${nameless(unresolved)}`]
  }

  #found() {
    if (this.isEmpty) return [Cause.NO_ANSWER, 'no connection came about yet']
    const standbys = this.#listed(Fault.STANDBY)
    if (standbys === '') return this.#withoutStandbys()
    const others =
      this.#leaders.length === 0
        ? ''
        : `, the others of its fabric are ${this.#leaders.join(' and ')}`
    const isAll = [...this.#faults.values()].every((fault) => fault === Fault.STANDBY)
    const more = isAll ? '' : `; ${this.#withoutStandbys()[1]}`
    const does = standbys.includes(' and ') ? 'stand by and let' : 'stands by and lets'
    return [Cause.STANDBY, `${standbys} ${does} nobody in${others}${more}`]
  }

  #withoutStandbys() {
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

/** Say that names do not resolve. @param {string[]} names At least one. */
export const nameless = (names) =>
  names.length === 1
    ? `the name ${names[0]} does not resolve`
    : `the names ${names.join(' and ')} do not resolve`

const LOOPBACK = ['127.0.0.1', 'localhost', '::1']

/** Return what to do about a cause. */
function remedy(cause, target) {
  if (target.path !== undefined) return remedyAtPath(cause, target.path)
  return remedyOnNetwork(cause, placesOf(target))
}

/** @param {object[]} places Of the first one a Synapse is started, where there is none. */
function remedyOnNetwork(cause, places) {
  const [{ host, port }, ...others] = places
  const isList = others.length > 0
  const hosts = [...new Set(places.map((each) => each.host))].join(' or ')
  const ports = isList
    ? 'the port in the URL, and those 2 and 3 above it'
    : `the ports ${port}, ${port + 2} and ${port + 3} of ${host}`
  switch (cause) {
    case Cause.NAME:
      return (
        `check the name ${hosts} in the URL, and the name server of this machine; ` +
        `a Synapse there has ${ports}`
      )
    case Cause.NO_ANSWER:
      return `check that ${hosts} is on, and that its firewall lets ${ports} through`
    case Cause.STRANGER:
      return (
        "check the URL against the one that 'cosmo synapse start' prints: a Synapse there has " +
        `${ports}, and the URL names the first`
      )
    case Cause.STANDBY:
      return STANDBY_REMEDY
    case Cause.BROADCAST:
      return `open all of ${ports}, in the firewall and in the container`
    case Cause.SLOW:
      return (
        `the Synapse or this machine is busy, or another program has ${ports}: ` +
        'allow more time with timeoutMs'
      )
    default:
      return isList ? startOne(places, ports) : startHere(places[0], ports)
  }
}

const STANDBY_REMEDY =
  'start the Synapse that led, or let this client reach it: one that stands by takes over once it hears none that ' +
  'leads'

function startHere({ host, port }, ports) {
  const where = LOOPBACK.includes(host) ? 'run' : `on ${host} run`
  return (
    `${where} 'cosmo synapse start${optionsFor(host)} --port ${port}', or check the URL; ` +
    `a Synapse there has ${ports}`
  )
}

function startOne([{ host, port }, ...others], ports) {
  const peers = others
    .map((each) => ` --peer cosmo://${hostInUrl(each.host)}:${each.port}`)
    .join('')
  return (
    `on ${host} run 'cosmo synapse start${optionsFor(host)} --port ${port}${peers}', on the others likewise, or ` +
    `check the URL; each of them has ${ports}`
  )
}

/** Return how to let a Synapse listen at a host; beyond loopback it needs keys. */
function optionsFor(host) {
  if (LOOPBACK.slice(0, 2).includes(host)) return ''
  return `${LOOPBACK.includes(host) ? '' : ' --keys'} --host ${host}`
}

function remedyAtPath(cause, path) {
  if (cause === Cause.SLOW) {
    return 'the Synapse or this machine is busy: allow more time with timeoutMs'
  }
  if (cause === Cause.STANDBY)
    return `${STANDBY_REMEDY}; over the network use a URL that lists both`
  return `on this machine run 'cosmo synapse start --ipc ${quoted(path)}', or check the URL`
}
