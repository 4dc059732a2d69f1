// The carriers by their names, which are the same in every language. Spec: docs/spec/08-port.md, The carrier port.
import { InvalidArgument, shown } from '../errors.js'
import { LibzmqCarrier } from './libzmq-carrier.js'
import { loadLibrary } from './libzmq-sockets.js'
import { ZmtpCarrier } from './zmtp-carrier.js'

/** The carrier of a program that names none. */
export const DEFAULT_CARRIER = 'zmtp'
const VARIABLE = 'COSMO_CARRIER'

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
  const named = process.env[VARIABLE] // empty counts as not set
  if (given !== undefined) return made(given, '')
  return named ? made(named, ` (it is in ${VARIABLE})`) : made(DEFAULT_CARRIER, '')
}

function made(name, where) {
  if (typeof name === 'string' && name in CARRIERS) return CARRIERS[name](where)
  const earlier = typeof name === 'string' ? EARLIER[name] : undefined
  const hint = earlier === undefined ? '' : `: it is called '${earlier}' now`
  throw new InvalidArgument(`carrier must be 'zmtp' or 'libzmq', not ${shown(name)}${hint}${where}`)
}
