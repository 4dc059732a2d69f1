// The sockets of the npm package `zeromq` and their options; the only place that sets any.
// Spec: docs/spec/06-sockets.md. Every option is set before connect, because most have no effect afterwards.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MissingExtra } from '../errors.js'
import { z85 } from '../access/z85.js'
import { MAX_FRAME_BYTES, MAX_SUBSCRIPTION_BYTES } from './zmtp-line.js'

export const HANDSHAKE_MS = 3000
export const CONNECT_MS = 1200
const NEVER_MS = 3_600_000
const MAX_SOCKETS = 32_768

const COMMON = {
  linger: 0,
  handshakeInterval: HANDSHAKE_MS,
  heartbeatInterval: 1000,
  heartbeatTimeout: 3000,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 60,
  tcpKeepaliveInterval: 10,
  tcpKeepaliveCount: 3,
  receiveHighWaterMark: 10_000,
}
// An option that a type of socket lacks throws: a Subscriber has none of these.
const SENDING = { sendHighWaterMark: 10_000, sendTimeout: 0 }

let loaded = null

/**
 * Return the package `zeromq` with one context for this process.
 * @param {string} what What needs it, for the error.
 * @throws {MissingExtra} It is not installed, or was not built for this platform.
 */
export function loadLibrary(what) {
  if (loaded !== null) return loaded
  const zeromq = required(what)
  // The default context allows 1,023 sockets, and each client takes six with those that watch.
  const context = new zeromq.Context({ maxSockets: MAX_SOCKETS, blocky: false })
  loaded = { zeromq, context }
  return loaded
}

function required(what) {
  let first
  // A checkout that is linked into a program lies outside of it: its packages are found from there.
  for (const from of [import.meta.url, process.argv[1], join(process.cwd(), 'package.json')]) {
    try {
      if (from) return createRequire(from)('zeromq')
    } catch (error) {
      first ??= error
    }
  }
  throw new MissingExtra('zeromq', what, { cause: first })
}

/** Return the options of a client with a key: CURVE; see `curveOf`. It must not get out without. */
function curve(keys) {
  if (keys === null) return {}
  return {
    curvePublicKey: z85(keys.public),
    curveSecretKey: z85(keys.secret),
    curveServerKey: z85(keys.proxies[0]),
  }
}

/** Let the next connection of a socket with keys be to the proxy with this public key. */
export function setProxy(socket, proxy) {
  if (!socket.closed) socket.curveServerKey = z85(proxy)
}

/** Return a DEALER: it sends only while connected, probes each time, and does not reconnect by itself. */
export function dealer({ zeromq, context }, keys = null) {
  return new zeromq.Dealer({
    context,
    ...COMMON,
    ...curve(keys),
    ...SENDING,
    maxMessageSize: MAX_FRAME_BYTES,
    immediate: true,
    probeRouter: true,
    reconnectInterval: NEVER_MS,
  })
}

/** Return a SUB. */
export function subscriber({ zeromq, context }, keys = null) {
  return new zeromq.Subscriber({
    context,
    ...COMMON,
    ...curve(keys),
    maxMessageSize: MAX_FRAME_BYTES,
    reconnectInterval: reconnectMs(),
    connectTimeout: CONNECT_MS,
  })
}

/** Return an XPUB that reports every subscription, those that it knows already, too. */
export function publisher({ zeromq, context }, keys = null) {
  return new zeromq.XPublisher({
    context,
    ...COMMON,
    ...curve(keys),
    ...SENDING,
    maxMessageSize: MAX_SUBSCRIPTION_BYTES,
    verbosity: 'allSubs',
    reconnectInterval: reconnectMs(),
    connectTimeout: CONNECT_MS,
  })
}

// Drawn here: what libzmq adds to it is the same in every process.
function reconnectMs() {
  return 50 + Math.floor(Math.random() * 51)
}

/** Connect to an address, of IPv4, of IPv6 or of a Unix socket. */
export function connect(socket, address) {
  // Not always on: a socket for IPv6 writes 127.0.0.1 as ::ffff:127.0.0.1, also in events.
  socket.ipv6 = address.host?.includes(':') ?? false
  socket.connect(String(address))
}

/** End the connection to an address, if there is one. */
export function disconnect(socket, address) {
  if (socket.closed) return
  try {
    socket.disconnect(String(address))
  } catch {
    // libzmq itself has given it up
  }
}

/**
 * Call `then(event)` for every event `name` of the connection of `socket`, until it is closed.
 * Its observer must not be closed by itself: the reader within the library fails then, where nobody can catch it.
 */
export function onEvent(socket, name, then) {
  socket.events.on(name, (event) => {
    if (!socket.closed) attempt(then, event)
  })
}

function attempt(then, value) {
  try {
    then(value)
  } catch (error) {
    process.nextTick(() => {
      throw error // on the loop, where the program can see it: the reader goes on
    })
  }
}

/**
 * Give every message of `socket` to `take`, until it is closed.
 * @param {object} socket A socket that receives.
 * @param {(frames: Buffer[]) => void} take What it throws is thrown on the loop, and the next message is read.
 */
export async function receiveAll(socket, take) {
  try {
    for await (const frames of socket) attempt(take, frames)
  } catch (error) {
    if (!socket.closed) throw error // closed while it waited
  }
}
