// Small messages to one target, bundled into one message. Spec: docs/spec/01-wire.md, "Bundles". Pure.
//
// A message costs far more than an item of it. Every item is a whole message before and after, and
// keeps its own outcome.
import {
  MAX_BUNDLED_BODY_BYTES,
  MAX_BUNDLED_ITEMS,
  MAX_COALESCED_BYTES,
  VERB,
} from '../wire/wire.js'

/** Tell whether a body may travel with others: copying a larger one costs more than a message. */
export const isBundled = (body) => body.length <= MAX_BUNDLED_BODY_BYTES

/** The messages that a client gathers in one turn of its loop. */
export class Bundler {
  #bundles = []
  #open = new Map()
  #last = null
  /** How many messages are gathered. */
  count = 0

  /**
   * Put a message into the bundle of its target.
   * @param {import('../wire/heads.js').Item} item a TASK or a REPLY with a body of at most 16 KiB
   * @param {string} address
   * @param {Buffer} peer 16 bytes
   */
  add(item, address, peer) {
    const last = this.#last
    const bundle =
      last !== null && isFor(last, item, address, peer) ? last : this.#find(item, address, peer)
    this.#last = hasRoom(bundle, item) ? bundle : this.#begin(item, address, peer)
    this.#last.items.push(item)
    this.#last.bytes += item.body.length
    this.count++
  }

  /**
   * Remove and return the bundles, in the order in which they were begun; so in the order of
   * arrival within a target.
   * @returns {import('./outbox.js').Unsent[]}
   */
  take() {
    const bundles = this.#bundles
    if (bundles.length === 0) return bundles
    this.#bundles = []
    this.#open.clear()
    this.#last = null
    this.count = 0
    return bundles
  }

  #find(item, address, peer) {
    return this.#open.get(keyOf(item, address, peer)) ?? this.#begin(item, address, peer)
  }

  #begin(item, address, peer) {
    const bundle = { verb: item.verb, items: [], address, peer, bytes: 0 }
    this.#bundles.push(bundle)
    this.#open.set(keyOf(item, address, peer), bundle)
    return bundle
  }
}

const hasRoom = (bundle, item) =>
  bundle.items.length < MAX_BUNDLED_ITEMS && bundle.bytes + item.body.length <= MAX_COALESCED_BYTES

// The target is verb, peer and address. A TASK of a client has no peer, and a REPLY no address.
function isFor(bundle, item, address, peer) {
  if (bundle.verb !== item.verb) return false
  return item.verb === VERB.TASK ? bundle.address === address : isSame(bundle.peer, peer)
}

function isSame(one, other) {
  if (one === other) return true
  for (let at = 0; at < 16; at++) if (one[at] !== other[at]) return false
  return true
}

// The first character keeps the two apart.
const keyOf = (item, address, peer) =>
  item.verb === VERB.TASK ? `t${address}` : `r${peer.latin1Slice(0, 16)}`
