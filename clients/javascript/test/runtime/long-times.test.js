// Times over 2^31 ms: a setTimeout of Node fires at once for them, and says so.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Registration } from '../../src/dendrite/worker/registration.js'
import { Pathway } from '../../src/dendrite/caller/pathway.js'
import { InvalidArgument, PathwayClosedError } from '../../src/errors.js'
import { close } from '../../src/express.js'
import { Synapse } from '../../src/index.js'
import { within } from '../../src/runtime/waits.js'
import { newTraceId } from '../../src/signals/ids.js'
import { deferred, give, inboxOf, taskOf } from '../dendrite/worker/fakes.js'

const LONG_MS = 2 ** 32 - 1

/** Record what Node says of timers that it cannot keep. */
function overflows(t) {
  const said = []
  const onWarning = ({ name, message }) => name === 'TimeoutOverflowWarning' && said.push(message)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  return said
}

test('a worker drains for 49 days', async (t) => {
  const said = overflows(t)
  const gate = deferred()
  const { client, inbox } = inboxOf(() => gate.promise)
  const task = give(inbox, taskOf())
  const drained = inbox.drain(LONG_MS)
  await turn()
  gate.resolve({})

  assert.equal((await client.outcome(task)).signal.type, 'AGENT_OUTPUT')
  assert.equal(await drained, 0)
  assert.deepEqual(said, [])
})

test('a start waits for its acknowledgement for 49 days', async (t) => {
  const said = overflows(t)
  const { client, inbox, warnings } = inboxOf(async () => ({}))
  const registration = new Registration({ client, url: 'x', inbox, dendriteId: 'd', warnings })
  t.after(() => registration.stop(null))
  const started = registration.start(LONG_MS)
  await turn()
  registration.onRegistered('worker', '')
  await started

  assert.deepEqual(said, [])
})

test('a connect, a wait and a Pathway wait for 49 days', async (t) => {
  const said = overflows(t)
  const synapse = new Synapse('cosmo://127.0.0.1:1')
  const connecting = synapse.connect(LONG_MS)
  const gate = deferred()
  const waiting = within(gate.promise, LONG_MS, () => new Error('late'))
  const pathway = new Pathway(newTraceId())
  const read = pathway.wait({ timeoutMs: LONG_MS })
  await turn()
  await synapse.close()
  gate.resolve(1)
  pathway.close()

  await assert.rejects(connecting, /the Synapse object was closed meanwhile/)
  assert.equal(await waiting, 1)
  await assert.rejects(read, PathwayClosedError)
  assert.deepEqual(said, [])
})

test('an edge drains for 49 days, and refuses what is no time before it closes anything', async (t) => {
  const said = overflows(t)
  const server = createServer()
  await new Promise((resolve) => server.listen(0, resolve))
  const dendrite = { stop: async () => {} }
  for (const drainMs of [Infinity, NaN, -1, '5'])
    await assert.rejects(close(server, dendrite, { drainMs }), InvalidArgument)

  assert.equal(server.listening, true)
  await close(server, dendrite, { drainMs: LONG_MS })
  assert.deepEqual(said, [])
})
