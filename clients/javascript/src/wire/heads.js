// Heads and items of directed messages: docs/spec/01-wire.md. Pure. Nobody else indexes into a head.
//
//   head     version u8, flags u8, peer 16, count u8, then `count` items of 43 bytes, then the address
//   item     verb u8, flags u8, kind u8, number u32, task 16, trace 16, size u32
//   body     the bodies of the items, one after the other

/** Version of the wire that this client speaks. */
export const VERSION = 1

/** Code of each verb. */
export const VERB = Object.freeze({
  HELLO: 1,
  WELCOME: 2,
  REFUSED: 3,
  WHO: 4,
  PING: 5,
  REGISTER: 6,
  DEREGISTER: 7,
  HEARTBEAT: 8,
  ROSTER: 9,
  TASK: 10,
  REPLY: 11,
  CANCEL: 12,
  BOUNCE: 13,
  LOST: 14,
  CLAIM: 15,
  RESEND: 16,
  GOING_AWAY: 17,
  GOODBYE: 18,
  WORKERS: 19,
  PUBLISH: 20,
  USERS: 21,
  ROLE: 22,
})

/** Flag of a REPLY: the last one of its task. */
export const SETTLES = 1
/** Flag of a TASK, RESEND or CLAIM: the task runs on when its caller goes away. */
export const KEEP = 2
/** Flag of a REPLY: those missing before it are kept no longer. */
export const SKIPS = 4
/** Flag of a TASK: its caller reads runs; of a REPLY: it is a run of replies. */
export const RUN = 8

/** Bits of the number of a PUBLISH: for whom it is meant, besides those who listen. */
export const RECIPIENTS = Object.freeze({ HOSTS: 1, OFFERS: 2, PEER: 4, CALLERS: 8 })

/** Every reason that the body of a BOUNCE or a LOST can have; `unknown` stands for any other. */
export const REASONS = Object.freeze([
  'no_route',
  'busy',
  'expired',
  'bad_address',
  'forbidden',
  'hello_first',
  'going_away',
  'worker_lost',
  'not_started',
  'reply_lost',
  'reply_waits',
  'unknown',
])
const KNOWN_REASONS = new Set(REASONS)
const MAX_REASON_BYTES = Math.max(...REASONS.map((reason) => reason.length))

/** Sixteen zero bytes: no peer, no task, no trace. */
export const ZERO = Buffer.alloc(16)
/** The empty body. */
export const NO_BODY = Buffer.alloc(0)

export const MAX_ITEMS = 64
/** Limit of a bundle: one below MAX_ITEMS, since a bundle that comes back has a mark in front. */
export const MAX_BUNDLED_ITEMS = MAX_ITEMS - 1
/** Limit of the bodies of a message with several items, in bytes. */
export const MAX_COALESCED_BYTES = 256 * 1024
/** A larger body travels alone: copying it costs more than a message of its own. In bytes. */
export const MAX_BUNDLED_BODY_BYTES = 16 * 1024
/** Highest number of an item: remaining milliseconds, or the index of a reply. */
export const MAX_NUMBER = 0xffff_ffff

const PREFIX_BYTES = 19
const ITEM_BYTES = 43
const PEER_AT = 2
const COUNT_AT = 18
export const MAX_HEAD_BYTES = PREFIX_BYTES + MAX_ITEMS * ITEM_BYTES + 4096

/**
 * One item of a message. `number` is the remaining time in ms on a TASK, RESEND or CLAIM, the
 * index of the reply on a REPLY, and bits of RECIPIENTS on a PUBLISH. `task` and `trace` have 16 bytes.
 * @typedef {{ verb: number, flags: number, kind: number, number: number, task: Buffer,
 *   trace: Buffer, body: Buffer }} Item
 * @typedef {{ peer: Buffer, address: string, items: Item[] }} Message
 */

/**
 * Make an item; what is left out is zero or empty.
 * @param {number} verb one of VERB
 * @param {Partial<Item>} [fields]
 * @returns {Item}
 */
export const item = (
  verb,
  { flags = 0, kind = 0, number = 0, task = ZERO, trace = ZERO, body = NO_BODY } = {},
) => ({ verb, flags, kind, number, task, trace, body })

/** An id that may be kept: a view would keep alive all that was read from the socket with it. */
function id16(head, at) {
  // As cheap as a view: both make one Buffer, and the bytes are copied by hand.
  const id = Buffer.allocUnsafe(16)
  for (let i = 0; i < 16; i++) id[i] = head[at + i]
  return id
}

function copy16(target, at, source) {
  // By hand: for 16 bytes a call of TypedArray.set costs several times as much.
  for (let i = 0; i < 16; i++) target[at + i] = source[i]
}

function writeItem(head, at, each) {
  head[at] = each.verb
  head[at + 1] = each.flags
  head[at + 2] = each.kind
  writeU32(head, at + 3, each.number)
  copy16(head, at + 7, each.task)
  copy16(head, at + 23, each.trace)
  writeU32(head, at + 39, each.body.length)
}

/** Write an unsigned number of 32 bits, big-endian; by hand, as it is on the path of every call. */
export function writeU32(head, at, value) {
  head[at] = value >>> 24
  head[at + 1] = value >>> 16
  head[at + 2] = value >>> 8
  head[at + 3] = value
}

const readU32 = (head, at) =>
  head[at] * 0x100_0000 + ((head[at + 1] << 16) | (head[at + 2] << 8) | head[at + 3])

function startHead(count, address, peer) {
  const end = PREFIX_BYTES + ITEM_BYTES * count
  const head = Buffer.allocUnsafe(end + address.length)
  head[0] = VERSION
  head[1] = 0
  copy16(head, PEER_AT, peer)
  head[COUNT_AT] = count
  // Names and addresses are ASCII by their grammar.
  if (address.length > 0) head.latin1Write(address, end, address.length)
  return head
}

/**
 * Make the head of one item; the hot path, without an array.
 * @param {Item} each
 * @param {string} [address] '' for none
 * @param {Uint8Array} [peer] 16 bytes
 * @returns {Buffer}
 */
export function packHead(each, address = '', peer = ZERO) {
  const head = startHead(1, address, peer)
  writeItem(head, PREFIX_BYTES, each)
  return head
}

/**
 * Make a directed message of 1 to 64 items, whose numbers are whole and at most MAX_NUMBER.
 * @param {Item[]} items
 * @param {string} [address] '' for none
 * @param {Uint8Array} [peer] 16 bytes
 * @returns {[Buffer, Buffer]} head and body
 * @throws {RangeError} There is no item, or there are more than 64.
 */
export function packMessage(items, address = '', peer = ZERO) {
  const count = items.length
  if (count === 1) return [packHead(items[0], address, peer), items[0].body]
  if (count === 0 || count > MAX_ITEMS)
    throw new RangeError(`a message has 1 to ${MAX_ITEMS} items, not ${count}`)
  const head = startHead(count, address, peer)
  const bodies = new Array(count)
  for (let i = 0, at = PREFIX_BYTES; i < count; i++, at += ITEM_BYTES) {
    writeItem(head, at, items[i])
    bodies[i] = items[i].body
  }
  return [head, Buffer.concat(bodies)]
}

/**
 * Read a directed message. Its ids may be kept; bodies are views of what came.
 * @param {Buffer} head
 * @param {Buffer} body
 * @returns {Message | string} the message, or the reason why it is dropped: `long_head`,
 *   `version`, `short_head`, `item_count`, `coalesced_size` or `body_length`
 */
export function parseMessage(head, body) {
  const fault = headFault(head)
  if (fault !== null) return fault
  const count = head[COUNT_AT]
  if (count > 1 && body.length > MAX_COALESCED_BYTES) return 'coalesced_size'
  const items = new Array(count)
  let start = 0
  let at = PREFIX_BYTES
  for (let i = 0; i < count; i++, at += ITEM_BYTES) {
    const size = readU32(head, at + 39)
    if (start + size > body.length) return 'body_length'
    items[i] = {
      verb: head[at],
      flags: head[at + 1],
      kind: head[at + 2],
      number: readU32(head, at + 3),
      task: id16(head, at + 7),
      trace: id16(head, at + 23),
      body: count === 1 ? body : body.subarray(start, start + size),
    }
    start += size
  }
  if (start !== body.length) return 'body_length'
  // A character beyond ASCII has no place in an address: it stays one, and no name equals it.
  const address = at === head.length ? '' : head.latin1Slice(at, head.length)
  return { peer: id16(head, PEER_AT), address, items }
}

function headFault(head) {
  const length = head.length
  if (length > MAX_HEAD_BYTES) return 'long_head'
  if (length > 0 && head[0] !== VERSION) return 'version'
  if (length < PREFIX_BYTES) return 'short_head'
  const count = head[COUNT_AT]
  if (count === 0 || count > MAX_ITEMS) return length < 62 ? 'short_head' : 'item_count'
  return length < PREFIX_BYTES + ITEM_BYTES * count ? 'short_head' : null
}

/**
 * Take off the mark of a message that came back whole (02-session.md, "Messages ahead of HELLO").
 * @param {Message} message
 * @returns {{ reason: string, items: Item[] } | null} the reason and the items as they were sent;
 *   null for any other message
 */
export function returnedWhole({ items }) {
  if (items.length < 2 || items[0].verb !== VERB.BOUNCE) return null
  return { reason: readReason(items[0].body), items: items.slice(1) }
}

/**
 * Read the reason of a BOUNCE or a LOST.
 * @param {Buffer} body
 * @returns {string} one of REASONS
 */
export function readReason(body) {
  if (body.length > MAX_REASON_BYTES) return 'unknown'
  const reason = body.latin1Slice(0, body.length)
  return KNOWN_REASONS.has(reason) ? reason : 'unknown'
}
