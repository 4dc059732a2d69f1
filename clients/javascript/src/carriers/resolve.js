// Resolve the host name of an endpoint to every address that it has, again for every attempt.
// Spec: docs/spec/06-sockets.md, Connecting.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { IpcEndpoint, TcpEndpoint } from './endpoints.js'

/** After this time the addresses of the last answer are used; the lookup goes on. */
export const LOOKUP_MS = 1000

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

/** The addresses of one endpoint. */
export class Resolver {
  #endpoint
  #lookUp
  #known = []
  #then = null
  #isLooking = false
  #timer

  /**
   * @param {TcpEndpoint | IpcEndpoint} endpoint The endpoint.
   * @param {(host: string) => Promise<string[]>} [lookUp] What resolves its name.
   */
  constructor(endpoint, lookUp = addressesOf) {
    this.#endpoint = endpoint
    this.#lookUp = lookUp
  }

  /** Call `then` once with every address, and with none if the name does not resolve. */
  resolve(then) {
    const endpoint = this.#endpoint
    if (endpoint instanceof IpcEndpoint || isIP(endpoint.host)) {
      then([endpoint])
      return
    }
    this.close()
    this.#then = then
    this.#timer = setTimeout(() => this.#onLate(), LOOKUP_MS)
    if (this.#isLooking) return
    this.#isLooking = true
    void this.#lookUp(endpoint.host).then((found) => this.#onFound(found))
  }

  /** Call nobody any more. A lookup under way cannot be cancelled in Node; its answer is ignored. */
  close() {
    this.#then = null
    clearTimeout(this.#timer)
  }

  #onFound(found) {
    this.#isLooking = false
    // Without an answer the last one stays good: a name server may be away for a while.
    if (found.length > 0) {
      this.#known = found.map((each) => new TcpEndpoint(each, this.#endpoint.port))
    }
    this.#handOver()
  }

  #onLate() {
    if (this.#known.length > 0) this.#handOver()
  }

  #handOver() {
    const then = this.#then
    this.close()
    then?.(this.#known)
  }
}
