// The end of a process that serves: SIGTERM while it is idle, answers, and streams.
import assert from 'node:assert/strict'
import { Agent, get } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { close, stream } from 'cosmonapse/express'
import * as edge from '../support/edge-app.js'
import { startNode } from '../support/child.js'

async function startServer(t, version, drainMs) {
  const { synapse, worker } = await edge.startFabric(t)
  const args = [edge.support('edge-server.js'), version, 'caught', synapse.url]
  const child = startNode(t, args, { env: { DRAIN_MS: String(drainMs) } })
  return { child, worker, url: await child.line('listening at') }
}

for (const version of [4, 5]) {
  test(`SIGTERM ends Express ${version} although a stream is open, which gets a last event`, async (t) => {
    const { child, worker, url } = await startServer(t, version, 100)
    const response = await edge.begin(`${url}/stream`, { prompt: 'held' }).response
    await edge.until(response, 'thought')

    child.signal('SIGTERM')
    const rest = await edge.until(response, 'id: end-')
    await worker.line('cancelled held')

    assert.match(rest, /event: error\n/)
    assert.equal(await child.ended, 0)
    assert.match(child.said, /^ended by SIGTERM$/m)
  })
}

test('an answer that does not come in time is 503 when the process ends', async (t) => {
  const { child, worker, url } = await startServer(t, 5, 100)
  const asking = edge.post(`${url}/ask`, { prompt: 'silent' })
  await worker.line('started silent')

  child.signal('SIGTERM')
  const told = await asking
  await worker.line('cancelled silent')

  assert.deepEqual([told.status, told.json?.code], [503, 'NOT_READY'])
  assert.equal(await child.ended, 0)
})

test('a stream that ends in time is sent to its end', async (t) => {
  const { child, url } = await startServer(t, 5, 20_000)
  const response = await edge.begin(`${url}/stream`, { prompt: 'slow 1' }).response
  await edge.until(response, 'thought')

  child.signal('SIGINT')
  const rest = await edge.until(response, 'id: end-')

  assert.match(rest, /event: output\n/)
  assert.equal(await child.ended, 0)
  assert.match(child.said, /^ended by SIGINT$/m)
})

test('no new connection is taken while the last responses are sent', async (t) => {
  const { child, url } = await startServer(t, 5, 20_000)
  const asking = edge.begin(`${url}/stream`, { prompt: 'held' })
  await edge.until(await asking.response, 'thought')

  child.signal('SIGTERM')
  await assert.rejects(async () => {
    for (;;) await (await fetch(`${url}/elsewhere`)).text()
  })
  asking.hangUp()

  assert.equal(await child.ended, 0)
})

test('a client that goes on asking over one connection does not hold the process', async (t) => {
  const { synapse, worker } = await edge.startFabric(t)
  const dendrite = await edge.startDendrite(t, synapse.url)
  const app = await edge.serveApp(t, 5, dendrite)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = () => once(get(`${app.url}/events?prompt=slow 0.1`, { agent }), 'response')
  const [first] = await ask()
  let last = first
  const asking = (async () => {
    for (;;) {
      last.resume()
      await once(last, 'end')
      ;[last] = await ask()
    }
  })()

  asking.catch(() => {}) // it is looked at below
  await worker.line('started slow 0.1')
  await close(app.server, dendrite, { drainMs: 20_000 })

  await assert.rejects(asking, { code: /ECONNREFUSED|ECONNRESET/ })
})

test('a second signal ends the process at once', async (t) => {
  const { child, url } = await startServer(t, 5, 60_000)
  const asking = edge.begin(`${url}/stream`, { prompt: 'held' })
  await edge.until(await asking.response, 'thought')

  child.signal('SIGTERM')
  await assert.rejects(async () => {
    for (;;) await (await fetch(`${url}/elsewhere`)).text()
  })
  child.signal('SIGTERM')

  assert.equal(await child.ended, 'SIGTERM')
})

test('idle connections that are kept alive, and readers that stopped reading, hold nothing', async (t) => {
  const { synapse, worker } = await edge.startFabric(t)
  const dendrite = await edge.startDendrite(t, synapse.url)
  const app = await edge.serveApp(t, 5, dendrite, {
    routes: (each) =>
      each.get(
        '/flood',
        stream(dendrite, () => ({ neuron: 'worker', input: { prompt: 'flood 400' } })),
      ),
  })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const [idle] = await once(get(`${app.url}/elsewhere`, { agent }), 'response')
  await once(idle.resume(), 'end')
  const stuck = await edge.begin(`${app.url}/flood`, null, { method: 'GET' }).response
  stuck.pause()
  stuck.on('error', () => {}) // it is broken off
  await worker.line('started flood')

  await close(app.server, dendrite, { drainMs: 50 })

  assert.equal(app.server.listening, false)
})
