// Dendrites with keys at a real Synapse: who gets in, what each may do, and how one comes back.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { AccessRefused, Axon, Dendrite, Synapse, connectSynapse } from '../../src/index.js'
import { startNode } from '../support/child.js'
import { startDendrite, until } from '../support/dendrites.js'
import { keysFolder } from '../support/keys-folder.js'
import { freePorts, startSynapse } from '../support/synapse.js'

const MEMBER = ['dispatch', 'serve', 'watch', 'decide', 'broadcast']
/** How long a refusal may take here, where other tests run beside: 1 s, and 2 s for another Synapse, is the promise. */
const REFUSAL_MS = 8000

const started = (t, keys, options = {}) =>
  startSynapse(t, { ...options, args: ['--keys', keys.folder] })
const hosting = (neuronId, neuronFn = async (_input, context) => ({ by: context.task.origin })) =>
  new Axon({ neuronId, neuronFn, capabilities: [neuronId] })

/** Expect that a promise is refused for access; resolve to the error. */
async function refused(promise, says) {
  const error = await promise.then(
    () => assert.fail(`it was let in: ${says}`),
    (caught) => caught,
  )
  assert.ok(error instanceof AccessRefused, String(error.stack))
  assert.match(error.message, says)
  return error
}

test('who has no key, an unknown one or one for another Synapse is told so in time', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER, ben: MEMBER })
  const others = await keysFolder(t, { ada: MEMBER })
  const [{ url }, plain] = await Promise.all([started(t, keys), startSynapse(t)])
  await keys.revoke('ben')
  const begunMs = performance.now()
  const connect = (at, options) => connectSynapse(at, { timeoutMs: 60_000, ...options })

  await refused(connect(url, { carrier: 'zmtp' }), /it has keys, and .*COSMO_KEY/)
  await refused(connect(url, { carrier: 'libzmq' }), /it has keys, and .*COSMO_KEY/)
  await refused(connect(url, { key: others.of('ada') }), /another Synapse answers there/)
  await refused(connect(plain.url, { key: keys.of('ada') }), /it has no keys/)
  await refused(connect(url, { key: { ...others.of('ada'), synapse: keys.synapse } }), /does not list the key of ada; .*cosmo keys allow ada cpk_/) // prettier-ignore
  assert.ok(performance.now() - begunMs < 5 * REFUSAL_MS)

  await connect(url, { key: keys.of('ada') })
  const dendrite = new Dendrite({ synapse: new Synapse(url, { logger: null }), logger: null })
  await refused(dendrite.start({ timeoutMs: 60_000 }), /it has keys/)
})

test('two users work together, and each Signal says whose key it came from', async (t) => {
  const keys = await keysFolder(t, { ada: ['dispatch', 'watch'], ben: ['serve=x-*'] })
  const { url } = await started(t, keys)
  const worker = await startDendrite(t, url, { key: keys.of('ben'), axons: [hosting('x-1')] })
  const caller = await startDendrite(t, url, { key: keys.of('ada') })
  const seen = []
  caller.onSignal(['TASK', 'AGENT_OUTPUT'], (signal) => seen.push([signal.type, signal.origin]))
  const watcher = await startDendrite(t, url, { key: keys.of('ada') })
  const heard = []
  watcher.onSignal(['TASK', 'AGENT_OUTPUT'], (signal) => heard.push([signal.type, signal.origin]))
  await watcher.sync()

  const reply = await caller.dispatchAndWait({ neuron: 'x-1', input: {} })

  assert.deepEqual(reply.output, { by: 'ada' })
  assert.equal(reply.origin, 'ben')
  await until(() => heard.length === 2 && seen.length === 2, 'the copies')
  for (const each of [seen, heard]) assert.deepEqual(each, [['TASK', 'ada'], ['AGENT_OUTPUT', 'ben']]) // prettier-ignore
  assert.deepEqual([worker.user, worker.may], ['ben', ['serve=x-*']])
  assert.equal((await worker.synapseState()).namespace, 'default')
})

test('what a key has no right to is refused before it is sent, or at the start', async (t) => {
  const keys = await keysFolder(t, { ben: ['serve=x-*', 'dispatch=y'] })
  const { url } = await started(t, keys)
  const key = keys.of('ben')
  const options = { key, logger: null }
  await startDendrite(t, url, { key, axons: [hosting('x-1')] })
  const synapse = await connectSynapse(url, options)
  const early = () => new Dendrite({ synapse, logger: null })

  const greedy = early().attachAxon(hosting('y'))
  await refused(
    greedy.start(),
    /the key 'ben' may not host an Axon of neuron 'y'; .*--may .*serve=y/,
  )
  const curious = early()
  curious.onPlan(() => {})
  await refused(curious.start(), /may not listen to PLAN; .*watch/)
  const ben = await startDendrite(t, url, options)
  await refused(ben.ask({ neuron: 'x-1', input: {} }), /may not send TASKs to neuron 'x-1'/)
  await refused(ben.addAxon(hosting('y')), /may not host an Axon/)
  await refused((async () => ben.emit('STOP'))(), /may not publish a STOP; .*decide/)
  await refused((async () => ben.signals('TASK'))(), /may not listen to TASK/)
  await refused(ben.observePathway(ben.emit('BID', { cost: 1 }).traceId), /listen to a trace/)

  // By its capabilities only the Synapse knows whom it would reach.
  const { payload } = await ben.dispatchAndWait({ capabilities: ['x-1'], input: {} })
  assert.deepEqual([payload.code, payload.recoverable], ['ACCESS_DENIED', false])
  assert.equal(ben.counts['bounced.forbidden'], 1)
})

test('another namespace than those of a key is refused by its name', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER })
  const { url } = await started(t, keys, { namespaces: ['demo'] })
  const synapse = await connectSynapse(url, { key: keys.of('ada'), logger: null })

  await assert.rejects(new Dendrite({ synapse, namespace: 'other' }).start(), /demo/)
  const dendrite = await new Dendrite({ synapse, namespace: 'demo' }).start()
  await dendrite.stop()
})

/** Ask until there is an answer: a worker is back a moment before its Axons are. */
async function answered(caller, neuron, untilMs = performance.now() + 30_000) {
  try {
    return await caller.ask({ neuron, input: {} })
  } catch (error) {
    if (error.code !== 'NO_SUCH_NEURON' || performance.now() > untilMs) throw error
    await pause(20)
    return answered(caller, neuron, untilMs)
  }
}

test('a worker whose key is revoked is gone, says so once, and is back when it is allowed again', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER, ben: MEMBER })
  const { url } = await started(t, keys)
  const warnings = []
  let isRunning = false
  const forEver = async (_input, { signal }) => {
    isRunning = true
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  const worker = await startDendrite(t, url, {
    key: keys.of('ben'),
    axons: [hosting('slow', forEver), hosting('quick')],
    logger: { warn: (text) => warnings.push(text) },
  })
  const caller = await startDendrite(t, url, { key: keys.of('ada') })
  const slow = caller.dispatchAndWait({ neuron: 'slow', input: {} })
  await until(() => isRunning, 'the task')

  await keys.revoke('ben')
  const { payload } = await slow
  await until(() => worker.state === 'away', 'away')
  assert.equal(payload.code, 'WORKER_LOST')
  assert.ok(
    warnings.some((each) => /lost its Synapse .*\(refused: .*ben/.test(each)),
    warnings.join(),
  )

  await keys.allow('ben', MEMBER)
  await until(() => worker.state === 'running', 'back')
  assert.deepEqual((await answered(caller, 'quick')).by, 'ada')
  assert.equal(warnings.filter((each) => each.includes('refused')).length, 1, warnings.join('\n'))
})

test('a Synapse without keys in its place is never used, and one with them is found again', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER })
  const port = await freePorts()
  const keyed = await started(t, keys, { port })
  const warnings = []
  const logger = { warn: (text) => warnings.push(text) }
  const dendrite = await startDendrite(t, keyed.url, { key: keys.of('ada'), logger })

  await keyed.kill()
  await until(() => dendrite.state === 'away', 'away')
  const plain = await startSynapse(t, { port })
  await until(() => warnings.some((each) => each.includes('it has no keys')), 'why')
  await pause(1000) // it would be connected long before
  assert.equal(dendrite.state, 'away')
  const late = dendrite.ask({ neuron: 'x', input: {}, timeoutMs: 100 })
  await assert.rejects(late, /has been away for .* \(refused: it has no keys, .*never left/)
  await refused(connectSynapse(keyed.url, { key: keys.of('ada') }), /it has no keys/)
  await plain.kill()
  await keyed.restart()

  await until(() => dendrite.state === 'running', 'back')
  assert.equal(warnings.filter((each) => each.includes('refused')).length, 1, warnings.join('\n'))
})

test('a Synapse with a new key is found by a key that names both', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER })
  const synapse = await started(t, keys)
  const before = keys.of('ada')
  await keys.renew()
  const dendrite = await startDendrite(t, synapse.url, { key: keys.of('ada') })
  dendrite.onPlan(() => {})
  await dendrite.sync()

  await synapse.kill()
  await until(() => dendrite.state === 'away', 'away')
  await synapse.restart()
  await until(() => dendrite.state === 'running', 'back')

  await dendrite.sync() // the broadcast plane is back, too
  before.synapse = before.synapse.slice(-1)
  await refused(connectSynapse(synapse.url, { key: before, timeoutMs: 60_000 }), /another Synapse/)
})

test('a program finds key and Synapse by COSMO_KEY, and no secret is in what it prints', async (t) => {
  const keys = await keysFolder(t, { ada: MEMBER })
  const { url } = await started(t, keys)
  const path = await keys.file('ada', { url })
  const program = `
    import { inspect } from 'node:util'
    import { Dendrite, connectSynapse } from '${new URL('../../src/index.js', import.meta.url)}'
    const synapse = await connectSynapse()
    const dendrite = await new Dendrite({ synapse }).start()
    console.log(dendrite.user, synapse.url, inspect(dendrite, { depth: 9, showHidden: true }), synapse)
    await dendrite.stop()
  `
  const child = startNode(t, ['--input-type=module', '-e', program], {
    env: { COSMO_KEY: path, COSMO_URL: '', COSMO_CARRIER: 'zmtp' },
  })

  assert.equal(await child.ended, 0, child.said)
  assert.ok(child.said.startsWith(`ada ${url} `), child.said)
  assert.ok(!child.said.includes('csk_'))
})
