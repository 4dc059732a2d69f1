// Where a proxy can be reached: over the network or over Unix sockets. Spec: docs/spec/06-sockets.md. Pure.

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
