// Async handlers that throw, and errors of others, in Express 4 and 5 as processes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors, wrap } from 'cosmonapse/express'
import * as edge from '../support/edge-app.js'
import { startNode } from '../support/child.js'

const PATHS = ['/route', '/middleware', '/router/in-router', '/handler']

async function startServer(t, version, handlers) {
  const child = startNode(t, [edge.support('edge-server.js'), version, handlers])
  return { child, url: await child.line('listening at') }
}

for (const [version, handlers] of [
  [4, 'wrapped'],
  [4, 'caught'],
  [5, 'bare'],
  [5, 'wrapped'],
  [5, 'caught'],
]) {
  test(`async handlers that throw do not end Express ${version} (${handlers})`, async (t) => {
    const { child, url } = await startServer(t, version, handlers)

    for (const path of PATHS) {
      const response = await fetch(url + path)
      const text = await response.text()

      assert.deepEqual([response.status, JSON.parse(text).code], [500, 'INTERNAL_ERROR'], path)
      assert.equal(text.includes('SECRET'), false)
    }
    await child.line('a task could not be served: Error: SECRET')
    assert.equal((await fetch(`${url}/elsewhere`)).status, 404)
  })
}

test('without that the process of Express 4 ends, which is why it is there', async (t) => {
  const { child, url } = await startServer(t, 4, 'bare')

  await assert.rejects(fetch(`${url}/route`))
  assert.equal(await child.ended, 1)
})

test('a rejection goes to next once, also where the framework looks at what a handler returns', async () => {
  const told = []
  const next = (error) => void told.push(error.message)
  const fail = async () => {
    throw new Error('SECRET')
  }

  assert.equal(await wrap(fail)({}, {}, next), undefined)
  assert.deepEqual(told, ['SECRET'])
})

test('an error with a status of its own is passed on', async (t) => {
  const dendrite = edge.neverStarted()
  const own = Object.assign(new Error('no entry'), { status: 403, expose: true })

  for (const version of [4, 5]) {
    const app = await edge.serveApp(t, version, dendrite, {
      routes: (each) => {
        each.get('/own', (req, res, next) => next(own))
        each.get('/invalid/:name', () => {})
      },
    })
    const mine = await fetch(`${app.url}/own`)
    const express = await fetch(`${app.url}/invalid/%ff`)

    assert.equal(mine.status, 403)
    assert.equal(express.status, 400)
    assert.deepEqual(app.log, [])
  }
})

test('an error behind the headers breaks the connection off', async (t) => {
  const dendrite = edge.neverStarted()
  const app = await edge.serveApp(t, 4, dendrite, {
    routes: (each) =>
      each.get('/half', async (req, res) => {
        res.write('half')
        throw new Error('SECRET')
      }),
  })

  const response = await edge.begin(`${app.url}/half`, null, { method: 'GET' }).response
  await assert.rejects(async () => {
    for await (const piece of response) assert.equal(String(piece), 'half')
  })
  assert.match(app.log[0].text, /SECRET/)
})

test('a handler is wrapped once and keeps its number of parameters', () => {
  const plain = wrap(() => {})
  const forErrors = wrap((error, req, res, next) => next(error))

  assert.deepEqual([plain.length, forErrors.length], [3, 4])
  assert.equal(wrap(plain), plain)
})

test('what a wrapped handler throws at once is thrown', () => {
  const throwing = wrap(() => {
    throw new RangeError('at once')
  })

  assert.throws(() => throwing({}, {}, () => {}), RangeError)
})

test('a rejection without a reason is an error for next all the same', async () => {
  const passed = await new Promise((resolve) => {
    wrap(() => Promise.reject())({}, {}, resolve)
  })

  assert.ok(passed instanceof Error)
})

test('errors leaves an app without routes, and one of Express 5, as it is', () => {
  for (const version of [4, 5]) assert.equal(errors({ app: edge.EXPRESS[version]() }).length, 4)
  assert.equal(errors().length, 4)
})
