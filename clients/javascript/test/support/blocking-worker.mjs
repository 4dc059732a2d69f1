/* eslint no-console: off -- it speaks to its parent */
// A worker whose Neuron blocks the loop for the milliseconds that it gets: node blocking-worker.mjs URL CARRIER
import { Axon, Dendrite, connectSynapse } from '../../src/index.js'

async function main(url, carrier) {
  const synapse = await connectSynapse(url, { carrier, timeoutMs: 20_000 })
  const dendrite = new Dendrite({ synapse, namespace: 'n', dendriteId: 'blocking' })
  const neuronFn = async ({ ms }) => {
    const until = performance.now() + ms
    while (performance.now() < until);
    return { blocked: ms }
  }
  dendrite.attachAxon(new Axon({ neuronId: 'blocks', capabilities: [], neuronFn }))
  await dendrite.start({ timeoutMs: 20_000 })
  console.log('ready')
}

// `node --test` looks into this folder, too.
if (process.argv.length > 2) await main(...process.argv.slice(2))
