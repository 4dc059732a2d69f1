// Keys as texts: a prefix, and base 32 of the 32 bytes and of a checksum. Spec: docs/spec/11-access.md. Pure.
import { InvalidKey } from '../errors.js'
import { blake2b } from '../signals/blake2b.js'

/** The prefix of a public key, and that of a secret one: neither is ever taken for the other. */
export const PUBLIC = 'cpk_'
export const SECRET = 'csk_'
const KINDS = { [PUBLIC]: 'public', [SECRET]: 'secret' }

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567' // RFC 4648, in lower case
const KEY_BYTES = 32
const CHECK_BYTES = 4
const TEXT_CHARS = 58
const FORM = /^[a-z2-7]{58}$/

const checksum = (prefix, bytes) => blake2b(bytes, prefix, CHECK_BYTES)

/**
 * Return a key as a text.
 * @param {string} prefix PUBLIC or SECRET
 * @param {Uint8Array} bytes 32 bytes
 * @returns {string} 62 characters
 */
export function keyText(prefix, bytes) {
  let text = prefix
  let bits = 0
  let have = 0
  for (const byte of Buffer.concat([bytes, checksum(prefix, bytes)])) {
    bits = ((bits << 8) | byte) & 0xfff
    have += 8
    for (; have >= 5; have -= 5) text += DIGITS[(bits >> (have - 5)) & 31]
  }
  return have === 0 ? text : text + DIGITS[(bits << (5 - have)) & 31]
}

/**
 * Read a key. No text of an error has any part of a key.
 * @param {string} prefix PUBLIC or SECRET
 * @param {unknown} text
 * @param {string} what For the error: the file, or the option.
 * @returns {Buffer} 32 bytes
 * @throws {InvalidKey} It is none of that kind, or a character of it is wrong.
 */
export function readKeyText(prefix, text, what) {
  const kind = KINDS[prefix]
  const fail = (fault) => {
    throw new InvalidKey(what, `its ${kind} key ${fault}`)
  }
  if (typeof text !== 'string') fail(`must be a text that begins with ${prefix}`)
  const other = prefix === PUBLIC ? SECRET : PUBLIC
  if (text.startsWith(other)) fail(`is a ${KINDS[other]} one: it must begin with ${prefix}`)
  if (!text.startsWith(prefix)) fail(`must begin with ${prefix}`)
  const digits = text.slice(prefix.length)
  if (!FORM.test(digits))
    fail(`must be ${prefix} and ${TEXT_CHARS} characters of a-z and 2-7: copy it again, whole`)
  const bytes = bytesOf(digits)
  const key = bytes.subarray(0, KEY_BYTES)
  const isRight = keyText(prefix, key) === text
  if (!isRight) fail('has a mistake in it, as its checksum shows: copy it again, whole')
  return key
}

function bytesOf(digits) {
  const bytes = Buffer.alloc(KEY_BYTES + CHECK_BYTES)
  let bits = 0
  let have = 0
  let at = 0
  for (const digit of digits) {
    bits = ((bits << 5) | DIGITS.indexOf(digit)) & 0xfff
    have += 5
    if (have < 8) continue
    have -= 8
    bytes[at++] = bits >> have
  }
  return bytes
}
