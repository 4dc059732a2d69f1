// Heads, items, addresses, topics: docs/spec/01-wire.md. Nobody else indexes into a frame.
export const VERB = {
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
}
export const SETTLES = 1,
  KEEP = 2,
  SKIPS = 4
export const ZERO = Buffer.alloc(16)
export const NO_BODY = Buffer.alloc(0)
const ITEM = 43,
  PREFIX = 19
const NAME = /^[A-Za-z0-9._-]{1,128}$/

export const isName = (text) =>
  NAME.test(text) && text !== '.' && text !== '..' && !text.endsWith('\n')

/** @typedef {{verb:number, flags:number, kind:number, number:number, task:Buffer, trace:Buffer, body:Buffer}} Item */

/** One directed message: [head, body]. @param {Item[]} items */
export function packMessage(items, address = '', peer = ZERO) {
  const n = items.length
  const head = Buffer.allocUnsafe(PREFIX + ITEM * n + address.length)
  head[0] = 1
  head[1] = 0
  head[18] = n
  head.set(peer, 2)
  let at = PREFIX
  for (let i = 0; i < n; i++) {
    const item = items[i]
    head[at] = item.verb
    head[at + 1] = item.flags
    head[at + 2] = item.kind
    head.writeUInt32BE(item.number, at + 3)
    head.set(item.task, at + 7)
    head.set(item.trace, at + 23)
    head.writeUInt32BE(item.body.length, at + 39)
    at += ITEM
  }
  if (address) head.latin1Write(address, at, address.length)
  return [head, n === 1 ? items[0].body : Buffer.concat(items.map((item) => item.body))]
}

/** The same undone, or a text that says why it is dropped. @returns {{peer:Buffer, address:string, items:Item[]} | string} */
export function parseMessage(head, body) {
  if (head.length > 6867) return 'long_head'
  if (head.length >= 1 && head[0] !== 1) return 'version'
  if (head.length < PREFIX) return 'short_head'
  const n = head[18]
  if (n < 1 || n > 64) return 'item_count'
  if (head.length < PREFIX + ITEM * n) return 'short_head'
  const items = new Array(n)
  let at = PREFIX,
    start = 0
  for (let i = 0; i < n; i++) {
    const size = head.readUInt32BE(at + 39)
    if (start + size > body.length) return 'body_length'
    items[i] = {
      verb: head[at],
      flags: head[at + 1],
      kind: head[at + 2],
      number: head.readUInt32BE(at + 3),
      task: head.subarray(at + 7, at + 23),
      trace: head.subarray(at + 23, at + 39),
      body: n === 1 ? body : body.subarray(start, start + size),
    }
    start += size
    at += ITEM
  }
  if (start !== body.length) return 'body_length'
  if (n > 1 && body.length > 262144) return 'coalesced_size'
  return {
    peer: head.subarray(2, 18),
    address: at === head.length ? '' : head.toString('utf8', at),
    items,
  }
}

export function addressOf(neuron, capabilities) {
  if (neuron !== undefined) {
    if (!isName(neuron)) throw new RangeError(`${JSON.stringify(neuron)} is no name`)
    return neuron
  }
  const sorted = [...new Set(capabilities)].sort()
  for (const name of sorted)
    if (!isName(name)) throw new RangeError(`${JSON.stringify(name)} is no capability`)
  if (sorted.length === 0) throw new RangeError('neuron or capabilities is needed')
  return '?' + sorted.join(',')
}

export const kindTopic = (namespace, code) => `${namespace}/t/${code}/`
export const traceTopic = (namespace, trace) => `${namespace}/r/${trace.toString('hex')}/`
export const syncTopic = (namespace, instance, turn) =>
  `${namespace}/_sync/${instance.toString('hex')}-${turn}/`
export const SENTINEL = '~live/'

export function packHeader(publisher, sequence, caller = ZERO, worker = ZERO) {
  const header = Buffer.allocUnsafe(56)
  header.set(publisher, 0)
  header.writeBigUInt64BE(BigInt(sequence), 16)
  header.set(caller, 24)
  header.set(worker, 40)
  return header
}
/** The messages of a broadcast, one or a batch of them; or a text that says why it is dropped. */
export function parseBroadcast(header, body) {
  const extra = header.length - 56
  if (extra < 0 || extra % 4 !== 0 || extra === 4 || extra > 256) return 'bad_header'
  const publisher = header.subarray(0, 16),
    first = header.readBigUInt64BE(16),
    caller = header.subarray(24, 40),
    worker = header.subarray(40, 56)
  if (extra === 0) return { publisher, first, caller, worker, bodies: [body] }
  const bodies = []
  let start = 0
  for (let at = 56; at < header.length; at += 4) {
    const size = header.readUInt32BE(at)
    bodies.push(body.subarray(start, start + size))
    start += size
  }
  return start === body.length ? { publisher, first, caller, worker, bodies } : 'body_length'
}
