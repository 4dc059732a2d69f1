// A part of edge_worker.py in JavaScript: `node edge-worker.js URL`.
import { Axon, Dendrite, NeuronError, Synapse } from 'cosmonapse'

const say = (text) => process.stdout.write(`${text}\n`)

const never = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

async function* work({ prompt }, context) {
  say(`started ${prompt}`)
  context.signal.addEventListener('abort', () => say(`cancelled ${prompt}`), { once: true })
  const [order, rest] = prompt.split(' ', 2)
  if (order === 'error') throw new NeuronError(rest, 'why')
  if (order === 'silent') await never(context.signal)
  yield 'one\n'
  if (order === 'held') await never(context.signal)
  if (order === 'fails-late') throw new NeuronError('NO_GOOD', 'it went wrong half way')
  yield 'two ☃'
  return { response: `echo: ${prompt}` }
}

async function main(url) {
  const synapse = new Synapse(url)
  const dendrite = new Dendrite({ synapse, namespace: 'api-demo', dendriteId: 'edge-worker' })
  dendrite.attachAxon(new Axon({ neuronId: 'worker', neuronFn: work, capabilities: ['edge'] }))
  await dendrite.start()
  say('worker ready')
  await dendrite.serve()
}

if (process.argv.length > 2) await main(process.argv[2]) // `node --test` looks into this folder, too
