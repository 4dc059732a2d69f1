// Warnings to those who run the program: what a library may say without a logger of its own.

/**
 * Warn. Node writes it to stderr; `process.on('warning', (warning) => ...)` gets it with `name` CosmonapseWarning
 * and its `code`, and `node --no-warnings` hides it.
 * @param {string} code Its kind, in capitals with underscores.
 * @param {string} text What happened and what to do, one line.
 */
export function warn(code, text) {
  process.emitWarning(text, { type: 'CosmonapseWarning', code })
}
