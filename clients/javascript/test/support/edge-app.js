// The helpers of Express in front of the Neuron "worker", and what a test needs around them.
import { once } from 'node:events'
import { request, Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import compression from 'compression'
import express5 from 'express'
import express4 from 'express4'
import { Dendrite, Synapse } from 'cosmonapse'
import { answer, errors, jsonBody, stream, wrap } from 'cosmonapse/express'
import { startNode, startPython } from './child.js'
import { startSynapse } from './synapse.js'

export const EXPRESS = { 4: express4, 5: express5 }
export const NAMESPACE = 'api-demo'
export const MAX_SIGNAL_BYTES = 128 * 1024
export const support = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Start a Synapse, a worker in Python and a Dendrite; the test `t` ends them. */
export async function startFabric(t, { language = 'python' } = {}) {
  const synapse = await startSynapse(t, {
    namespaces: [NAMESPACE],
    args: ['--max-signal-bytes', MAX_SIGNAL_BYTES],
  })
  const worker = await startWorker(t, synapse.url, language)
  const dendrite = await startDendrite(t, synapse.url)
  return { synapse, worker, dendrite }
}

/** Start the worker of the edge in 'python' or 'javascript'; it is registered. */
export async function startWorker(t, url, language = 'python') {
  const worker =
    language === 'python'
      ? startPython(t, [support('edge_worker.py'), url])
      : startNode(t, [support('edge-worker.js'), url])
  await worker.line('worker ready')
  return worker
}

export async function startDendrite(t, url, options = {}) {
  const synapse = new Synapse(url)
  const settings = { namespace: NAMESPACE, dendriteId: 'edge-express', ...options }
  const dendrite = new Dendrite({ synapse, ...settings })
  t.after(() => dendrite.stop())
  await dendrite.start()
  return dendrite
}

/** Return a Dendrite that nobody starts. */
export function neverStarted(url = 'cosmo://127.0.0.1:1') {
  return new Dendrite({ synapse: new Synapse(url), namespace: NAMESPACE })
}

/** Start the app of Flask; resolve to its URL. */
export async function startFlask(t, url) {
  const child = startPython(t, [support('edge_flask_app.py'), url])
  return child.line(' * Running on')
}

export function taskOf(req) {
  const { neuron = 'worker', timeout_ms: timeoutMs = 10_000, ...input } = jsonBody(req, 'prompt')
  return { neuron, timeoutMs, input }
}

const fromQuery = (req) => ({ neuron: 'worker', input: { prompt: req.query.prompt } })

/** Serve an app in this process; resolve to `{ url, server, log }`. */
export async function serveApp(t, version, dendrite, options = {}) {
  const log = []
  const app = EXPRESS[version]()
  app.set('env', 'test') // Express prints no errors then
  if (options.compressed) app.use(compression())
  app.use(EXPRESS[version].json({ limit: options.limit ?? '1mb' }))
  app.post('/ask', answer(dendrite, taskOf))
  const { keepAliveMs } = options
  app.post('/stream', stream(dendrite, taskOf, { keepAliveMs }))
  app.post('/text', stream(dendrite, taskOf, { asText: true }))
  app.get('/events', stream(dendrite, fromQuery, { keepAliveMs }))
  app.get(
    '/wrapped',
    wrap(async () => Promise.reject(new Error('SECRET'))),
  )
  options.routes?.(app)
  const logger = { error: (text, error) => log.push({ text, error }) }
  app.use(errors({ app, logger }))
  return { ...(await listen(t, app)), log }
}

/** Serve a handler of node:http or an app in this process. */
export async function listen(t, app) {
  const server = app instanceof Server ? app : app.listen(0, '127.0.0.1')
  if (!server.listening) await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${server.address().port}` }
}

/** POST a JSON body; resolve to status, headers, text and JSON. */
export async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : null,
  }
}

/** Begin a POST; resolve to the response as it begins, or leave it open: `hangUp` breaks it off. */
export function begin(url, body, { method = 'POST', headers = {} } = {}) {
  const asked = request(url, {
    method,
    agent: false,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
  asked.on('error', () => {}) // it was hung up
  const response = once(asked, 'response').then(([first]) => first)
  response.catch(() => {}) // the same
  asked.end(method === 'POST' ? JSON.stringify(body) : undefined)
  return { response, hangUp: () => asked.destroy() }
}

/** Resolve when a response has sent a text. */
export async function until(response, text) {
  let said = ''
  for await (const piece of response.iterator({ destroyOnReturn: false })) {
    said += piece
    if (said.includes(text)) return said
  }
  throw new Error(`the response ended without ${text}: ${said}`)
}
