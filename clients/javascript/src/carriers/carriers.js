// The carriers by their names, which are the same in every language. Spec: docs/spec/08-port.md, The carrier port.
import { chosen } from '../configuration/configuration.js'
import { DEFAULT_CARRIER } from '../defaults.js'
import { InvalidArgument, shown } from '../errors.js'
import { curveOf } from '../access/key.js'
import { LibzmqCarrier } from './libzmq-carrier.js'
import { loadLibrary } from './libzmq-sockets.js'
import { ZmtpCarrier } from './zmtp-carrier.js'

/** Each carrier: what it needs, for a choice that stands somewhere, and how one is made. */
const CARRIERS = {
  __proto__: null,
  zmtp: () => (endpoint, options) => new ZmtpCarrier(endpoint, options),
  libzmq: (where) => {
    const library = loadLibrary(`carrier 'libzmq'${where}`)
    return (endpoint, options) => new LibzmqCarrier(endpoint, { ...options, library })
  },
}

/** What earlier versions of this package called them. */
const EARLIER = { __proto__: null, zeromq: 'libzmq', auto: DEFAULT_CARRIER }

/**
 * Return what makes the carriers of a Synapse: a function of an endpoint and options.
 *
 * @param {string} [given] `zmtp`, written in JavaScript, or `libzmq`, the package `zeromq`. By default the variable
 *   COSMO_CARRIER, else `zmtp`.
 * @throws {InvalidArgument} It is no name of a carrier; the text says where it stands.
 * @throws {MissingExtra} The package `zeromq` is needed and not installed.
 */
export function carrierMaker(given) {
  const { value, where } = chosen('carrier', given)
  return made(value, where)
}

/**
 * Return what makes the carriers to a Synapse with keys; see `carrierMaker`. Only libzmq has CURVE.
 *
 * @param {string} [given] The carrier of the program; the variable COSMO_CARRIER does not count.
 * @param {object} key The Key of this client.
 * @throws {InvalidArgument} It is another carrier.
 * @throws {MissingExtra} The package `zeromq` is needed and not installed.
 */
export function keyedCarrierMaker(given, key) {
  if (given !== undefined && given !== 'libzmq') {
    if (given !== 'zmtp') made(given, '')
    throw new InvalidArgument(
      `the carrier 'zmtp' has no keys over TCP: leave it out, or name 'libzmq', to use the key '${key.name}'`,
    )
  }
  const library = loadLibrary(`the key '${key.name}'`)
  const keys = curveOf(key)
  return (endpoint, options) => new LibzmqCarrier(endpoint, { ...options, library, keys })
}

function made(name, where) {
  if (typeof name === 'string' && name in CARRIERS) return CARRIERS[name](where)
  const earlier = typeof name === 'string' ? EARLIER[name] : undefined
  const hint = earlier === undefined ? '' : `: it is called '${earlier}' now`
  throw new InvalidArgument(`carrier must be 'zmtp' or 'libzmq', not ${shown(name)}${hint}${where}`)
}
