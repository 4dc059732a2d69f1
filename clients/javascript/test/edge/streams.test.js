// Tasks as streams over real HTTP, for Express 4 and 5, byte by byte beside those of Flask.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { createGunzip } from 'node:zlib'
import { answer, stream } from 'cosmonapse/express'
import * as edge from '../support/edge-app.js'

const VERSIONS = [4, 5]
const STREAMED = ['echo', 'quiet', 'values', 'tools for', 'slow 0.5', 'fails-late']
const REFUSED = ['error OVERLOADED', 'error MY_OWN', 'retry-after 3', 'asks', 'needs', 'escalates']

/** Return a stream without its comments, and without what differs from one task to the next. */
const comparable = (text) =>
  text.replaceAll(': keep-alive\n\n', '').replaceAll(/trc_\w{26}/g, 'trc')

/** Return the names of the events in a text. */
const names = (text) => [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)

async function startApps(t, options) {
  const fabric = await edge.startFabric(t, options)
  const apps = await Promise.all(VERSIONS.map((each) => edge.serveApp(t, each, fabric.dendrite)))
  return { ...fabric, apps }
}

test('events and texts are those of Flask, byte by byte', async (t) => {
  const { synapse, apps } = await startApps(t)
  const flask = await edge.startFlask(t, synapse.url)

  for (const prompt of STREAMED) {
    for (const [i, app] of apps.entries()) {
      await t.test(`Express ${VERSIONS[i]}: ${prompt}`, async () => {
        const expected = await edge.post(`${flask}/stream`, { prompt })
        const told = await edge.post(`${app.url}/stream`, { prompt })

        assert.equal(told.status, 200)
        assert.equal(comparable(told.text), comparable(expected.text))
        assert.match(told.text, /\nid: end-trc_\w{26}\n\n$/)
        for (const each of ['content-type', 'cache-control', 'x-accel-buffering']) {
          assert.equal(told.headers.get(each), expected.headers.get(each), each)
        }
      })
    }
  }
  for (const prompt of ['echo', 'quiet', 'tools for']) {
    const expected = await edge.post(`${flask}/text`, { prompt })
    for (const app of apps) {
      const told = await edge.post(`${app.url}/text`, { prompt })

      assert.equal(told.text, expected.text)
      assert.equal(told.headers.get('content-type'), expected.headers.get('content-type'))
    }
  }
})

test('a task that is refused at once has its own status and body, as those of Flask', async (t) => {
  const { synapse, apps } = await startApps(t)
  const flask = await edge.startFlask(t, synapse.url)

  for (const prompt of REFUSED) {
    for (const path of ['/stream', '/text']) {
      const expected = await edge.post(flask + path, { prompt })
      for (const app of apps) {
        const told = await edge.post(app.url + path, { prompt })

        assert.equal(told.status, expected.status)
        assert.equal(told.headers.get('retry-after'), expected.headers.get('retry-after'))
        assert.equal(comparable(told.text), comparable(expected.text))
      }
    }
  }
})

test('a worker in JavaScript streams the same', async (t) => {
  const python = await startApps(t)
  const javascript = await startApps(t, { language: 'javascript' })

  for (const prompt of ['echo', 'fails-late', 'error OVERLOADED']) {
    for (const [i, app] of javascript.apps.entries()) {
      const told = await edge.post(`${app.url}/stream`, { prompt })
      const expected = await edge.post(`${python.apps[i].url}/stream`, { prompt })

      assert.equal(told.status, expected.status)
      assert.equal(comparable(told.text), comparable(expected.text))
    }
  }
})

test('an event arrives while the Neuron still works', async (t) => {
  const { apps } = await startApps(t)

  for (const app of apps) {
    for (const [path, text] of Object.entries({
      '/stream': 'event: thought\n',
      '/text': 'one\n',
    })) {
      const asking = edge.begin(app.url + path, { prompt: 'held' })
      await edge.until(await asking.response, text)
      asking.hangUp()
    }
  }
})

test('bare texts that fail half way end the connection early', async (t) => {
  const { apps } = await startApps(t)

  for (const app of apps) {
    const response = await edge.begin(`${app.url}/text`, { prompt: 'fails-late' }).response
    let said = ''
    response.on('data', (piece) => {
      said += piece
    })
    const [error] = await once(response, 'error')

    assert.equal(said, 'one\n')
    assert.equal(error.code, 'ECONNRESET')
  }
})

for (const language of ['python', 'javascript']) {
  test(`a client that hangs up cancels the task of a worker in ${language}`, async (t) => {
    const { apps, worker } = await startApps(t, { language })

    for (const [i, app] of apps.entries()) {
      for (const path of ['/ask', '/stream', '/text']) {
        for (const order of ['held', 'silent']) {
          const prompt = `${order} ${VERSIONS[i]}${path}`
          await t.test(prompt, async () => {
            const asking = edge.begin(app.url + path, { prompt })
            await worker.line(`started ${prompt}`)
            if (path !== '/ask') await asking.response
            const hungUpAt = performance.now()
            asking.hangUp()
            await worker.line(`cancelled ${prompt}`)

            const tookMs = performance.now() - hungUpAt
            assert.ok(tookMs < 1000, `${tookMs} ms`)
          })
        }
      }
      assert.deepEqual(app.log, [])
    }
  })
}

test('a hang-up behind a body that nobody reads cancels the task', async (t) => {
  const { dendrite, worker } = await edge.startFabric(t)

  for (const [kind, make] of Object.entries({ answer, stream })) {
    const prompt = `silent unread ${kind}`
    const handler = make(dendrite, () => ({ neuron: 'worker', input: { prompt } }))
    const server = createServer((req, res) => handler(req, res)).listen(0, '127.0.0.1')
    const { url } = await edge.listen(t, server)
    const asking = edge.begin(url, { unread: 'x'.repeat(1_000_000) })
    await worker.line(`started ${prompt}`)
    asking.hangUp()
    await worker.line(`cancelled ${prompt}`)
  }
})

test('a client that is gone before its task is made causes none', async (t) => {
  const { dendrite, worker } = await edge.startFabric(t)
  let release, entered
  const makeTask = async () => {
    entered()
    await new Promise((resolve) => {
      release = resolve
    })
    return { neuron: 'worker', input: { prompt: 'echo late' } }
  }
  const app = await edge.serveApp(t, 5, dendrite, {
    routes: (each) => {
      each.post('/late/ask', answer(dendrite, makeTask))
      each.post('/late/stream', stream(dendrite, makeTask))
    },
  })

  for (const path of ['/late/ask', '/late/stream']) {
    const closed = once(app.server, 'request').then(([, res]) => once(res, 'close'))
    const here = new Promise((resolve) => {
      entered = resolve
    })
    const asking = edge.begin(app.url + path, {})
    await here
    asking.hangUp()
    await closed
    release()
  }
  await edge.post(`${app.url}/ask`, { prompt: 'echo last' })

  assert.equal(worker.said.includes('echo late'), false)
  assert.deepEqual(app.log, [])
})

test('a comment keeps a silent stream alive, and is not repeated while texts come', async (t) => {
  const { dendrite } = await edge.startFabric(t)
  const quick = await edge.serveApp(t, 5, dendrite, { keepAliveMs: 20 })
  const usual = await edge.serveApp(t, 5, dendrite)

  const asking = edge.begin(`${quick.url}/stream`, { prompt: 'silent' })
  const said = await edge.until(await asking.response, ': keep-alive\n\n: keep-alive\n\n')
  asking.hangUp()
  const { text } = await edge.post(`${usual.url}/stream`, { prompt: 'slow 0.5' })

  assert.match(said, /^(: keep-alive\n\n)+$/)
  assert.equal(text.includes('keep-alive'), false)
})

test('a slow reader gets everything, and the response waits for it', async (t) => {
  const { apps } = await startApps(t)
  const pieces = 200

  for (const app of apps) {
    const arrived = once(app.server, 'request')
    const response = await edge.begin(`${app.url}/text`, { prompt: `flood ${pieces}` }).response
    const [, res] = await arrived
    response.pause()
    if (!res.writableNeedDrain) await fullOf(res)
    assert.ok(res.writableLength < 4 * 65_536, `${res.writableLength} bytes are waiting`)
    let size = 0
    for await (const piece of response) size += piece.length

    assert.equal(size, pieces * 65_536)
  }
})

/** Resolve when a response has more than it may keep. */
function fullOf(res) {
  return new Promise((resolve) => {
    const look = () => (res.writableNeedDrain ? resolve() : setImmediate(look))
    look()
  })
}

test('an EventSource that has read its last event gets 204, and no task is sent', async (t) => {
  const { apps, worker } = await startApps(t)

  for (const [i, app] of apps.entries()) {
    const url = `${app.url}/events?prompt=echo ${VERSIONS[i]}`
    const first = await fetch(url)
    const [, last] = /\nid: (.*)\n\n$/.exec(await first.text())
    for (const id of [last, 'end-stopped']) {
      const again = await fetch(url, { headers: { 'Last-Event-ID': id } })

      assert.deepEqual([again.status, await again.text()], [204, ''])
    }
    const anew = await fetch(url, { headers: { 'Last-Event-ID': '7' } })

    assert.equal(anew.status, 200)
    await anew.text()
    const runs = worker.lines.filter((each) => each === `started echo ${VERSIONS[i]}`)
    assert.equal(runs.length, 2)
  }
})

test('HEAD of a stream has its headers, and no task is sent', async (t) => {
  const { apps, worker } = await startApps(t)

  for (const app of apps) {
    const response = await fetch(`${app.url}/events?prompt=echo`, { method: 'HEAD' })

    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  }
  await edge.post(`${apps[0].url}/ask`, { prompt: 'echo last' })
  assert.deepEqual(
    worker.lines.filter((each) => each.startsWith('started')),
    ['started echo last'],
  )
})

test('a middleware that compresses holds no event back', async (t) => {
  const { dendrite, worker } = await edge.startFabric(t)

  for (const version of VERSIONS) {
    const app = await edge.serveApp(t, version, dendrite, { compressed: true, keepAliveMs: 20 })
    const headers = { 'Accept-Encoding': 'gzip' }
    const prompt = `held compressed ${version}`
    const asking = edge.begin(`${app.url}/stream`, { prompt }, { headers })
    const response = await asking.response
    const said = await edge.until(response.pipe(createGunzip()), 'keep-alive')
    asking.hangUp()
    await worker.line(`cancelled ${prompt}`)

    assert.equal(response.headers['content-encoding'], 'gzip')
    assert.deepEqual(names(said), ['thought'])
  }
})

test('a slow reader behind a middleware that compresses gets everything', async (t) => {
  const { dendrite } = await edge.startFabric(t)
  const app = await edge.serveApp(t, 5, dendrite, { compressed: true })

  const { text } = await edge.post(`${app.url}/stream`, { prompt: 'flood 40' })

  assert.equal(names(text).length, 41)
})

test('a Dendrite that stops ends its streams with a last event', async (t) => {
  const { synapse, worker } = await edge.startFabric(t)

  for (const version of VERSIONS) {
    const dendrite = await edge.startDendrite(t, synapse.url)
    const app = await edge.serveApp(t, version, dendrite)
    const prompt = `held until stop ${version}`
    const response = await edge.begin(`${app.url}/stream`, { prompt }).response
    await edge.until(response, 'thought')
    await dendrite.stop()
    const rest = await edge.until(response, 'id: end-')
    await worker.line(`cancelled ${prompt}`)

    assert.deepEqual(names(rest), ['error'])
    assert.match(rest, /"code": "CANCELLED".*\nid: end-trc_\w+\n\n$/)
  }
})
