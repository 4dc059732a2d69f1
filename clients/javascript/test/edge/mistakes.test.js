// The mistakes of a program that sets up an HTTP edge: each is named where it is made.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { InvalidArgument } from 'cosmonapse'
import { answer, BadRequest, close, errors, serve, stream, wrap } from 'cosmonapse/express'
import { BodyTooLarge } from '../../src/edge/outcomes.js'
import * as edge from '../support/edge-app.js'

const dendrite = edge.neverStarted()
const makeTask = () => ({ neuron: 'worker', input: null })
const app = edge.EXPRESS[5]()
const pending = Promise.resolve(dendrite)

const MISTAKES = [
  ['answer without a task', () => answer(dendrite), /needs a function that returns the task.*not undefined/],
  ['answer in the wrong order', () => answer(makeTask, dendrite), /answer needs a Dendrite, not/],
  ['answer with a promise', () => answer(pending, makeTask), /not a promise: 'await' is missing/],
  ['stream with a wrong option', () => stream(dendrite, makeTask, { asTxt: true }), /did you mean 'asText'/],
  ['stream with a text as time', () => stream(dendrite, makeTask, { keepAliveMs: '3' }), /keepAliveMs must be a number of milliseconds, not '3'/],
  ['errors with the bare app', () => errors(app), /write errors\(\{ app \}\)/],
  ['errors with a wrong option', () => errors({ aap: app }), /did you mean 'app'/],
  ['errors with no app', () => errors({ app: {} }), /app must be that of express\(\), not \{\}/],
  ['errors with no logger', () => errors({ logger: 3 }), /a method error\(text, error\), not 3/],
  ['wrap without a handler', () => wrap(), /wrap needs the handler, a function, not undefined/],
] // prettier-ignore
for (const [what, make, text] of MISTAKES) {
  test(`${what} is refused`, () => {
    assert.throws(make, (error) => error instanceof InvalidArgument && text.test(error.message))
  })
}

test('what is no server, no Dendrite or no option is refused by serve and close', async () => {
  for (const verb of [serve, close]) {
    await assert.rejects(
      verb(app, dendrite),
      /not an app: write \w+\(app\.listen\(port\), dendrite\)/,
    )
    await assert.rejects(verb(undefined, dendrite), /the server that app\.listen\(port\) returns/)
    const httpServer = app.listen(0, '127.0.0.1')
    await once(httpServer, 'listening')
    await assert.rejects(verb(httpServer), /needs a Dendrite, not undefined/)
    await assert.rejects(verb(httpServer, dendrite, { drain: 3 }), /did you mean 'drainMs'/)
    await assert.rejects(verb(httpServer, dendrite, { drainMs: '3' }), /drainMs must be/)
    httpServer.close()
  }
})

for (const version of [4, 5]) {
  for (const heard of [[], [() => {}]]) {
    test(`serve tells of a port in use, Express ${version}, ${heard.length} callbacks`, async (t) => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      t.after(() => other.close())
      const { port } = other.address()
      const mine = edge.neverStarted()

      const serving = serve(edge.EXPRESS[version]().listen(port, '127.0.0.1', ...heard), mine)

      await assert.rejects(serving, {
        code: 'EADDRINUSE',
        message: /cannot listen: .*address already in use.*; end the program that has the port/,
      })
      assert.equal(mine.state, 'stopped')
      assert.equal(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM'), 0)
    })
  }
}

test('app.use(errors) without its () is named at the first request', async (t) => {
  const wrong = edge.EXPRESS[5]()
  let told = ''
  wrong.use(errors)
  wrong.use((error, req, res, _next) => {
    told = error.message
    res.end()
  })
  const { url } = await edge.listen(t, wrong)

  await fetch(url)

  assert.match(told, /write app\.use\(errors\(\)\), with its \(\)/)
})

test('a bad request has its status in an app without errors() too', () => {
  assert.equal(new BadRequest('no').status, 400)
  assert.equal(new BodyTooLarge(1).status, 413)
})
