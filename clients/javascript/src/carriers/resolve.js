// Resolve the host names of a target to every address that they have, again for every attempt.
// Spec: docs/spec/06-sockets.md, Connecting.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { TcpEndpoint, placesOf } from './endpoints.js'

/** After this time the addresses of the last answer are used; the lookup goes on. */
export const LOOKUP_MS = 1000
/** The same where there are several places: the others do not wait longer for a slow name. */
export const SIDE_BY_SIDE_MS = 200
/** So many places count that proxies name beside those that are given. */
const MAX_NAMED = 16

/**
 * Resolve to every address of a host, IPv4 before IPv6 and each once; to none if the name does not resolve.
 * The order within a family is that of the system.
 */
async function addressesOf(host) {
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    // IPv4 first: a proxy that was told no address listens there.
    found.sort((one, other) => one.family - other.family)
    return [...new Set(found.map((each) => each.address))]
  } catch {
    return []
  }
}

/** The addresses of a target. The names of several places are looked up side by side. */
export class Resolver {
  #given
  #named = new Map()
  #lookUp
  #then = null
  #awaited = new Set()
  #timer

  /**
   * @param {object} target One place, or several: see endpoints.js.
   * @param {(host: string) => Promise<string[]>} [lookUp] What resolves a name; it never rejects.
   */
  constructor(target, lookUp = addressesOf) {
    this.#lookUp = lookUp
    this.#given = placesOf(target).map((each) => new Place(each))
  }

  /** The names that have no address so far. @returns {string[]} */
  get unresolved() {
    return this.#places
      .filter((each) => each.known.length === 0)
      .map(({ endpoint }) => endpoint.host)
  }

  /** Call `then` once with every address, in the order of the places; with none if no name resolves. */
  resolve(then) {
    this.close()
    this.#then = then
    // A name that is looked up since an earlier attempt had its time already.
    this.#awaited = new Set(this.#places.filter((each) => each.needsLookup))
    for (const each of this.#awaited) this.#begin(each)
    if (this.#isOver) {
      this.#handOver()
      return
    }
    const limitMs = this.#places.length === 1 ? LOOKUP_MS : SIDE_BY_SIDE_MS
    this.#timer = setTimeout(() => this.#onLate(), limitMs)
  }

  /**
   * Look up these places behind the others, as far as there is room and they are not known.
   * @param {TcpEndpoint[]} places
   * @returns {boolean} Whether one was added.
   */
  add(places) {
    const known = new Set(
      [...this.#addresses, ...this.#places.map((each) => each.endpoint)].map(String),
    )
    const before = this.#named.size
    for (const each of places) {
      if (!known.has(String(each)) && this.#named.size < MAX_NAMED)
        this.#named.set(String(each), new Place(each))
    }
    return this.#named.size > before
  }

  /** Forget what was added, but for the place that has this address. */
  keepOnly(address) {
    const isThere = (each) => String(each) === String(address)
    for (const [where, place] of this.#named) {
      if (!place.known.some(isThere)) this.#named.delete(where)
    }
  }

  /** Call nobody any more. A lookup under way cannot be cancelled in Node; its answer is kept for later. */
  close() {
    this.#then = null
    clearTimeout(this.#timer)
  }

  get #places() {
    return [...this.#given, ...this.#named.values()]
  }

  get #addresses() {
    const found = this.#places.flatMap((each) => each.known)
    return [...new Map(found.map((each) => [String(each), each])).values()]
  }

  get #isOver() {
    if (this.#awaited.size > 0) return false
    return this.#addresses.length > 0 || !this.#places.some((each) => each.isLooking)
  }

  #begin(place) {
    place.isLooking = true
    void this.#lookUp(place.endpoint.host).then((found) => {
      place.onFound(found)
      this.#awaited.delete(place)
      if (this.#isOver) this.#handOver()
    })
  }

  #onLate() {
    this.#awaited.clear()
    if (this.#isOver) this.#handOver()
  }

  #handOver() {
    const then = this.#then
    this.close()
    then?.(this.#addresses)
  }
}

/** One place, and the addresses that its name had last. */
class Place {
  #isNamed
  isLooking = false

  constructor(endpoint) {
    this.endpoint = endpoint
    this.#isNamed = endpoint.path === undefined && !isIP(endpoint.host)
    this.known = this.#isNamed ? [] : [endpoint]
  }

  get needsLookup() {
    return this.#isNamed && !this.isLooking
  }

  onFound(found) {
    this.isLooking = false
    // Without an answer the last one stays good: a name server may be away for a while.
    if (found.length > 0)
      this.known = found.map((each) => new TcpEndpoint(each, this.endpoint.port))
  }
}
