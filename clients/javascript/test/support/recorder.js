// Every event of a thing that calls methods, awaited instead of polled.
import { TIMEOUT_MS } from './child.js'

/**
 * Return an object with the methods `names` that record their calls, and
 * `calls(name)`, the arguments of each call so far, and
 * `heard(name, count, isWanted)`, which resolves to the arguments of the last of `count` calls of it that `isWanted`.
 */
export function recorder(...names) {
  const calls = new Map(names.map((name) => [name, []]))
  const waiters = new Set()
  const record = (name) =>
    function (...values) {
      calls.get(name).push(values)
      for (const look of [...waiters]) look()
    }
  return {
    ...Object.fromEntries(names.map((name) => [name, record(name)])),
    calls: (name) => calls.get(name),
    heard(name, count = 1, isWanted = () => true) {
      return new Promise((resolve, reject) => {
        let seen = 0
        let found = 0
        const look = () => {
          const all = calls.get(name)
          while (seen < all.length && found < count) {
            if (isWanted(...all[seen++])) found++
          }
          if (found < count) return
          clearTimeout(timer)
          waiters.delete(look)
          resolve(all[seen - 1])
        }
        const timer = setTimeout(() => {
          waiters.delete(look)
          const heard = [...calls].map(([each, { length }]) => `${each} ${length}`).join(', ')
          reject(new Error(`no ${count} calls of ${name} in ${TIMEOUT_MS} ms; heard: ${heard}`))
        }, TIMEOUT_MS)
        waiters.add(look)
        look()
      })
    },
  }
}
