// A worker that blocks its loop keeps its tasks, unless its Synapse waits for answers that only the loop gives:
// docs/spec/04-liveness.md, 10-zmtp.md.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Dendrite, connectSynapse } from '../../src/index.js'
import { startNode } from '../support/child.js'
import { startSynapse } from '../support/synapse.js'

const WORKER = 'clients/javascript/test/support/blocking-worker.mjs'

async function fabric(t, carrier, synapseCarrier) {
  const synapse = await startSynapse(t, { args: ['--carrier', synapseCarrier] })
  const worker = startNode(t, [WORKER, synapse.url, carrier])
  await worker.line('ready')
  const dendrite = new Dendrite({ synapse: await connectSynapse(synapse.url), namespace: 'n' })
  t.after(() => dendrite.stop())
  await dendrite.start({ timeoutMs: 20_000 })
  const block = (ms) =>
    dendrite.dispatchAndWait({ neuron: 'blocks', input: { ms }, timeoutMs: 60_000 })
  return { worker, dendrite, block }
}

// They wait most of their time, each for a process of its own.
describe('a blocked loop', { concurrency: true }, () => {
  for (const [carrier, synapseCarrier, ms] of [
    ['zmtp', 'zmtp', 8000],
    ['zmtp', 'libzmq', 2000],
    ['libzmq', 'libzmq', 5000],
  ]) {
    test(`${carrier} at ${synapseCarrier}: ${ms} ms lose nothing, and no connection`, async (t) => {
      const { worker, dendrite, block } = await fabric(t, carrier, synapseCarrier)

      const reply = await block(ms)
      assert.deepEqual([reply.type, reply.payload.output], ['AGENT_OUTPUT', { blocked: ms }])
      await dendrite.waitForNeuron({ neuron: 'blocks' }) // over 6 s without presence it gets no new task
      const next = await block(0)

      assert.equal(next.type, 'AGENT_OUTPUT')
      assert.deepEqual(worker.lines, ['ready']) // no warning
    })
  }

  test('zmtp at libzmq: a longer one loses its task, says why, and comes back', async (t) => {
    const { worker, dendrite, block } = await fabric(t, 'zmtp', 'libzmq')

    const reply = await block(6000)
    assert.deepEqual([reply.type, reply.payload.code], ['ERROR', 'WORKER_LOST'])
    await dendrite.waitForNeuron({ neuron: 'blocks', timeoutMs: 30_000 })
    const next = await block(0)

    assert.equal(next.type, 'AGENT_OUTPUT')
    assert.match(
      worker.said,
      /the loop was blocked for over [3-6]\.\d s: after 3 s without an answer .* WORKER_LOST; start the Synapse with --carrier zmtp, or use carrier: 'libzmq'/,
    )
    assert.equal(worker.said.match(/loop was blocked|loop of .* was blocked/g).length, 1)
  })
})
