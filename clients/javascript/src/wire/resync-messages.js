// The messages after a reconnect, page by page. Spec: docs/spec/09-resync.md, "Messages". Pure.
//
// A page is the items of one directed message. RESEND goes from a caller to the proxy ("this task of
// mine is open") and from the proxy to workers ("do you have it?"). CLAIM lists the tasks of a worker,
// WORKERS lists instances.
import { readAddress } from './addresses.js'
import { KEEP, MAX_ITEMS, MAX_NUMBER, VERB, item } from './heads.js'
import { WireError } from './wire-error.js'

/**
 * A task that is open at its caller.
 * @typedef {{ task: Buffer, trace: Buffer, nextIndex: number, leftMs: number, keep: boolean,
 *   address?: string }} Opened `address`: where it was sent, so that no other worker may claim it
 * A task that a worker has, or had; `claim` is one of CLAIM.
 * @typedef {{ caller: Buffer, task: Buffer, trace: Buffer, neuronId: string, claim: number,
 *   leftMs: number, keep: boolean }} Held
 */

/** Kind of a RESEND from a caller. */
export const RESEND = Object.freeze({ OPEN: 0, END: 1, GAP: 2 })
/** Kind of a CLAIM: the state of a task at its worker; END ends an answer. */
export const CLAIM = Object.freeze({ RUNNING: 0, ANSWERED: 1, FORGOTTEN: 2, END: 3 })
/** Bits of the kind of a WORKERS. */
export const WORKERS = Object.freeze({ FIRST: 1, LAST: 2, LEFT: 4, UNCONFIRMED: 8 })

/** Tasks of one query: its answer has a claim for each, and the mark of its end. */
export const MAX_ASKED = MAX_ITEMS - 1
/** Instances of one WORKERS. */
const WORKERS_PAGE = 1024
const ID_BYTES = 16
const INDEX_BYTES = 4
/** A longer address is not said, so that a page of them has room. */
const MAX_ADDRESS_BYTES = 1024

const chunks = (rows, size) => {
  const made = []
  for (let at = 0; at < rows.length; at += size) made.push(rows.slice(at, at + size))
  return made
}
const milliseconds = (leftMs) => Math.max(0, Math.min(MAX_NUMBER, Math.floor(leftMs)))

function openedItem(kind, { task, trace, nextIndex, leftMs, keep, address = '' }) {
  const isSaid = kind === RESEND.OPEN && address.length <= MAX_ADDRESS_BYTES
  const body = Buffer.alloc(INDEX_BYTES + (isSaid ? address.length : 0))
  body.writeUInt32BE(nextIndex)
  if (isSaid) body.latin1Write(address, INDEX_BYTES)
  const number = milliseconds(leftMs)
  return item(VERB.RESEND, { flags: keep ? KEEP : 0, kind, number, task, trace, body })
}

/**
 * Return the pages with which a caller lists open tasks, without the end of the list.
 * @param {Opened[]} opened
 * @returns {import('./heads.js').Item[][]}
 */
export const openedPages = (opened) =>
  chunks(opened, MAX_ASKED).map((page) => page.map((each) => openedItem(RESEND.OPEN, each)))

/** Return the item of a caller that misses replies of one task. @param {Opened} opened */
export const gapItem = (opened) => openedItem(RESEND.GAP, opened)

/** Return the page that ends the list of open tasks. */
export const endOfList = () => [item(VERB.RESEND, { kind: RESEND.END })]

function claimItem({ caller, task, trace, neuronId, claim, leftMs, keep }) {
  const body = Buffer.concat([caller, Buffer.from(neuronId, 'latin1')])
  const number = milliseconds(leftMs)
  return item(VERB.CLAIM, { flags: keep ? KEEP : 0, kind: claim, number, task, trace, body })
}

/** Return the pages with which a worker lists its tasks unasked. @param {Held[]} held */
export const claimPages = (held) =>
  chunks(held, MAX_ITEMS).map((page) => page.map((each) => claimItem(each)))

/** Return the items that answer a query: a claim for each task, at most 63, and END. @param {Held[]} held */
export const answerItems = (held) => [
  ...held.map((each) => claimItem(each)),
  item(VERB.CLAIM, { kind: CLAIM.END }),
]

/**
 * Return the pages that name workers to the proxy: at least one, the last of them marked.
 * @param {Buffer[]} instances 16 bytes each
 * @param {{ isComplete: boolean, unconfirmed?: Buffer[] }} options `isComplete`: false leaves the mark
 *   of completeness off; `unconfirmed`: more of them, which count only if they were workers of this proxy
 */
export function workersPages(instances, { isComplete, unconfirmed = [] }) {
  const named = chunks(instances, WORKERS_PAGE)
  const pages = [
    ...chunks(unconfirmed, WORKERS_PAGE).map((ids) => [ids, WORKERS.UNCONFIRMED]),
    ...(named.length > 0 ? named : [[]]).map((ids) => [ids, 0]),
  ]
  return pages.map(([ids, bits], at) => {
    const first = at === 0 ? WORKERS.FIRST : 0
    const last = isComplete && at === pages.length - 1 ? WORKERS.LAST : 0
    return [item(VERB.WORKERS, { kind: bits | first | last, body: Buffer.concat(ids) })]
  })
}

/** Return the page with which a client asks to be told of workers (*tell me*). */
export const tellMe = () => [item(VERB.WORKERS)]

/**
 * Read one task of a list of open tasks; the twin of openedPages, for a proxy in a test.
 * @param {import('./heads.js').Item} each a RESEND of the kind OPEN or GAP
 * @returns {Opened}
 * @throws {WireError} `bad_list` or `bad_address`: it has no index, or an address that is none.
 */
export function readOpened({ kind, flags, number, task, trace, body }) {
  const size = body.length
  if (size < INDEX_BYTES || (size > INDEX_BYTES && kind !== RESEND.OPEN))
    throw new WireError('bad_list', 'an open task has 4 bytes of index')
  const address = body.latin1Slice(INDEX_BYTES, size)
  if (address !== '' && readAddress(address) === null)
    throw new WireError('bad_address', 'an open task has an invalid address')
  const keep = (flags & KEEP) !== 0
  const opened = { task, trace, nextIndex: body.readUInt32BE(), leftMs: number, keep }
  return address === '' ? opened : { ...opened, address }
}

/**
 * Read one claim of a worker; the twin of claimPages, for a proxy in a test.
 * @param {import('./heads.js').Item} each a CLAIM of any kind but END
 * @returns {Held}
 * @throws {WireError} `bad_claim` or `bad_address`: its state, caller or seat is missing or invalid.
 */
export function readClaim({ kind, flags, number, task, trace, body }) {
  if (kind > CLAIM.FORGOTTEN) throw new WireError('bad_claim', `a claim of kind ${kind}`)
  if (body.length < ID_BYTES) throw new WireError('bad_claim', 'a claim names a caller')
  const address = readAddress(body.latin1Slice(ID_BYTES, body.length))
  if (address === null) throw new WireError('bad_address', 'a claim has an invalid seat')
  if (address.name === null) throw new WireError('bad_claim', 'a claim names a seat')
  const caller = body.subarray(0, ID_BYTES)
  const keep = (flags & KEEP) !== 0
  return { caller, task, trace, neuronId: address.name, claim: kind, leftMs: number, keep }
}

/**
 * Read the instances of a WORKERS.
 * @param {Buffer} body
 * @returns {Buffer[]} 16 bytes each, copied: they are kept
 * @throws {WireError} `bad_workers`: it is too long, or cut off.
 */
export function readWorkers(body) {
  if (body.length % ID_BYTES !== 0 || body.length > WORKERS_PAGE * ID_BYTES)
    throw new WireError('bad_workers', `at most ${WORKERS_PAGE} ids of ${ID_BYTES} bytes`)
  const all = Buffer.from(body)
  const ids = []
  for (let at = 0; at < all.length; at += ID_BYTES) ids.push(all.subarray(at, at + ID_BYTES))
  return ids
}
