// Reads a file NAME.key, if nobody else may. Spec: docs/spec/11-access.md.
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { InvalidKey } from '../errors.js'
import { quoted } from '../runtime/shell.js'

const MAX_BYTES = 64 * 1024
const OTHERS = 0o077
const OTHERS_WRITE = 0o022
const STICKY = 0o1000
const LINE = /^\s*([A-Za-z0-9_-]+)\s*=\s*(.*)$/
/** A list of texts or one text, and a comment behind it. */
const TEXT = String.raw`"(?:[^"\\\x00-\x1f]|\\["\\bfnrtu])*"|'[^'\x00-\x1f]*'`
const LIST = String.raw`\[\s*((?:${TEXT})(?:\s*,\s*(?:${TEXT}))*\s*,?)?\s*\]`
const VALUE = new RegExp(String.raw`^(?:(${TEXT})|${LIST})\s*(?:#.*)?$`)
const TEXTS = new RegExp(TEXT, 'g')

/**
 * Return the fields of a file NAME.key.
 * @param {string} path
 * @returns {object}
 * @throws {InvalidKey} It is missing, others may read or change it, or a line of it is wrong. No line is shown.
 */
export function readKeyFile(path) {
  return fieldsOf(textOf(path), path)
}

function textOf(path) {
  const fail = (fault, cause) => {
    throw new InvalidKey(path, fault, { cause })
  }
  let file
  try {
    // It must not be replaced between the look at it and the reading; nor wait for the other end of a pipe.
    file = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
  } catch (error) {
    fail(whyNotOpened(error, path))
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) fail('it is no regular file')
    if (stats.size > MAX_BYTES) fail(`it has ${stats.size} bytes, and no key has over ${MAX_BYTES}`)
    if (process.platform !== 'win32') checkOwn(stats, path, fail)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function whyNotOpened({ code, message }, path) {
  if (code === 'ENOENT') return 'there is no such file: check the path'
  if (code === 'EACCES')
    return `this user may not read it: run chmod 600 ${quoted(path)} as its owner`
  if (code === 'ELOOP' || code === 'EMLINK')
    return 'it is a symbolic link: name the file that it points to'
  return code ?? message
}

/** Refuse what ssh refuses: a secret that is not this user's alone. */
function checkOwn(stats, path, fail) {
  const own = process.getuid()
  if (stats.uid !== own)
    fail(
      `it is of another user (uid ${stats.uid}): copy it, or run sudo chown ${own} ${quoted(path)}`,
    )
  if ((stats.mode & OTHERS) !== 0)
    fail(`others may read or write it (mode ${octal(stats.mode)}): run chmod 600 ${quoted(path)}`)
  const folder = dirname(path)
  const { mode, uid } = statSync(folder)
  if (uid !== own && uid !== 0)
    fail(
      `its folder is of another user (uid ${uid}), who could replace it: use a folder of your own`,
    )
  // In a folder such as /tmp nobody replaces the files of others.
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
    fail(`others may write its folder (mode ${octal(mode)}): run chmod go-w ${quoted(folder)}`)
}

const octal = (mode) => `0${(mode & 0o777).toString(8)}`

/** Read the few forms of TOML that a file NAME.key has: a text or a list of texts, on one line. */
function fieldsOf(text, path) {
  const fields = {}
  text.split(/\r?\n/).forEach((line, at) => {
    if (/^\s*(#.*)?$/.test(line)) return
    const [, name, written = ''] = LINE.exec(line) ?? []
    const value = name === undefined || Object.hasOwn(fields, name) ? null : valueOf(written)
    if (value === null)
      throw new InvalidKey(
        path,
        `line ${at + 1} is not NAME = "..." or NAME = ["...", ...], or comes twice`,
      )
    fields[name] = value
  })
  return fields
}

function valueOf(written) {
  const found = VALUE.exec(written)
  if (found === null) return null
  const [, text, list = ''] = found
  try {
    return text === undefined ? (list.match(TEXTS) ?? []).map(plain) : plain(text)
  } catch {
    return null // an escape of TOML that is none of JSON
  }
}

/** A text in double quotes has the escapes of JSON. */
const plain = (text) => (text[0] === "'" ? text.slice(1, -1) : JSON.parse(text))
