// A worker process in JavaScript: one Neuron behind the id "worker". It needs no token.
//
//     npm --prefix examples/express install
//     node examples/express/worker.js
//
// worker.py is the same in Python. Start both and the two share the load.
import { Axon, connectSynapse, Dendrite } from 'cosmonapse'

const NAMESPACE = process.env.COSMO_NAMESPACE ?? 'api-demo'

/** Say the prompt in capital letters, word by word. */
async function* shout({ prompt }) {
  const words = prompt.toUpperCase().match(/\S+\s*/g) ?? []
  for (const word of words) yield word
  return { response: words.join('') }
}

const synapse = await connectSynapse()
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: 'worker-js' })
dendrite.attachAxon(new Axon({ neuronId: 'worker', neuronFn: shout, capabilities: ['chat'] }))
await dendrite.start()
console.log(`worker ready at ${synapse.url}`)
await dendrite.serve() // until Ctrl-C or SIGTERM; running tasks are finished first
