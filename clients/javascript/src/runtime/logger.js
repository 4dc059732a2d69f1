// Where warnings go: to a logger of the program, else to Node, which writes them to stderr.
import { InvalidArgument, shown } from '../errors.js'

const DEFAULT = Object.freeze({
  warn(text, error) {
    process.emitWarning(text, { type: 'CosmonapseWarning', detail: detailOf(error) })
  },
})

function detailOf(error) {
  if (error === undefined) return undefined
  return error instanceof Error ? String(error.stack) : shown(error)
}

/**
 * Return a logger that never throws.
 *
 * @param {{ warn: (text: string, error?: unknown) => void } | null} [given] Such as `console` or a
 *   logger of pino; null for silence. By default `process.emitWarning`, with the name
 *   CosmonapseWarning.
 * @returns {{ warn: (text: string, error?: unknown) => void }}
 * @throws {InvalidArgument} It has no method `warn`.
 */
export function checkedLogger(given = DEFAULT) {
  if (given === null) return { warn() {} }
  if (typeof given?.warn !== 'function')
    throw new InvalidArgument(`logger must have a method warn(text, error), not ${shown(given)}`)
  return {
    warn(text, error) {
      try {
        if (error === undefined) given.warn(text)
        else given.warn(text, error)
      } catch {
        // A logger that fails must not fail the task that it is told about.
      }
    },
  }
}
