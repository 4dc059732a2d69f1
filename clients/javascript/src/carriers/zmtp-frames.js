// The bytes that a ZMTP 3.1 peer with the mechanism NULL sends. Pure.
// Spec: docs/spec/10-zmtp.md, after ZMTP 3.1, https://rfc.zeromq.org/spec/37.

export const MORE = 1
export const LONG = 2
export const COMMAND = 4
/** Largest body of a frame with a size of one byte. */
const SHORT_MAX = 255
/** Most bytes in front of the body of a frame. */
export const MAX_HEAD_BYTES = 9
const TWO_32 = 2 ** 32
const EMPTY = Buffer.alloc(0)

/** The beginning of the greeting: signature and version. A peer names its mechanism in answer to it. */
export const OPENING = Buffer.from('ff00000000000000017f0301', 'hex')
/** The rest of the greeting: the mechanism NULL. */
export const GREETING_REST = Buffer.concat([Buffer.from('NULL'), Buffer.alloc(48)])
export const GREETING = Buffer.concat([OPENING, GREETING_REST])

/**
 * Write the flags and the size of a frame into `out` at `at`.
 * @returns {number} The place behind them: 2 or 9 bytes on.
 */
export function writeHead(out, at, flags, size) {
  if (size <= SHORT_MAX) {
    out[at] = flags
    out[at + 1] = size
    return at + 2
  }
  out[at] = flags | LONG
  out.writeUInt32BE(Math.floor(size / TWO_32), at + 1)
  out.writeUInt32BE(size % TWO_32, at + 5)
  return at + MAX_HEAD_BYTES
}

/** Return a whole frame. */
export function frame(flags, body) {
  const out = Buffer.allocUnsafe(MAX_HEAD_BYTES + body.length)
  const at = writeHead(out, 0, flags, body.length)
  out.set(body, at)
  return out.subarray(0, at + body.length)
}

/** Return a command as a frame: its name, then `body`. */
export function command(name, body = EMPTY) {
  return frame(
    COMMAND,
    Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1'), body]),
  )
}

/** Return the command READY of a socket of type `socketType`, such as DEALER. */
export function ready(socketType) {
  const properties = [property('Socket-Type', socketType)]
  if (socketType === 'DEALER') properties.push(property('Identity', '')) // the ROUTER assigns one
  return command('READY', Buffer.concat(properties))
}

function property(name, value) {
  const out = Buffer.alloc(1 + name.length + 4 + value.length)
  out[0] = name.length
  out.write(name, 1, 'latin1')
  out.writeUInt32BE(value.length, 1 + name.length)
  out.write(value, 5 + name.length, 'latin1')
  return out
}

/** A PING without a limit of our own: the far end knows best how long it waits for us. */
export const PING = command('PING', Buffer.alloc(2))
/** An empty message: the probe of docs/spec/02-session.md. */
export const PROBE = frame(0, EMPTY)

/** Return the answer to a PING with its context. */
export const pong = (context) => command('PONG', context)

/**
 * Return a subscription, or the end of one.
 * @param {string} topic One character a byte.
 * @param {boolean} joins False for the end.
 * @param {number} minor The version of the far end: a command since 3.1, a message in 3.0.
 */
export function subscription(topic, joins, minor) {
  const bytes = Buffer.from(topic, 'latin1')
  if (minor >= 1) return command(joins ? 'SUBSCRIBE' : 'CANCEL', bytes)
  return frame(0, Buffer.concat([Buffer.from([joins ? 1 : 0]), bytes]))
}
