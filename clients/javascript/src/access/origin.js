// Who a user is in an instance id. Spec: docs/spec/11-access.md. Pure.
import { blake2b, instanceOf } from '../signals/blake2b.js'

const TAG_BYTES = 4
const HASH_BYTES = 12

/**
 * Return the 4 bytes with which the instance ids of a user end, where keys are in use.
 * @param {string} user the name of its key
 * @returns {Buffer}
 */
export const tagOf = (user) => blake2b(Buffer.from(user), 'user', TAG_BYTES)

/**
 * Return the instance id that belongs to a secret of a user.
 * @param {Uint8Array} secret 16 bytes
 * @param {string} user the name of its key; empty without keys
 * @returns {Buffer} 16 bytes
 */
export function instanceOfUser(secret, user) {
  const hashed = instanceOf(secret)
  return user === '' ? hashed : Buffer.concat([hashed.subarray(0, HASH_BYTES), tagOf(user)])
}

/**
 * The users that may be in a namespace, as a proxy with keys names them, found by their instance ids. Nothing marks the
 * last page of a list, so the list before it counts beside it until `onWelcomed`, or until the next list.
 */
export class Users {
  #names = new Map() // by tag
  #earlier = new Map()

  /**
   * Add a page of names.
   * @param {number} page 0 is the first one of a new list
   * @param {string[]} names
   */
  add(page, names) {
    if (page === 0) {
      this.#earlier = this.#names
      this.#names = new Map()
    }
    for (const name of names) this.#names.set(tagOf(name).latin1Slice(0, TAG_BYTES), name)
  }

  /** Forget who is not in the latest list: all of it comes ahead of a WELCOME. */
  onWelcomed() {
    this.#earlier = new Map()
  }

  /** Forget everybody: the proxy has no keys. */
  clear() {
    this.#names = new Map()
    this.#earlier = new Map()
  }

  /** Return the user of an instance id, which came from the proxy; null if that is not known. */
  of(instance) {
    if (this.#names.size === 0) return null
    const tag = instance.latin1Slice(HASH_BYTES, HASH_BYTES + TAG_BYTES)
    return this.#names.get(tag) ?? this.#earlier.get(tag) ?? null
  }
}
