// Two real Synapses that stand by for each other, in processes of their own.
import { keysFolder } from './keys-folder.js'
import { freePorts, startSynapse } from './synapse.js'

/**
 * Start two; the test `t` ends them. Neither leads before a client came.
 * @param {object} t
 * @param {{ keys?: object }} [options] `keys`: with a pair of each, and these users; see `keysFolder`.
 * @returns {Promise<FabricOfTwo>}
 */
export async function startFabricOfTwo(t, { keys = null } = {}) {
  const ports = [await freePorts(), await freePorts()]
  const urls = ports.map((port) => `cosmo://127.0.0.1:${port}`)
  const args = keys === null ? [[], []] : await keyedArgs(t, keys)
  const start = (at) =>
    startSynapse(t, { port: ports[at], args: ['--peer', urls[1 - at], ...args[at]] })
  return new FabricOfTwo(await Promise.all([start(0), start(1)]))
}

async function keyedArgs(t, keys) {
  const others = await keysFolder(t, {})
  await keys.joinedBy(others)
  return [keys, others].map(({ folder }) => ['--keys', folder])
}

class FabricOfTwo {
  #synapses

  constructor(synapses) {
    this.#synapses = synapses
  }

  /** The URL that lists both. */
  get url() {
    return `cosmo://${this.#synapses.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  }

  /** Return the Synapse at a URL, such as that of `synapseState()`. */
  at(url) {
    return this.#synapses.find((each) => each.url === url)
  }

  /** Return the other one. */
  otherThan(url) {
    return this.#synapses.find((each) => each.url !== url)
  }
}
