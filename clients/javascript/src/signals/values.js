// What payload and meta may hold: docs/spec/07-signals.md, "Values". Pure.
//
// Two things are lost on the way through a JavaScript object, and neither means anything on the wire:
// whether a whole number was a float (see Float), and the order of keys that look like integers, which
// an object puts first. A Map is written in its own order.

/** Levels of containers below payload or meta. */
export const MAX_DEPTH = 200
/** Elements of one container. */
export const MAX_ELEMENTS = 1 << 20

/**
 * A number that travels as a float even when it is whole. JavaScript has one type of number, so 2
 * and 2.0 are the same; `new Float(2)` arrives in Python as 2.0. A Dendrite with `floats: true`
 * gives the whole floats that it reads in the same form; else they are plain numbers.
 */
export class Float {
  /** @param {number} value */
  constructor(value) {
    this.value = Number(value)
  }
  valueOf() {
    return this.value
  }
  toJSON() {
    return this.value
  }
}

/**
 * Tell whether a value is a plain object: a map on the wire.
 * @param {object} value no array and no bytes
 * @returns {boolean}
 */
export function isPlain(value) {
  const proto = Object.getPrototypeOf(value)
  // The third case is an object of another realm (node:vm, a test runner): its prototype is a root.
  return proto === Object.prototype || proto === null || Object.getPrototypeOf(proto) === null
}

const MAX_PATH_CHARS = 200

/**
 * Spell the place of a value: `payload.input.items[3]`.
 * @param {string} root
 * @param {(string | number)[]} keys a text for a map, a number for an array
 * @param {number} depth how many of the keys count
 * @returns {string} at most 200 characters
 */
export function pathOf(root, keys, depth) {
  let path = root
  for (let i = 0; i < depth && path.length <= MAX_PATH_CHARS; i++)
    path += typeof keys[i] === 'number' ? `[${keys[i]}]` : `.${keys[i]}`
  return path.length > MAX_PATH_CHARS ? path.slice(0, MAX_PATH_CHARS) + '…' : path
}
