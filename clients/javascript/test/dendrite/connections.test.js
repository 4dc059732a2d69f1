// A Dendrite opens a connection when it needs one: docs/spec/05-broadcast.md, "When what is used is live".
import assert from 'node:assert/strict'
import test from 'node:test'
import { Axon } from '../../src/index.js'
import { startDendrite, until } from '../support/dendrites.js'
import { startSynapse } from '../support/synapse.js'

/** How many TCP connections this process holds. */
const connections = () =>
  process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length

test('a plain caller or worker has one connection; a handler and an emission open the others', async (t) => {
  const { url } = await startSynapse(t)
  const before = connections()
  const echo = new Axon({ neuronId: 'echo', neuronFn: async (input) => input })
  const worker = await startDendrite(t, url, { axons: [echo] })
  const caller = await startDendrite(t, url)
  await caller.waitForNeuron({ neuron: 'echo' })
  await assert.rejects(caller.ask({ neuron: 'nobody', input: 1 }), { code: 'NO_SUCH_NEURON' })
  assert.deepEqual(await caller.ask({ neuron: 'echo', input: { a: 1 } }), { a: 1 })
  assert.equal(connections() - before, 2)

  const seen = []
  caller.onPlan(({ payload }) => seen.push(payload.steps[0]))
  await caller.sync()
  assert.equal(connections() - before, 3)
  let said = 0
  for (; said < 200; said++) worker.emit('PLAN', { steps: [said] }) // nothing is lost while it connects
  await until(() => connections() - before === 4, 'a socket that publishes')
  const last = () => worker.emit('PLAN', { steps: [said++] })
  await until(() => last() && seen.includes(said - 2), 'what was said by it')

  assert.deepEqual(seen, [...seen.keys()])
})

test('a STOP of another Dendrite reaches a worker that listens to nothing, and is answered', async (t) => {
  const { url } = await startSynapse(t)
  const before = connections()
  let begun
  const begins = new Promise((resolve) => (begun = resolve))
  const neuronFn = (_, { signal }) => {
    begun()
    return new Promise((resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    )
  }
  await startDendrite(t, url, { axons: [new Axon({ neuronId: 'long', neuronFn })] })
  const caller = await startDendrite(t, url)
  const pathway = caller.dispatch({ neuron: 'long', input: {} })
  await begins
  assert.equal(connections() - before, 2)
  const stopped = caller.signals('STOPPED')
  await caller.sync()

  caller.emit('STOP', { rollback: false }, { traceId: pathway.traceId })

  assert.equal((await pathway.outcome({ timeoutMs: 20_000 })).payload.code, 'CANCELLED')
  assert.equal((await stopped.next()).value.payload.cancelled, 1)
})
