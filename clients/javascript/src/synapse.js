// From a URL to a Synapse that answers, and the carriers to it.
import { inspect } from 'node:util'
import { carrierMaker } from './carriers/carriers.js'
import { Client } from './client/client.js'
import { InvalidArgument, InvalidUrl, shown } from './errors.js'
import { checkOptions } from './options.js'
import { probe } from './probe.js'
import { checkedLogger } from './runtime/logger.js'
import { DEFAULT_URL, parseUrl, urlOf } from './synapse-url.js'

export { DEFAULT_URL }

const URL_VARIABLE = 'COSMO_URL'
const CONNECT_MS = 5000
const CLOSE_MS = 1000
const OPTIONS = new Set(['carrier', 'logger'])
const CONNECT_OPTIONS = new Set([...OPTIONS, 'timeoutMs'])

/**
 * A Synapse in a process of its own. Several Dendrites may share one. It holds no connection by itself.
 *
 * `carrier` moves the bytes. 'zmtp' is written in JavaScript and answers the Synapse from the event loop: a loop that
 * is blocked for more than 2 s loses its tasks. 'libzmq' is the package `zeromq` (`npm install zeromq`), which answers
 * from a thread of its own.
 */
export class Synapse {
  #endpoint
  #makeCarrier
  #logger
  #openOnes = new Set()
  #clients = new WeakMap() // by carrier
  #closed = new AbortController()

  /**
   * @param {string} [url] `cosmo://host[:port]` (an IPv6 address in brackets), or `cosmo+ipc://path` for one on
   *   this machine. By default the variable COSMO_URL, else `cosmo://127.0.0.1:7070`.
   * @param {{ carrier?: 'zmtp' | 'libzmq', logger?: { warn: (text: string) => void } | null }} [options]
   *   `carrier`: see above, by default the variable COSMO_CARRIER, else 'zmtp'; `logger`: such as `console`, null for silence, by default `process.emitWarning`. A
   *   Dendrite that was given one of its own uses that.
   * @throws {InvalidUrl} The URL names no endpoint.
   * @throws {InvalidArgument} The carrier or an option is unknown.
   * @throws {MissingExtra} The package `zeromq` is needed and not installed.
   */
  constructor(url, options = {}) {
    checkOptions(options, OPTIONS, 'new Synapse')
    const { carrier, logger } = options
    this.#logger = checkedLogger(logger)
    this.#endpoint = endpointOf(url)
    this.#makeCarrier = carrierMaker(carrier)
  }

  /** The URL that names it. */
  get url() {
    return urlOf(this.#endpoint)
  }

  /**
   * Resolve when a Synapse of our version answers.
   * @param {number | null} [timeoutMs] Maximum wait, 5000 by default; one that starts meanwhile is found. Null
   *   waits for ever, and warns every 10 s of what was seen.
   * @throws {SynapseUnreachable} No answer in time; the text names the cause and the remedy.
   * @throws {SynapseRefused} A Synapse of another version answered.
   */
  async connect(timeoutMs = CONNECT_MS) {
    checkTimeout(timeoutMs)
    await probe(this.carrier(), this.url, timeoutMs, this.#logger, this.#closed.signal)
  }

  /** Return a carrier for one connection, not open yet. See docs/spec/08-port.md, The carrier port. */
  carrier({ logger = this.#logger } = {}) {
    return this.#makeCarrier(this.#endpoint, { openOnes: this.#openOnes, logger })
  }

  /**
   * Return a transport for one Dendrite, not open yet. See docs/spec/08-port.md, The transport port.
   * @param {{ namespace: string, name: string, maxSignalBytes?: number, logger?: object }} options `name`: for
   *   display; `logger`: as of a `Synapse`.
   * @param {object} receiver Gets its events.
   */
  transport({ logger, ...options }, receiver) {
    const carrier = this.carrier({ logger })
    const log = (text, error) => (logger ?? this.#logger).warn(text, error)
    const client = new Client({ ...options, carrier, url: this.url, log }, receiver)
    this.#clients.set(carrier, client)
    return client
  }

  /** Close every connection that was made by it and is still open; each says goodbye, for at most 1 s. */
  async close() {
    this.#closed.abort() // the waits of `connect`
    this.#closed = new AbortController()
    const open = [...this.#openOnes]
    await Promise.all(open.map((each) => (this.#clients.get(each) ?? each).close(CLOSE_MS)))
  }

  /** Show it as `Synapse(url)` in logs and in the console. */
  [inspect.custom]() {
    return `Synapse(${this.url})`
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }
}

/**
 * Resolve to the Synapse behind a URL, once it has answered.
 *
 * @param {string} [url] `cosmo://host[:port]` (an IPv6 address in brackets), or `cosmo+ipc://path` for one on this
 *   machine. By default the variable COSMO_URL, else `cosmo://127.0.0.1:7070`.
 * @param {{ carrier?: 'zmtp' | 'libzmq', logger?: object | null, timeoutMs?: number | null }} [options]
 *   `carrier` and `logger`: see `Synapse`; `timeoutMs`: maximum wait, 5000 by default; one that starts meanwhile is found. Null waits for ever, and warns
 *   every 10 s of what was seen.
 * @returns {Promise<Synapse>} It needs no closing by itself: `close` ends the Dendrites on it.
 * @throws {InvalidUrl} The URL names no endpoint.
 * @throws {SynapseUnreachable} No answer in time; the text names the cause and the remedy.
 * @throws {SynapseRefused} A Synapse of another version answered.
 * @throws {MissingExtra} The package `zeromq` is needed and not installed.
 */
export async function connectSynapse(url, given = {}) {
  checkOptions(given, CONNECT_OPTIONS, 'connectSynapse')
  const { timeoutMs, ...options } = given
  const synapse = new Synapse(url, options)
  await synapse.connect(timeoutMs)
  return synapse
}

function endpointOf(url) {
  if (url !== undefined) return parseUrl(url)
  const named = process.env[URL_VARIABLE] // empty counts as not set
  if (!named) return parseUrl(DEFAULT_URL)
  try {
    return parseUrl(named)
  } catch (error) {
    if (!(error instanceof InvalidUrl)) throw error
    throw new InvalidUrl(error.url, `${error.reason} (it is in ${URL_VARIABLE})`)
  }
}

function checkTimeout(timeoutMs) {
  if (timeoutMs === null || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw new InvalidArgument(
    `timeoutMs must be a number of milliseconds, or null to wait for ever, not ${shown(timeoutMs)}`,
  )
}
