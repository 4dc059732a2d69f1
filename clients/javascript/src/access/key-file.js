// Reads a file NAME.key, if nobody else may. Spec: docs/spec/11-access.md.
import { InvalidKey } from '../errors.js'
import { readPrivate } from './private-file.js'
import { readToml } from './toml.js'

/**
 * Return the fields of a file NAME.key.
 * @param {string} path
 * @returns {object}
 * @throws {InvalidKey} It is missing, others may read or change it, or a line of it is wrong. No line is shown.
 */
export function readKeyFile(path) {
  const fail = (fault, cause) => {
    throw new InvalidKey(path, fault, { cause })
  }
  const { fields, tables, wrong } = readToml(readPrivate(path, fail, true))
  const line = tables[0]?.line ?? wrong
  if (line) fail(`line ${line} is not NAME = "..." or NAME = ["...", ...], or comes twice`)
  return fields
}
