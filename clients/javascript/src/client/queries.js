// Queries to the proxy: its seats, its clients, open tasks, its state, and whether all that it sent has arrived.
// Spec: docs/spec/04-liveness.md, "Roster", "Open tasks" and "State".
import { randomBytes } from 'node:crypto'
import {
  STATE_QUERY,
  VERB,
  item,
  packClientsQuery,
  packSeatsQuery,
  packTasksQuery,
  readClients,
  readSeats,
  readState,
  readTasks,
} from '../wire/wire.js'
import { Deferred, countdown, within } from '../runtime/waits.js'
import { bytesId } from '../signals/ids.js'

const UNUSED_NAME = '-' // a name without a seat, so that the answer is short
const MS = 1000

/** The queries that wait for an answer. */
export class Queries {
  #send
  #unreachable
  #open = new Map()
  #repeated = new Map() // what is sent again over the next connection: the messages by their keys

  /**
   * @param {(items: object[]) => string} send returns an Outcome
   * @param {(reason: string) => Error} unreachable makes the error of a query without an answer
   */
  constructor(send, unreachable) {
    this.#send = send
    this.#unreachable = unreachable
  }

  /** See Client.roster. */
  async roster({ neuronId = '', capability = '' }, timeoutMs) {
    const rows = await this.#pages(
      (after) => packSeatsQuery({ name: neuronId, capability, after }),
      readSeats,
      timeoutMs,
    )
    return rows.map(asNeuron)
  }

  /** See Client.dendrites. */
  async dendrites(timeoutMs) {
    const rows = await this.#pages(packClientsQuery, readClients, timeoutMs)
    return rows.map(asDendrite)
  }

  /** See Client.openTasks. */
  async openTasks(timeoutMs) {
    const left = countdown(timeoutMs)
    const found = new Map() // one that found its worker between two pages is told in both
    for (let after = null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.#ask(packTasksQuery(after), readTasks, left())
      if (page === null) return null
      for (const row of page.rows) found.set(hex(row.caller) + hex(row.task), row)
      after = page.after
    }
    return [...found.values()].map(asTask)
  }

  /** See Client.state. */
  async state(timeoutMs) {
    return asState(await this.#ask(STATE_QUERY, readState, timeoutMs))
  }

  /** See Client.barrier. */
  async barrier(timeoutMs) {
    try {
      // Not repeated: over another connection the answer would prove nothing.
      await this.#ask(packSeatsQuery({ name: UNUSED_NAME }), readSeats, timeoutMs, false)
      return true
    } catch {
      return false // away, closed or late: all the same to one who asks
    }
  }

  async #pages(query, read, timeoutMs) {
    const left = countdown(timeoutMs)
    const rows = []
    for (let more = true; more;) {
      const page = await this.#ask(query(rows.at(-1)?.number ?? 0), read, left())
      rows.push(...page.rows)
      more = page.more && page.rows.length > 0
    }
    return rows
  }

  async #ask(body, read, timeoutMs, repeats = true) {
    const task = randomBytes(16)
    const key = task.latin1Slice(0, 16)
    const answered = new Deferred()
    const message = [item(VERB.ROSTER, { task, body })]
    this.#open.set(key, answered)
    if (repeats) this.#repeated.set(key, message)
    try {
      const outcome = this.#send(message)
      if (outcome === 'CLOSED') throw this.#unreachable('the connection is closed')
      if (outcome === 'BUSY') throw this.#unreachable('no room for a query')
      const late = () => this.#unreachable('no answer to a query in time')
      return this.#read(read, await within(answered.promise, timeoutMs, late))
    } finally {
      this.#open.delete(key)
      this.#repeated.delete(key)
    }
  }

  /** Repeat what is not answered: the connection may have ended with it on its way. */
  askAgain() {
    for (const message of this.#repeated.values()) this.#send(message)
  }

  #read(read, body) {
    try {
      return read(body)
    } catch (error) {
      throw this.#unreachable(`its answer to a query cannot be read (${error.message})`)
    }
  }

  /** Handle an answer. @param {Buffer} task @param {Buffer} body */
  onRoster(task, body) {
    this.#open.get(task.latin1Slice(0, 16))?.resolve(body)
  }

  /** End every wait for an answer. @param {Error} error */
  close(error) {
    for (const answered of this.#open.values()) answered.reject(error)
  }
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const count = (value) => (Number.isInteger(value) ? value : 0)
const text = (value) => (typeof value === 'string' ? value : null)

const asNeuron = ({ name, capabilities, client, instance, state, open, facts, vitals }) => ({
  neuronId: name,
  capabilities,
  dendriteId: client,
  instance: Buffer.from(instance).toString('hex'),
  state,
  open,
  running: count(vitals.running),
  queued: count(vitals.queued),
  loopLagMs: count(vitals.loop_lag_ms),
  version: text(facts.version),
  role: text(facts.role),
  description: text(facts.description),
  card: text(facts.card),
})

const asDendrite = ({ name, instance, state, seats, open, calls, age_s: ageS }) => ({
  dendriteId: name,
  instance: Buffer.from(instance).toString('hex'),
  state,
  axons: seats,
  open,
  calls,
  ageMs: ageS * MS,
})

function asTask(row) {
  const isByCapabilities = row.address.startsWith('?')
  return {
    id: bytesId('evt_', Buffer.from(row.task)),
    traceId: bytesId('trc_', Buffer.from(row.trace)),
    state: row.state,
    neuron: row.seat || (isByCapabilities ? '' : row.address),
    capabilities: isByCapabilities ? row.address.slice(1).split(',') : [],
    dendriteId: row.worker_name,
    instance: hex(row.worker),
    caller: row.caller_name,
    callerInstance: hex(row.caller),
    user: row.user,
    cancelled: row.cancelled,
    ageMs: row.age_ms,
    remainingMs: row.left_ms ?? null,
    bytes: row.bytes ?? null,
  }
}

const asState = (state) => ({
  uptimeMs: state.uptime_s * MS,
  draining: state.draining,
  connections: state.clients,
  away: state.away,
  axons: state.seats,
  open: state.open,
  parked: state.parked,
  subscriptions: state.topics,
  counts: { ...state.counts },
  recentMs: state.recent_s * MS,
  recent: { ...state.recent },
  namespace: state.namespace ?? null,
  release: state.release ?? '',
  tsMs: state.ts === undefined ? null : state.ts * MS,
  role: state.role ?? '',
  term: state.term ?? 0,
  peers: (state.peers ?? []).map(asSynapsePeer),
})

const asSynapsePeer = ({ url, role, term, clients, heard_s: heardS, same_users: sameUsers }) => ({
  url,
  role,
  term: term ?? null,
  clients: clients ?? null,
  heardMs: heardS === undefined ? null : heardS * MS,
  sameUsers: sameUsers ?? null,
})
