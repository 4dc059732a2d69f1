// Dendrites of this process for tests, started and always stopped.
import { Dendrite, connectSynapse } from '../../src/index.js'

/**
 * Start a Dendrite on a running Synapse; the test `t` stops it.
 *
 * @param {{ after: Function }} t The context of a test.
 * @param {string} url Of the Synapse.
 * @param {object} [options] Those of a Dendrite, `axons`, and `key` and `carrier` of its Synapse.
 */
export async function startDendrite(t, url, { axons = [], key, carrier, ...options } = {}) {
  const synapse = await connectSynapse(url, { key, carrier, logger: options.logger ?? null })
  const dendrite = new Dendrite({ synapse, logger: null, ...options })
  for (const each of axons) dendrite.attachAxon(each)
  t.after(() => dendrite.stop({ drainMs: 0 }))
  return dendrite.start({ timeoutMs: 20_000 })
}

/** Return a promise with the functions that settle it. */
export function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

/** Resolve when `look()` is true, looked at every 10 ms; reject after 30 s. */
export async function until(look, what) {
  const end = performance.now() + 30_000
  while (!look()) {
    if (performance.now() > end) throw new Error(`not within 30 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
