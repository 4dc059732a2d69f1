// Synapse URLs. Pure.
import { isIPv6 } from 'node:net'
import {
  IpcEndpoint,
  MAX_PATH_BYTES,
  SOCKET_PATH_BYTES,
  TcpEndpoint,
  TcpEndpoints,
  hostInUrl,
  placesOf,
} from './carriers/endpoints.js'
import { DEFAULT_PORT, DEFAULT_URL } from './defaults.js'
import { InvalidUrl } from './errors.js'
import { isPrintable } from './runtime/printable.js'

export { DEFAULT_URL }

const FORM = `write cosmo://host:port, such as ${DEFAULT_URL}`
const LIST_FORM = 'write a list as cosmo://a:7070,b:7070'
const MAX_PLACES = 16
/** The host that no Synapse can have: in Python `cosmo://auto` finds one on the LAN. */
const AUTO = 'auto'
const IPC = 'cosmo+ipc'
const IPC_FORM = `write ${IPC}:// and an absolute path, such as ${IPC}:///run/cosmo.sock`
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/
const IN_BRACKETS = /^\[([^\]]*)\](?::(.*))?$/
/** What programs wrote instead, and what to say to them. */
const HINTS = {
  http: 'a Synapse does not speak HTTP',
  https: 'a Synapse does not speak HTTP',
  memory: 'a Synapse within this process exists in Python only',
  ipc: `for a Unix socket write ${IPC}://`,
  nats: 'a fabric on NATS is reached from Python only',
  tls: 'a fabric on NATS is reached from Python only',
}

/**
 * Return what is behind `cosmo://host[:port]`, a list of them, or `cosmo+ipc://path`.
 *
 * A list is `cosmo://a:7070,b:7070`: up to 16 places of Synapses that stand by for each other, the first to try in
 * front. A place that is named twice counts once; one place alone is a `TcpEndpoint`. An IPv6 address stands in
 * brackets: `cosmo://[::1]:7070`. The port is 7070 unless it is named. The path is absolute, of at most 99 bytes in
 * UTF-8, and used unchanged: no character of it is special or escaped.
 *
 * @param {string} url The URL.
 * @returns {TcpEndpoint | TcpEndpoints | IpcEndpoint} Where it is.
 * @throws {InvalidUrl} The URL is invalid; the text names the bad part and the right form.
 */
export function parseUrl(url) {
  if (typeof url !== 'string') {
    const type = url === null ? 'null' : (url?.constructor?.name ?? typeof url)
    throw new InvalidUrl(String(url), `it is of type ${type}, not a text; ${FORM}`)
  }
  const scheme = SCHEME.exec(url)?.[1].toLowerCase() ?? ''
  if (scheme === IPC) return parsePath(url, url.slice(IPC.length + 1))
  return parseNetwork(url, scheme)
}

/** Return the URL that names a `target`, as `parseUrl` returns it. */
export function urlOf(target) {
  if (target.path !== undefined) return `${IPC}://${target.path}`
  return `cosmo://${placesOf(target)
    .map(({ host, port }) => `${hostInUrl(host)}:${port}`)
    .join(',')}`
}

function parsePath(url, rest) {
  const fail = (fault) => {
    throw new InvalidUrl(url, `${fault}; ${IPC_FORM}`)
  }
  if (!rest.startsWith('//')) fail('// is missing')
  const path = rest.slice(2)
  if (path === '') fail('it names no path')
  if (!path.startsWith('/')) fail(`the path '${path.slice(0, 100)}' is not absolute`)
  if (path.endsWith('/')) fail('the path is one of a directory, not of a socket')
  if (!isPrintable(path)) fail('the path has characters that cannot be printed')
  const size = Buffer.byteLength(path)
  if (size > MAX_PATH_BYTES) {
    fail(
      `the path has ${size} bytes and at most ${MAX_PATH_BYTES} fit: a Unix socket allows ` +
        `${SOCKET_PATH_BYTES}, and the longest of the names beside it ends in .publish`,
    )
  }
  return new IpcEndpoint(path)
}

function parseNetwork(url, scheme) {
  const fail = (fault) => {
    throw new InvalidUrl(masked(url), `${fault}; ${FORM}`)
  }
  if (url.includes('@')) fail('it must not contain a user or a password')
  if (scheme !== 'cosmo') {
    const isUrl = url.includes('://') && scheme !== ''
    const hint = isUrl && Object.hasOwn(HINTS, scheme) ? ` (${HINTS[scheme]})` : ''
    fail(isUrl ? `the scheme '${scheme}' is unknown${hint}` : 'it has no scheme')
  }
  const rest = url.slice('cosmo:'.length)
  if (!rest.startsWith('//')) fail('it names no host: // is missing')
  const listed = rest.slice(2)
  return listed.includes(',') ? parseList(url, listed) : parsePlace(listed, fail)
}

function parseList(url, listed) {
  const places = new Map()
  for (const [i, each] of listed.replace(/\/$/, '').split(',').entries()) {
    const at = `place ${i + 1} of the list`
    const fault = listFault(each)
    if (fault !== '') throw new InvalidUrl(url, `${at} ${fault}; ${LIST_FORM}`)
    const place = parsePlace(each, (why) => {
      throw new InvalidUrl(url, `${at}, '${each.slice(0, 100)}': ${why}; ${FORM}`)
    })
    places.set(String(place), place)
  }
  if (places.size > MAX_PLACES)
    throw new InvalidUrl(url, `it names ${places.size} places, and at most ${MAX_PLACES} may be`)
  const [first] = places.values()
  return places.size === 1 ? first : new TcpEndpoints(places.values())
}

/** Return what is wrong with a place for being one of a list; empty if nothing is. */
function listFault(place) {
  if (place === '') return 'is empty'
  if (place !== place.trim()) return 'has a space beside it'
  if (place.includes('://')) return 'repeats the scheme, which stands once, in front'
  if (place.split(':')[0].toLowerCase() === AUTO)
    return `is '${AUTO}', which stands alone, and in Python only`
  return ''
}

function parsePlace(text, fail) {
  const [authority] = text.split(/[/?#]/, 1)
  const behind = text.slice(authority.length)
  const [host, port] = hostAndPort(authority, fail)
  if (host === AUTO)
    fail(
      `'${AUTO}' looks for a Synapse on the LAN, which Python alone does: name one by its URL, or by a context`,
    )
  if (behind !== '' && behind !== '/') fail('nothing may follow the port')
  return new TcpEndpoint(host, port)
}

function hostAndPort(authority, fail) {
  const bracketed = IN_BRACKETS.exec(authority)
  const isAddress = authority.includes('[') || authority.split(':').length > 2
  if (isAddress && !bracketed) fail('an IPv6 address stands in brackets, cosmo://[::1]:7070')
  const [name, port] = bracketed ? bracketed.slice(1) : authority.split(':')
  const host = name.toLowerCase().replace('%25', '%') // RFC 6874: the zone of a link-local address
  if (host === '') fail('it names no host')
  if (bracketed ? !isIPv6(host) : /[\s%\\]/.test(host)) {
    fail(`'${name}' is not ${bracketed ? 'an IPv6 address' : 'the name of a host'}`)
  }
  return [host, portOf(port ?? '', fail)]
}

function portOf(text, fail) {
  if (text === '') return DEFAULT_PORT
  const port = /^\d+$/.test(text) ? Number(text) : NaN
  if (port === 0) fail('port 0 cannot be connected to')
  if (!(port <= 65535)) fail(`the port '${text}' is not a number from 1 to 65535`)
  return port
}

/** Return `url` with the text between its scheme and the last `@` masked. */
function masked(url) {
  const at = url.lastIndexOf('@')
  if (at < 0) return url
  const slashes = url.slice(0, at).lastIndexOf('://')
  return `${slashes < 0 ? '' : url.slice(0, slashes + 3)}***${url.slice(at)}`
}
