// The contexts of this user: where a fabric is, under a name, in one file. Page: docs/configuration.md.
// `cosmo context` writes it, and every program reads it.
import { lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { readPrivate } from '../access/private-file.js'
import { readToml } from '../access/toml.js'
import { InvalidContext, InvalidName, shown } from '../errors.js'
import { checkedName } from '../names.js'
import { hint, nearest } from '../options.js'
import { isPrintable, printable } from '../runtime/printable.js'

/** What a context may say. */
export const FIELDS = ['url', 'namespace', 'key']
const EXAMPLES = {
  __proto__: null,
  url: '"cosmo://host:7070"',
  namespace: '"team"',
  key: '"~/ben.key"',
}

/**
 * Return the path of the file, which is where click, the library of `cosmo`, keeps the settings of a program. An
 * XDG_CONFIG_HOME that is empty or relative does not count.
 */
export function contextsFile({ platform = process.platform, env = process.env } = {}) {
  return join(baseFolder(platform, env), 'cosmonapse', 'contexts.toml')
}

function baseFolder(platform, env) {
  if (platform === 'win32') return env.APPDATA || home()
  if (platform === 'darwin') return join(home(), 'Library', 'Application Support')
  const named = env.XDG_CONFIG_HOME ?? ''
  return isAbsolute(named) ? named : join(home(), '.config')
}

function home() {
  try {
    return homedir()
  } catch {
    return '' // this user has none, and no file of settings
  }
}

/**
 * Return what the file says; nothing where there is none, or none can be seen.
 * @param {string} [file]
 * @returns {{ file: string, known: Map<string, { url?: string, namespace?: string, key?: string }>,
 *   selected: string | null }}
 * @throws {InvalidContext} Others may change it, or a line of it is wrong; the text says which, and what to do.
 */
export function readContexts(file = contextsFile()) {
  const found = { file, known: new Map(), selected: null }
  const kind = kindOf(file)
  if (kind === null) return found
  const fail = (fault, cause) => {
    throw new InvalidContext(file, fault, { cause })
  }
  if (kind.isSymbolicLink()) fail('it is a link: put the file itself there')
  const { fields, tables, wrong } = readToml(readPrivate(file, fail, false))
  if (wrong) fail(`line ${wrong} is not NAME = "..." or [contexts.NAME], or comes twice`)
  checkNames(fields, ['selected'], '', fail)
  for (const { title, fields: said } of tables) {
    if (title.length === 1 && title[0] === 'contexts' && Object.keys(said).length === 0) continue
    found.known.set(...contextOf(title, said, fail))
  }
  found.selected = fields.selected ?? null
  if (found.selected !== null && !found.known.has(found.selected))
    fail(
      `selected is ${shown(found.selected)}, and there is no such context: run 'cosmo context select NAME', or ` +
        "'cosmo context select -' for none",
    )
  return found
}

function kindOf(file) {
  if (!isAbsolute(file)) return null
  try {
    return lstatSync(file)
  } catch {
    return null // there is none, or this user may not look into the folder
  }
}

function contextOf(title, said, fail) {
  const [first, name, ...more] = title
  if (first !== 'contexts' || name === undefined || more.length > 0)
    fail(`there is no table [${title.join('.')}]: write each context as [contexts.NAME]`)
  const where = `the context ${shown(name)}: `
  const fault = nameFault(name)
  if (fault) fail(fault)
  checkNames(said, FIELDS, where, fail)
  for (const [field, value] of Object.entries(said)) {
    const wrong = valueFault(field, value)
    if (wrong) fail(`${where}${wrong}`)
  }
  return [name, said]
}

function checkNames(fields, known, where, fail) {
  for (const each of Object.keys(fields)) {
    if (known.includes(each)) continue
    const near = nearest(each, known)
    fail(
      `${where}there is no line ${shown(each)}${near === null ? `: those are ${known.join(', ')}` : hint(near)}`,
    )
  }
}

function nameFault(name) {
  const fault = textFault('it', name)
  if (fault) return `the name ${shown(name)} of a context: ${fault}`
  return /^[A-Za-z0-9]/.test(name)
    ? ''
    : `the name ${shown(name)}: begin it with a letter or a digit`
}

function textFault(what, name) {
  try {
    checkedName(what, name)
    return ''
  } catch (error) {
    if (error instanceof InvalidName) return error.message
    throw error
  }
}

function valueFault(field, value) {
  if (typeof value !== 'string' || value === '' || !isPrintable(value))
    return `${field} must be a text that can be printed, such as ${EXAMPLES[field]}, not ${printable(shown(value))}`
  if (field === 'namespace') return textFault(field, value)
  if (field === 'key' && !isAbsolute(value) && !value.startsWith('~/'))
    return `key must be a whole path, such as ${EXAMPLES.key}, not ${shown(value)}`
  return ''
}

/**
 * Return the context of a name.
 * @param {object} contexts What `readContexts` returned.
 * @param {string} name
 * @throws {InvalidContext} There is none; the text names the one that was probably meant.
 */
export function contextNamed({ file, known }, name) {
  const found = known.get(name)
  if (found) return found
  const near = nearest(name, [...known.keys()])
  const guess = near === null ? '' : `did you mean '${near}'? `
  throw new InvalidContext(
    `the context ${shown(name)}`,
    `there is none in ${file}: ${guess}'cosmo context ls' shows those that are`,
  )
}

/** Return the path of the key of a context, with the folder of this user in place of `~`. */
export const keyPath = (key) => (key.startsWith('~/') ? join(home(), key.slice(2)) : key)
