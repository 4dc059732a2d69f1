// A caller of a soak, as tools/soak/caller.py:
// `node soak-caller.js CARRIER NAME URL LOG SEED OUTSTANDING TIMEOUT_S [KIND FIRST NEURON]`.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Dendrite, TimeoutError, connectSynapse } from '../src/index.js'
import { Log } from './soak-log.js'
import { NAMESPACE, WEIGHTS, digest, request, runs, wanted } from './soak-tasks.js'

const PULSE_MS = 50
const PAUSE_MS = 80
const ALONE_PERCENT = 10

const [carrier, name, url, path, seed, outstanding, timeoutS, ...rest] = process.argv.slice(2)
const [kindOfAll = 'all', first = '1', also] = rest
const only = kindOfAll === 'all' ? undefined : kindOfAll
const singles = also ? ['alone', also] : ['alone']
const log = new Log(path, name)
const timeoutMs = Number(timeoutS) * 1000
const synapse = await connectSynapse(url, { carrier })
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: name })
let isOver = false
let count = Number(first) - 1

/** Return a function that gives numbers from 0 to below 1: the same ones for the same seed. */
function diceOf(start) {
  let state = start >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function chosen(dice) {
  let left = dice() * 100
  return Object.keys(WEIGHTS).find((kind) => (left -= WEIGHTS[kind]) < 0) ?? 'echo'
}

async function sequence(dice) {
  while (!isOver) {
    const kind = only || chosen(dice)
    await run(kind, kind === 'stream' ? '' : singles[Math.floor((dice() * 100) / ALONE_PERCENT)])
    await sleep(dice() * PAUSE_MS)
  }
}

async function pulse() {
  const open = new Set()
  while (!isOver) {
    const task = run('echo')
    open.add(task)
    task.finally(() => open.delete(task))
    await sleep(PULSE_MS)
  }
  await Promise.all(open)
}

async function run(kind, single = '') {
  const number = ++count
  const task = `${name}-${number}`
  const neuron = single || (kind === 'stream' ? 'stream' : 'work')
  const want = digest(wanted(kind, task, number))
  log.write('invoke', { task, kind, neuron, want, timeout_s: Number(timeoutS), retry: false })
  const received = []
  const facts = await outcome(kind, neuron, task, request(kind, task, number), received)
  log.write('outcome', { task, thoughts: runs(received), ...facts })
}

async function outcome(kind, neuron, task, input, received) {
  const options = { neuron, input, timeoutMs }
  try {
    if (kind !== 'stream') return factsOf(await dendrite.dispatchAndWait(options))
    return factsOf(await streamed(task, options, received))
  } catch (error) {
    if (error instanceof TimeoutError) return { code: 'TIMEOUT' }
    return { code: 'RAISED', text: String(error?.stack ?? error) }
  }
}

async function streamed(task, options, received) {
  const pathway = dendrite.dispatch(options)
  for await (const text of pathway.thoughts()) {
    const [number, whose] = text.split(' of ')
    received.push(whose === task ? Number(number) : -1)
  }
  return pathway.outcome()
}

function factsOf(signal) {
  if (signal.type !== 'ERROR') return { code: '', got: digest(signal.output) }
  const { code, message } = signal.payload
  return { code: code === 'EXPIRED' ? 'TIMEOUT' : code, text: message }
}

await dendrite.start()
const sequences = Array.from({ length: Number(outstanding) }, (_, index) =>
  sequence(diceOf(Number(seed) + index)),
)
const underWay = Promise.all([pulse(), ...sequences])
process.stdout.write('ready\n')
await new Promise((resolve) => {
  createInterface({ input: process.stdin }).once('line', resolve)
  process.once('SIGTERM', resolve)
})
isOver = true
await underWay
await dendrite.stop()
log.write('counts', { counts: dendrite.counts })
process.stdin.destroy()
