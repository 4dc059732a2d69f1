// A worker of a soak, as tools/soak/worker.py: `node soak-worker.js CARRIER NAME URL LOG [NEURON ...]`.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Axon, Dendrite, NeuronError, TimeoutError, connectSynapse } from '../src/index.js'
import { Log } from './soak-log.js'
import { CHILD, NAMESPACE, THOUGHTS, request } from './soak-tasks.js'

const SLEEP_MS = 20
const BETWEEN_THOUGHTS_MS = 2

const [carrier, name, url, path, ...alone] = process.argv.slice(2)
const log = new Log(path, name)
const say = (line) => process.stdout.write(line + '\n')
let blockS = 0

createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb, seconds] = line.split(' ')
  if (verb === 'block') blockS = Number(seconds)
})

function block() {
  const endMs = performance.now() + blockS * 1000
  blockS = 0
  say('blocking')
  while (performance.now() < endMs);
  say('going on')
}

async function work(asked, context) {
  const { kind, task, nonce } = asked
  log.write('start', { task, attempt: context.task.id })
  if (blockS > 0) block()
  const output = { task, nonce }
  if (kind === 'sleep') await sleep(SLEEP_MS)
  else if (kind === 'payload') output.data = Buffer.from(asked.data).reverse()
  else if (kind === 'child') output.child = await child(task, nonce, context)
  log.write('finish', { task })
  return output
}

async function child(task, nonce, context) {
  try {
    return await context.ask({ neuron: 'work', input: request('sleep', task + CHILD, nonce + 1) })
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error
    throw new NeuronError('EXPIRED', `the child of ${task} got no reply in time`)
  }
}

async function* stream({ task, nonce }, context) {
  log.write('start', { task, attempt: context.task.id })
  for (let number = 0; number < THOUGHTS; number++) {
    yield `${number} of ${task}`
    await sleep(BETWEEN_THOUGHTS_MS)
  }
  log.write('finish', { task })
  return { task, nonce }
}

const synapse = await connectSynapse(url, { carrier })
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: name, role: 'worker' })
dendrite.attachAxon(new Axon({ neuronId: 'stream', neuronFn: stream }))
for (const neuronId of ['work', ...alone]) {
  dendrite.attachAxon(new Axon({ neuronId, neuronFn: work }))
}
await dendrite.start()
say('ready')
await dendrite.serve()
log.write('counts', { counts: dendrite.counts })
process.stdin.destroy()
