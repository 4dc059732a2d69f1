// From a URL to a Synapse that answers, and the carriers to it.
import { inspect } from 'node:util'
import { keyOf } from './access/key.js'
import { carrierMaker, keyedCarrierMaker } from './carriers/carriers.js'
import { Client } from './client/client.js'
import { chosen } from './configuration/configuration.js'
import { InvalidArgument, InvalidKey, InvalidUrl, shown } from './errors.js'
import { checkOptions } from './options.js'
import { probe } from './probe.js'
import { checkedLogger } from './runtime/logger.js'
import { DEFAULT_URL, parseUrl, urlOf } from './synapse-url.js'

export { DEFAULT_URL }

const CONNECT_MS = 5000
const CLOSE_MS = 1000
const OPTIONS = new Set(['carrier', 'logger', 'key'])
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
  #key
  #openOnes = new Set()
  #clients = new WeakMap() // by carrier
  #closed = new AbortController()

  /**
   * @param {string} [url] `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo://a:7070,b:7070` for several
   *   that stand by for each other, or `cosmo+ipc://path` for one on this machine. By default the variable COSMO_URL,
   *   else that of the context, else that of the key, else `cosmo://127.0.0.1:7070`.
   * @param {{ carrier?: 'zmtp' | 'libzmq', logger?: { warn: (text: string) => void } | null, key?: string | object | null }} [options]
   *   `key`: the path of a file NAME.key, a `Key` or its fields, for a Synapse with keys; null for none; by default the
   *   variable COSMO_KEY, a path, else that of the context. Over a network it needs the carrier 'libzmq', which is
   *   chosen then; over `cosmo+ipc` it is not used.
   *   `carrier`: see above, by default the variable COSMO_CARRIER, else 'zmtp'; `logger`: such as `console`, null for
   *   silence, by default `process.emitWarning`. A Dendrite that was given one of its own uses that.
   * @throws {InvalidUrl} The URL names no endpoint.
   * @throws {InvalidContext} The context cannot be used.
   * @throws {InvalidKey} The key cannot be used.
   * @throws {InvalidArgument} The carrier or an option is unknown, or the carrier has no keys.
   * @throws {MissingExtra} The package `zeromq` is needed and not installed.
   */
  constructor(url, options = {}) {
    checkOptions(options, OPTIONS, 'new Synapse')
    const { carrier, logger } = options
    this.#logger = checkedLogger(logger)
    const keys = new LazyKey(options.key)
    this.#endpoint = endpointOf(url, keys)
    this.#key = this.#endpoint.path === undefined ? keys.get() : null
    this.#makeCarrier =
      this.#key === null ? carrierMaker(carrier) : keyedCarrierMaker(carrier, this.#key)
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
   * @throws {AccessRefused} It needs a key, or lets this one not in.
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
    const user = this.#key?.name ?? ''
    const isList = this.#endpoint.places !== undefined
    const about = { url: this.url, isList, urlOf, user, log }
    const client = new Client({ ...options, ...about, carrier }, receiver)
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
    return this.#key === null ? `Synapse(${this.url})` : `Synapse(${this.url}, ${this.#key})`
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close()
  }
}

/**
 * Resolve to the Synapse behind a URL, once it has answered.
 *
 * @param {string} [url] `cosmo://host[:port]` (an IPv6 address in brackets), `cosmo://a:7070,b:7070` for several that
 *   stand by for each other, or `cosmo+ipc://path` for one on this machine. By default the variable COSMO_URL, else that
 *   of the context, else that of the key, else `cosmo://127.0.0.1:7070`.
 * @param {{ carrier?: 'zmtp' | 'libzmq', logger?: object | null, key?: string | object | null, timeoutMs?: number | null }} [options]
 *   `carrier`, `logger` and `key`: see `Synapse`; `timeoutMs`: maximum wait, 5000 by default; one that starts meanwhile
 *   is found. Null waits for ever, and warns every 10 s of what was seen.
 * @returns {Promise<Synapse>} It needs no closing by itself: `close` ends the Dendrites on it.
 * @throws {InvalidUrl} The URL names no endpoint.
 * @throws {InvalidContext} The context cannot be used.
 * @throws {InvalidKey} The key cannot be used.
 * @throws {SynapseUnreachable} No answer in time; the text names the cause and the remedy.
 * @throws {AccessRefused} It needs a key, or lets this one not in.
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

function endpointOf(url, keys) {
  const { value, where } = chosen('url', url, () => keys.get())
  try {
    return parseUrl(value)
  } catch (error) {
    if (!(error instanceof InvalidUrl) || where === '') throw error
    throw new InvalidUrl(error.url, `${error.reason}${where}`)
  }
}

/** The key of a program: its option, checked at once; else the one that counts, read when it is needed. */
class LazyKey {
  #key

  constructor(given) {
    if (given !== undefined) this.#key = given === null ? null : keyOf(given)
  }

  /** @returns {object | null} @throws {InvalidKey} It cannot be used. @throws {InvalidContext} The context cannot. */
  get() {
    if (this.#key === undefined) this.#key = chosenKey()
    return this.#key
  }
}

function chosenKey() {
  const { value, where } = chosen('key')
  if (value === null) return null
  try {
    return keyOf(value)
  } catch (error) {
    if (!(error instanceof InvalidKey)) throw error
    throw new InvalidKey(error.what, `${error.reason}${where}`)
  }
}

function checkTimeout(timeoutMs) {
  if (timeoutMs === null || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw new InvalidArgument(
    `timeoutMs must be a number of milliseconds, or null to wait for ever, not ${shown(timeoutMs)}`,
  )
}
