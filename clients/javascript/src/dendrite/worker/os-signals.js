// SIGINT and SIGTERM as a promise.
const STOPPING = ['SIGINT', 'SIGTERM']

/**
 * Resolve to the name of the first SIGINT or SIGTERM. The handlers are gone then: a second one ends
 * the process at once, as if nobody listened.
 * @param {NodeJS.Process} [source]
 * @param {AbortSignal} [giveUp] Removes the handlers; it resolves to nothing then.
 * @returns {Promise<string>}
 */
export function stopSignal(source = process, giveUp = undefined) {
  return new Promise((resolve) => {
    const received = (name) => {
      for (const each of STOPPING) source.removeListener(each, received)
      resolve(name)
    }
    giveUp?.addEventListener('abort', () => received(), { once: true })
    for (const each of STOPPING) source.on(each, received)
  })
}
