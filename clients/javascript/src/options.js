// Check the names in an object of options, and find the word that was meant. Pure.
import { InvalidArgument, shown } from './errors.js'

/**
 * Check an object of options: it must hold known names only.
 *
 * @param {unknown} options The options.
 * @param {Set<string>} known The names.
 * @param {string} verb The verb, for the error.
 * @throws {InvalidArgument} It is no object, or holds another name.
 */
export function checkOptions(options, known, verb) {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgument(`${verb} takes an object of options, not ${shown(options)}`)
  for (const name in options) if (!known.has(name)) throw unknownOption(name, known, verb)
}

function unknownOption(name, known, verb) {
  const near = nearest(name, [...known])
  const names = near === null ? `; it takes ${[...known].join(', ')}` : hint(near)
  return new InvalidArgument(`${verb} has no option ${shown(name)}${names}`)
}

/** Return the end of a text that names the word that was meant; empty for null. */
export const hint = (near) => (near === null ? '' : `: did you mean '${near}'?`)

/** Return the word that is nearest to a text, as `timeout_ms` is to `timeoutMs`; null if none is. */
export function nearest(text, words) {
  const plain = simple(text)
  let best = null
  let least = Math.max(2, Math.ceil(plain.length / 3)) + 1
  for (const word of words) {
    const other = simple(word)
    const far = isPart(plain, other) || isPart(other, plain) ? 1 : distance(plain, other)
    if (far >= least) continue
    best = word
    least = far
  }
  return best
}

const isPart = (part, whole) => part.length > 3 && (whole.startsWith(part) || whole.endsWith(part))

const simple = (text) => text.replaceAll('_', '').toLowerCase().slice(0, 40)

/** Return the number of single edits between two short texts. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}
