// The text of what a function threw, for an ERROR: docs/spec/07-signals.md, "Codes of an ERROR".
// Pure. What is thrown comes from the code of users: its name, text and class may be broken.
// Nothing here throws.
const MAX_LEAVES = 20

/** Return the result of a function that may run code of the user's; `otherwise` if it throws. */
export function safely(read, otherwise) {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/**
 * Return kind and text of what was thrown; of an AggregateError also those of its leaves, from left
 * to right.
 * @param {unknown} thrown An Error, or any other value.
 * @returns {string} `TypeError: x is no function`, `string: no luck`
 */
export function described(thrown) {
  const text = kindAndText(thrown)
  if (!isGroup(thrown)) return text
  const leaves = leavesOf(thrown)
  const shown = leaves.slice(0, MAX_LEAVES).map(kindAndText)
  if (leaves.length > MAX_LEAVES) shown.push(`and ${leaves.length - MAX_LEAVES} more`)
  return `${text}: ${shown.join('; ')}`
}

const isGroup = (thrown) =>
  safely(() => thrown instanceof AggregateError && Array.isArray(thrown.errors), false)

function leavesOf(group) {
  const leaves = []
  const seen = new Set() // a group may hold itself
  const waiting = [group]
  while (waiting.length > 0) {
    const each = waiting.pop()
    if (!isGroup(each)) leaves.push(each)
    else if (!seen.has(each)) {
      seen.add(each)
      waiting.push(...safely(() => [...each.errors].reverse(), []))
    }
  }
  return leaves
}

function kindAndText(thrown) {
  if (!safely(() => thrown instanceof Error, false)) {
    return `${typeof thrown}: ${safely(() => String(thrown), '(its text threw)')}`
  }
  const text = safely(() => String(thrown.message), '(its text threw)')
  return `${safely(() => kindOf(thrown), 'Error')}: ${text}`
}

/** Return its name; a subclass of Error that gave itself none has the name of its class. */
function kindOf(error) {
  const name = String(error.name)
  return name === 'Error' ? (error.constructor?.name ?? name) : name
}
