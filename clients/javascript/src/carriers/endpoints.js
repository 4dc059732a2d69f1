// Where a proxy can be reached: over the network or over Unix sockets. Spec: docs/spec/06-sockets.md. Pure.
import { isIPv6 } from 'node:net'

/** Limit of the path of a Unix socket, without its NUL: `sun_path` of Linux, unix(7). */
export const SOCKET_PATH_BYTES = 107
/** Limit of the path of a proxy: the longest of the names beside it ends in `.publish`. */
export const MAX_PATH_BYTES = SOCKET_PATH_BYTES - '.publish'.length

/** Return `host` as it stands in front of a port: an IPv6 address in brackets. */
export const hostInUrl = (host) => (host.includes(':') ? `[${host}]` : host)

/** A proxy on the network: a name, an IPv4 or an IPv6 address without brackets, and its directed port. */
export class TcpEndpoint {
  constructor(host, port) {
    this.host = host
    this.port = port
    Object.freeze(this)
  }

  /** What `net.connect` needs. Our own dial plan tries the addresses, so Node must not. */
  get netOptions() {
    return { host: this.host, port: this.port, autoSelectFamily: false }
  }

  /** Return the endpoints to subscribe at and to publish at, from the ports of a WELCOME. */
  broadcast(listenPort, publishPort) {
    return [new TcpEndpoint(this.host, listenPort), new TcpEndpoint(this.host, publishPort)]
  }

  /** Write it as ZeroMQ does. */
  toString() {
    return `tcp://${hostInUrl(this.host)}:${this.port}`
  }
}

/** The proxies of one fabric on the network, in the order in which they are tried: 2 to 16 `TcpEndpoint`s. */
export class TcpEndpoints {
  constructor(places) {
    this.places = Object.freeze([...places])
    Object.freeze(this)
  }

  /** Write them behind each other, the scheme once. */
  toString() {
    return `tcp://${this.places.map(({ host, port }) => `${hostInUrl(host)}:${port}`).join(',')}`
  }
}

/** Return every place of a target, in order. @param {TcpEndpoint | IpcEndpoint | TcpEndpoints} target */
export const placesOf = (target) => target.places ?? [target]

const NAMED =
  /^[a-z][a-z0-9+.-]*:\/\/(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([\w.-]{1,253})):(\d{1,5})\/?$/

/**
 * Return the place that a proxy names by a URL, such as `cosmo://10.0.0.2:7070`.
 * @param {string} url
 * @returns {TcpEndpoint | null} null if it is not `scheme://host:port`, with an IPv6 address in brackets.
 */
export function endpointIn(url) {
  const found = NAMED.exec(url)
  if (found === null) return null
  const [, address, name, digits] = found
  const port = Number(digits)
  if (port === 0 || port > 65_535 || (address !== undefined && !isIPv6(address))) return null
  return new TcpEndpoint(address ?? name.toLowerCase(), port)
}

/** A proxy on this machine, at three Unix sockets beside each other: `path`, `path.listen`, `path.publish`. */
export class IpcEndpoint {
  constructor(path) {
    this.path = path
    Object.freeze(this)
  }

  get netOptions() {
    return { path: this.path }
  }

  /** Return the endpoints to subscribe at and to publish at; the ports of a WELCOME are for TCP. */
  broadcast() {
    return [new IpcEndpoint(`${this.path}.listen`), new IpcEndpoint(`${this.path}.publish`)]
  }

  toString() {
    return `ipc://${this.path}`
  }
}
