// The table of docs/edge.md over real HTTP, for Express 4 and 5, beside what the helpers of Flask say.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { CODES, TimeoutError } from 'cosmonapse'
import { answer, BadRequest, respond, stream } from 'cosmonapse/express'
import * as edge from '../support/edge-app.js'
import { freePorts } from '../support/synapse.js'

const VERSIONS = [4, 5]
const POSTED = [
  ['an output', { prompt: 'echo' }, 200],
  ['an output with values outside JSON', { prompt: 'values' }, 200],
  ...Object.entries(CODES).map(([code, { httpStatus }]) => [
    `the error ${code}`,
    { prompt: `error ${code}` },
    httpStatus,
  ]),
  ['an error with a code of the Neuron', { prompt: 'error MY_OWN' }, 502],
  ['an error that says when to come back', { prompt: 'retry-after 1.2' }, 502],
  ['a CLARIFICATION', { prompt: 'asks' }, 409],
  ['a PERMISSION', { prompt: 'needs' }, 409],
  ['an ESCALATION', { prompt: 'escalates' }, 409],
  ['an exception of the Neuron', { prompt: 'raises' }, 502],
  ['a body without a required key', {}, 400],
  ['an empty required key', { prompt: '' }, 400],
  ['an array', ['prompt'], 400],
  ['a string', '"prompt"', 400],
  ['a number', '1', 400],
  ['true', 'true', 400],
  ['null', 'null', 400],
  ['no JSON', 'no JSON', 400],
  ['half of a JSON', '{"prompt": ', 400],
  ['what is no number of JSON', '{"prompt": NaN}', 400],
  ['an empty body', '', 400],
]
/** Here the Dendrite speaks, and each language has its own words. */
const SAID_BY_THE_DENDRITE = [
  ['a worker that is not there', { prompt: 'echo', neuron: 'nobody' }, 503],
  ['no outcome in time', { prompt: 'silent', timeout_ms: 200 }, 504],
  ['an invalid name', { prompt: 'echo', neuron: 'a b' }, 400],
  ['a lone surrogate', '{"prompt": "\\ud800"}', 400],
  ['too large a Signal', { prompt: 'x'.repeat(edge.MAX_SIGNAL_BYTES) }, 413],
]
// The late Signal of the worker would name the time of another task.
const ROWS = POSTED.filter(([what]) => what !== 'the error EXPIRED')

/** Return a body without what differs from one task to the next, or from one parser to the other. */
const comparable = (json) => ({
  ...json,
  ...('trace_id' in json && { trace_id: 'a trace' }),
  ...('error' in json && { error: json.error.replace(/(not valid JSON: ).+/, '$1...') }),
})
const HEADERS = ['content-type', 'retry-after']

test('each outcome has its status, and the body and headers of Flask', async (t) => {
  const fabric = await edge.startFabric(t)
  const flask = await edge.startFlask(t, fabric.synapse.url)
  const apps = await Promise.all(VERSIONS.map((each) => edge.serveApp(t, each, fabric.dendrite)))

  for (const [what, body, status] of [...ROWS, ...SAID_BY_THE_DENDRITE]) {
    for (const [i, app] of apps.entries()) {
      await t.test(`Express ${VERSIONS[i]}: ${what} is ${status}`, async () => {
        const expected = await edge.post(`${flask}/ask`, body)
        const told = await edge.post(`${app.url}/ask`, body)

        assert.equal(told.status, status)
        assert.equal(expected.status, status)
        for (const each of HEADERS) {
          assert.equal(told.headers.get(each), expected.headers.get(each), each)
        }
        const [mine, theirs] = [told.json, expected.json].map(comparable)
        assert.deepEqual(Object.keys(mine).sort(), Object.keys(theirs).sort())
        if (SAID_BY_THE_DENDRITE.some(([each]) => each === what)) theirs.error = mine.error
        assert.deepEqual(mine, theirs)
      })
    }
  }
})

test('a body that is not sent as JSON is 400, as any page could make a browser send it', async (t) => {
  const fabric = await edge.startFabric(t)
  const flask = await edge.startFlask(t, fabric.synapse.url)

  for (const version of VERSIONS) {
    const app = await edge.serveApp(t, version, fabric.dendrite)
    for (const kind of ['text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { 'Content-Type': kind }
      const told = await edge.post(`${app.url}/ask`, '{"prompt": "Hi"}', headers)
      const expected = await edge.post(`${flask}/ask`, '{"prompt": "Hi"}', headers)

      assert.equal(told.status, 400)
      assert.deepEqual(told.json, expected.json)
    }
  }
})

test('what express.json() refuses has a body of the table', async (t) => {
  const dendrite = edge.neverStarted()

  for (const version of VERSIONS) {
    const app = await edge.serveApp(t, version, dendrite, { limit: 100 })
    const large = await edge.post(`${app.url}/ask`, { prompt: 'x'.repeat(200) })
    const charset = await edge.post(`${app.url}/ask`, '{}', {
      'Content-Type': 'application/json; charset=latin1',
    })
    const encoding = await edge.post(`${app.url}/ask`, '{}', { 'Content-Encoding': 'rot13' })

    assert.deepEqual([large.status, large.json.code], [413, 'TOO_LARGE'])
    assert.match(large.json.error, /at most 100 bytes, not 213/)
    assert.deepEqual([charset.status, charset.json.code], [400, 'BAD_REQUEST'])
    assert.deepEqual([encoding.status, encoding.json.code], [400, 'BAD_REQUEST'])
    assert.match(encoding.json.error, /rot13/)
    assert.deepEqual(app.log, [])
  }
})

test('a Dendrite that does not run is 503, and the log has the reason', async (t) => {
  const dendrite = edge.neverStarted()

  for (const version of VERSIONS) {
    const app = await edge.serveApp(t, version, dendrite)
    for (const path of ['/ask', '/stream', '/text']) {
      const told = await edge.post(app.url + path, { prompt: 'Hi' })

      assert.deepEqual([told.status, told.json.code], [503, 'NOT_READY'])
      assert.match(app.log.pop().text, /start\(\)/)
    }
  }
})

test('a task that is late while the Synapse is away is 503, without its URL', async (t) => {
  const { synapse, worker, dendrite } = await edge.startFabric(t)
  const app = await edge.serveApp(t, 5, dendrite)

  const running = edge.post(`${app.url}/ask`, { prompt: 'silent', timeout_ms: 2000 })
  await worker.line('started silent')
  await synapse.kill()
  const unsent = edge.post(`${app.url}/ask`, { prompt: 'echo', timeout_ms: 2000 })

  for (const [told, retry] of [
    [await running, false],
    [await unsent, true],
  ]) {
    assert.deepEqual([told.status, told.json.code], [503, 'SYNAPSE_UNREACHABLE'])
    assert.equal(told.json.retry, retry)
    assert.equal(told.text.includes(synapse.url), false)
    assert.match(told.json.trace_id, /^trc_/)
  }
  assert.equal(app.log.length, 2)
  assert.ok(app.log.every(({ text }) => text.includes(`${synapse.url} has been away for`)))
})

test('a Synapse that is not there is 503, and only the log has its URL', async (t) => {
  const url = `cosmo://127.0.0.1:${await freePorts()}`
  const dendrite = edge.neverStarted(url)
  const app = await edge.serveApp(t, 5, dendrite, {
    routes: (each) => each.get('/start', () => dendrite.start({ timeoutMs: 200 })),
  })

  const response = await fetch(`${app.url}/start`)
  const text = await response.text()

  assert.equal(response.status, 503)
  assert.equal(JSON.parse(text).code, 'SYNAPSE_UNREACHABLE')
  assert.equal(JSON.parse(text).retry, true)
  assert.equal(text.includes(url), false)
  assert.ok(app.log[0].text.includes(url))
})

test('whatever else is thrown is 500, and its details are in the log only', async (t) => {
  const dendrite = edge.neverStarted()
  const thrown = [new Error('SECRET'), 'SECRET', 'route', null, undefined, { SECRET: 1 }]

  for (const version of VERSIONS) {
    const throwing = answer(dendrite, async (req) => {
      throw thrown[req.params.which]
    })
    const app = await edge.serveApp(t, version, dendrite, {
      routes: (each) => each.post('/throws/:which', throwing),
    })
    for (const which of thrown.keys()) {
      const told = await edge.post(`${app.url}/throws/${which}`, {})

      assert.deepEqual([told.status, told.json.code], [500, 'INTERNAL_ERROR'])
      assert.equal(told.text.includes('SECRET'), false)
      assert.equal(app.log.length, which + 1)
    }
    assert.equal(app.log[0].error, thrown[0])
    assert.match(app.log[1].text, /SECRET/)
  }
})

test('a function that makes no task is told so in the log', async (t) => {
  const dendrite = edge.neverStarted()
  const app = await edge.serveApp(t, 5, dendrite, {
    routes: (each) => {
      each.post(
        '/nothing',
        answer(dendrite, () => {}),
      )
      each.post(
        '/word',
        stream(dendrite, async () => 'worker'),
      )
    },
  })

  for (const path of ['/nothing', '/word']) {
    const told = await edge.post(app.url + path, {})

    assert.deepEqual([told.status, told.json.code], [500, 'INTERNAL_ERROR'])
  }
  assert.match(app.log[0].text, /must return its arguments.*not undefined/)
})

test('without next what is thrown is answered by the handler itself', async (t) => {
  const dendrite = edge.neverStarted()
  const server = createServer((req, res) =>
    answer(dendrite, () => {
      throw new BadRequest('ask for something else')
    })(req, res),
  ).listen(0, '127.0.0.1')
  const { url } = await edge.listen(t, server)

  const told = await edge.post(url, {})

  assert.deepEqual([told.status, told.json.error], [400, 'ask for something else'])
})

test('the handlers and respond serve node:http without a framework', async (t) => {
  const { dendrite } = await edge.startFabric(t)
  const asking = answer(dendrite, (req) => ({
    neuron: req.headers['x-neuron'],
    input: { prompt: 'Hi' },
  }))
  const server = createServer((req, res) =>
    req.url === '/ask' ? asking(req, res) : respond(res, new TimeoutError('too late')),
  ).listen(0, '127.0.0.1')
  const { url } = await edge.listen(t, server)

  const good = await edge.post(`${url}/ask`, {}, { 'X-Neuron': 'worker' })
  const bad = await edge.post(`${url}/ask`, {}, { 'X-Neuron': 'nobody' })
  const other = await edge.post(`${url}/other`, {})

  assert.deepEqual([good.status, good.json], [200, { response: 'echo: Hi' }])
  assert.deepEqual([bad.status, bad.json.code], [503, 'NO_SUCH_NEURON'])
  assert.deepEqual([other.status, other.json.error], [504, 'too late'])
})
