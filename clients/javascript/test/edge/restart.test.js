// What the fabric goes through, as the HTTP clients of an app see it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as edge from '../support/edge-app.js'

test('answers and streams outlive a Synapse that is killed', async (t) => {
  const { synapse, worker, dendrite } = await edge.startFabric(t)
  const app = await edge.serveApp(t, 5, dendrite)
  const numbers = [...Array(16).keys()]
  const prompt = (i) => `slow 1.5 for ${i}`

  const answers = numbers.map((i) => edge.post(`${app.url}/ask`, { prompt: prompt(i) }))
  const streams = numbers.map((i) => edge.post(`${app.url}/stream`, { prompt: prompt(i + 16) }))
  await Promise.all([0, 15, 16, 31].map((i) => worker.line(`started ${prompt(i)}`)))
  await synapse.kill()
  await synapse.restart()

  for (const [i, told] of (await Promise.all(answers)).entries()) {
    assert.deepEqual([told.status, told.json], [200, { response: `echo: ${prompt(i)}` }])
  }
  for (const told of await Promise.all(streams)) {
    assert.equal(told.status, 200)
    assert.equal(told.text.match(/^event: thought$/gm).length, 2)
    assert.match(told.text, /event: output\n.*\nid: end-/)
  }
  const runs = worker.lines.filter((each) => each.startsWith('started'))
  assert.equal(new Set(runs).size, runs.length)
})

test('a worker that is killed is told to each client, and an event ends its stream', async (t) => {
  const { worker, dendrite } = await edge.startFabric(t)
  const app = await edge.serveApp(t, 5, dendrite)

  const answer = edge.post(`${app.url}/ask`, { prompt: 'held answer' })
  const stream = edge.post(`${app.url}/stream`, { prompt: 'held stream' })
  await Promise.all(['answer', 'stream'].map((each) => worker.line(`started held ${each}`)))
  await worker.kill()
  const [answered, streamed] = await Promise.all([answer, stream])

  assert.deepEqual([answered.status, answered.json.code], [502, 'WORKER_LOST'])
  assert.equal(answered.json.retry, true)
  assert.match(streamed.text, /event: error\ndata: .*"WORKER_LOST".*\nid: end-trc_\w+\n\n$/)
})

test('two hundred clients that hang up at once leave nothing behind', async (t) => {
  const { worker, dendrite } = await edge.startFabric(t)
  const app = await edge.serveApp(t, 5, dendrite)
  const prompts = [...Array(200).keys()].map((i) => `silent ${i}.`)
  const atOnce = 64 // as many as an Axon runs

  for (let at = 0; at < prompts.length; at += atOnce) {
    const asked = prompts.slice(at, at + atOnce).map((prompt, i) => {
      const path = i % 2 === 0 ? '/ask' : '/stream'
      return { prompt, ...edge.begin(app.url + path, { prompt }) }
    })
    await Promise.all(asked.map(({ prompt }) => worker.line(`started ${prompt}`)))
    for (const { hangUp } of asked) hangUp()
    await Promise.all(asked.map(({ prompt }) => worker.line(`cancelled ${prompt}`)))
  }

  const connections = await new Promise((resolve) => {
    app.server.getConnections((error, count) => resolve(count))
  })
  assert.equal(connections, 0)
  assert.deepEqual(app.log, [])
})
