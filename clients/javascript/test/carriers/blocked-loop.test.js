// A worker that blocks its loop: 2 s are safe with our own ZMTP, and any time with libzmq (docs/spec/10-zmtp.md).
import assert from 'node:assert/strict'
import test from 'node:test'
import { Dendrite, connectSynapse } from '../../src/index.js'
import { startNode } from '../support/child.js'
import { startSynapse } from '../support/synapse.js'

const WORKER = 'clients/javascript/test/support/blocking-worker.mjs'

async function fabric(t, carrier) {
  const synapse = await startSynapse(t)
  const worker = startNode(t, [WORKER, synapse.url, carrier])
  await worker.line('ready')
  const dendrite = new Dendrite({ synapse: await connectSynapse(synapse.url), namespace: 'n' })
  t.after(() => dendrite.stop())
  await dendrite.start({ timeoutMs: 20_000 })
  const block = (ms) =>
    dendrite.dispatchAndWait({ neuron: 'blocks', input: { ms }, timeoutMs: 30_000 })
  return { worker, dendrite, block }
}

for (const [carrier, ms] of [
  ['zmtp', 2000],
  ['libzmq', 4000],
]) {
  test(`${carrier}: a loop that is blocked for ${ms} ms loses nothing, and no connection`, async (t) => {
    const { worker, block } = await fabric(t, carrier)

    const reply = await block(ms)
    assert.deepEqual([reply.type, reply.payload.output], ['AGENT_OUTPUT', { blocked: ms }])
    const next = await block(0)

    assert.equal(next.type, 'AGENT_OUTPUT')
    assert.deepEqual(worker.lines, ['ready']) // no warning
  })
}

test('zmtp: a loop that is blocked for longer loses its task, says why, and comes back', async (t) => {
  const { worker, dendrite, block } = await fabric(t, 'zmtp')

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
