// Two real Synapses that stand by for each other, in processes of their own.
import { freePorts, startSynapse } from './synapse.js'

/**
 * Start two; the test `t` ends them. Neither leads before a client came.
 * @param {object} t
 * @param {{ args?: string[] }} [options] `args`: further ones of each.
 * @returns {Promise<FabricOfTwo>}
 */
export async function startFabricOfTwo(t, { args = [] } = {}) {
  const ports = [await freePorts(), await freePorts()]
  const urls = ports.map((port) => `cosmo://127.0.0.1:${port}`)
  const start = (at) =>
    startSynapse(t, { port: ports[at], args: ['--peer', urls[1 - at], ...args] })
  return new FabricOfTwo(await Promise.all([start(0), start(1)]))
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
