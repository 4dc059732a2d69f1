// Counts by name. Pure.

/** Add to a count; it begins at 0. */
export function count(counts, name, by = 1) {
  counts[name] = (counts[name] ?? 0) + by
}

/**
 * Return the sums of several objects of counts.
 *
 * @param {object[]} parts Objects of numbers by name.
 * @returns {Record<string, number>}
 */
export function sumOf(parts) {
  const totals = {}
  for (const part of parts) for (const name in part) count(totals, name, part[name])
  return totals
}
