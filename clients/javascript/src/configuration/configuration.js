// Where every setting of a program comes from. Page: docs/configuration.md.
// One order for all: an argument, a variable of the environment, the context, the file of the key, the default. The
// first that says something counts; what does not count is not looked at.
import { DEFAULT_CARRIER, DEFAULT_NAMESPACE, DEFAULT_URL } from '../defaults.js'
import { InvalidContext } from '../errors.js'
import { contextNamed, keyPath, readContexts } from './contexts.js'

/** The settings, each with its variable and its default. */
const SETTINGS = {
  __proto__: null,
  url: ['COSMO_URL', DEFAULT_URL],
  namespace: ['COSMO_NAMESPACE', DEFAULT_NAMESPACE],
  key: ['COSMO_KEY', null],
  carrier: ['COSMO_CARRIER', DEFAULT_CARRIER],
}
const CONTEXT_VARIABLE = 'COSMO_CONTEXT'
const NO_CONTEXT = '-'

/**
 * Return the value of a setting that counts, and where it comes from.
 *
 * @param {'url' | 'namespace' | 'key' | 'carrier'} name
 * @param {unknown} [argument] What the program gives; undefined if it gives nothing.
 * @param {() => object | null} [key] For `url`: returns the Key of the program, whose file may say one; called if
 *   nothing before it says something.
 * @returns {{ value: unknown, what: string, where: string }} `what`: how to call it in an error, which is the
 *   variable, or the name; `where`: the end of the text of an error about it, empty for an argument.
 * @throws {InvalidContext} The context cannot be used.
 */
export function chosen(name, argument, key = () => null) {
  const [variable, byDefault] = SETTINGS[name]
  if (argument !== undefined) return setting(name, argument)
  const named = process.env[variable] // empty counts as not set
  if (named) return { value: named, what: variable, where: ` (it is in ${variable})` }
  const found = name === 'carrier' ? null : ofTheContext(name)
  if (found !== null) return found
  const inKey = name === 'url' ? key() : null
  if (inKey?.url) return setting(name, inKey.url, ` (it is in the key ${inKey.name})`)
  return setting(name, byDefault)
}

const setting = (what, value, where = '') => ({ value, what, where })

function ofTheContext(field) {
  const named = process.env[CONTEXT_VARIABLE]
  if (named === NO_CONTEXT) return null
  const contexts = contextsOrHint()
  const name = named || contexts.selected
  if (name === null) return null
  const value = contextBlamed(contexts, name, named)[field]
  if (value === undefined) return null
  const where = ` (it is in the context ${name} in ${contexts.file})`
  return setting(field, field === 'key' ? keyPath(value) : value, where)
}

function contextsOrHint() {
  try {
    return readContexts()
  } catch (error) {
    // As under sudo, where the file is of another user.
    if (!(error instanceof InvalidContext)) throw error
    const hint = `${CONTEXT_VARIABLE}=${NO_CONTEXT} goes without contexts`
    throw new InvalidContext(error.what, `${error.reason}; ${hint}`)
  }
}

function contextBlamed(contexts, name, named) {
  try {
    return contextNamed(contexts, name)
  } catch (error) {
    if (!named || !(error instanceof InvalidContext)) throw error
    throw new InvalidContext(error.what, `${error.reason} (it is in ${CONTEXT_VARIABLE})`)
  }
}
