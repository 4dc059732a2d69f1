// The key of one user: all that a client needs to join a Synapse with keys. Spec: docs/spec/11-access.md.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { inspect } from 'node:util'
import { InvalidKey, shown } from '../errors.js'
import { isName } from '../wire/addresses.js'
import { readKeyFile } from './key-file.js'
import { PUBLIC, SECRET, keyText, readKeyText } from './key-texts.js'

const FIELDS = ['name', 'public', 'secret', 'synapse', 'url']
const NEEDED = FIELDS.slice(0, 4)
const REMEDY = "make it again with 'cosmo keys new'"

/**
 * Return what a carrier needs of a Key: keys of 32 bytes.
 * @type {(key: Key) => { user: string, public: Buffer, secret: Buffer, proxies: Buffer[] }} `proxies`: those that the
 *   Synapse may have.
 */
export let curveOf

/**
 * A key pair, the name under which a Synapse lists it, and the public keys of that Synapse.
 *
 *     const synapse = await connectSynapse('cosmo://10.0.0.5:7070', { key: Key.read('ada.key') })
 *
 * Its secret is shown nowhere: not by `console.log`, and not as JSON.
 */
export class Key {
  #pair
  #proxies

  /**
   * @param {object} fields Those of a file NAME.key.
   * @param {string} fields.name The name of the user.
   * @param {string} fields.public `cpk_...`
   * @param {string} fields.secret `csk_...`
   * @param {string[]} fields.synapse The public keys that the Synapse may have, `cpk_...`; during a rotation two.
   * @param {string | null} [fields.url] Where the Synapse is.
   * @param {string} [what] What to call it in an error.
   * @throws {InvalidKey} A field is missing or wrong; the text names it, and never a secret.
   */
  constructor(fields, what = 'the key') {
    checkFields(fields, what)
    const read = (prefix, text) => readKeyText(prefix, text, what)
    this.#pair = { public: read(PUBLIC, fields.public), secret: read(SECRET, fields.secret) }
    if (!publicOf(this.#pair.secret).equals(this.#pair.public))
      throw new InvalidKey(what, 'its public key does not belong to its secret key: make a new one')
    this.#proxies = fields.synapse.map((each) => read(PUBLIC, each))
    this.name = fields.name
    this.public = keyText(PUBLIC, this.#pair.public)
    this.synapse = Object.freeze([...fields.synapse])
    this.url = fields.url ?? null
    Object.freeze(this)
  }

  /**
   * Read a file NAME.key.
   * @param {string} path
   * @returns {Key}
   * @throws {InvalidKey} It is missing, others may read or change it, or a line of it is wrong.
   */
  static read(path) {
    checkPath(path)
    return new Key(readKeyFile(path), path)
  }

  toString() {
    return `Key(${this.name}, ${this.public})`
  }

  toJSON() {
    const { name, public: own, synapse, url } = this
    return { name, public: own, synapse, url }
  }

  [inspect.custom]() {
    return this.toString()
  }

  static {
    curveOf = (key) => ({ user: key.name, ...key.#pair, proxies: key.#proxies })
  }
}

/**
 * Return the Key of an option: a path, the fields of a file, or a Key.
 * @param {unknown} given
 * @returns {Key}
 * @throws {InvalidKey} It is none of these, or cannot be used.
 */
export function keyOf(given) {
  if (given instanceof Key) return given
  return typeof given === 'string' ? Key.read(given) : new Key(given)
}

function checkPath(path) {
  const isPath = typeof path === 'string' && path !== '' && !path.includes('\0')
  // Nothing of it is shown: it may be a secret.
  if (isPath && !path.startsWith(SECRET) && !path.startsWith(PUBLIC)) return
  throw new InvalidKey('the key', 'give the path of a file NAME.key, or an object with its fields')
}

const whyMissing = (field) =>
  field === 'synapse'
    ? "it does not say which Synapse it is for: add the line synapse = [...] that 'cosmo keys allow' printed where " +
      'the Synapse is'
    : `its ${field} is missing: ${REMEDY}`

function checkFields(fields, what) {
  const fail = (fault) => {
    throw new InvalidKey(what, fault)
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    fail('give the path of a file NAME.key, or an object with its fields')
  const unknown = Object.keys(fields).find((each) => !FIELDS.includes(each))
  if (unknown !== undefined)
    fail(`it has no field ${shown(unknown)}: they are ${FIELDS.join(', ')}`)
  const missing = NEEDED.find((each) => fields[each] === undefined)
  if (missing !== undefined) fail(whyMissing(missing))
  const { name, synapse, url } = fields
  if (!isName(name)) fail('its name must be 1 to 128 characters of A-Z a-z 0-9 . _ -')
  if (!Array.isArray(synapse) || synapse.length === 0)
    fail(`its synapse must be a list of at least one public key: ${REMEDY}`)
  if (url !== undefined && url !== null && typeof url !== 'string') fail('its url must be a text')
}

/** What stands in front of a secret key of X25519 in PKCS #8, RFC 8410. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** Return the public key that belongs to a secret one. */
function publicOf(secret) {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, secret]),
    format: 'der',
    type: 'pkcs8',
  })
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-secret.length)
}
