// An app of Express in a process of its own: `node edge-server.js VERSION HANDLERS [URL]`.
//
// HANDLERS are 'bare', 'wrapped' or 'caught': its async handlers as they are, each in `wrap`, or
// caught by `errors({ app })`. With the URL of a Synapse it serves the Neuron "worker" too, and ends
// in order with SIGTERM.
import { Dendrite, Synapse } from 'cosmonapse'
import { answer, errors, serve, stream, wrap } from 'cosmonapse/express'
import { EXPRESS, NAMESPACE, taskOf } from './edge-app.js'

const say = (text) => process.stdout.write(`${text}\n`)
const fail = async () => {
  throw new Error('SECRET')
}

function addThrowing(app, express, mine) {
  const router = express.Router()
  router.get('/in-router', mine(fail))
  app.get('/route', mine(fail))
  app.use('/middleware', mine(fail))
  app.use('/router', router)
  const failInstead = mine(async (error, req, res, next) => fail(error, req, res, next))
  const throwing = () => {
    throw new Error('first')
  }
  app.get('/handler', throwing, failInstead)
}

async function main(version, handlers, url) {
  const express = EXPRESS[version]
  const app = express()
  app.use(express.json())
  addThrowing(app, express, handlers === 'wrapped' ? wrap : (handler) => handler)
  const dendrite = url === undefined ? null : await startDendrite(url)
  if (dendrite !== null) {
    app.post('/ask', answer(dendrite, taskOf))
    app.post('/stream', stream(dendrite, taskOf))
  }
  app.use(handlers === 'caught' ? errors({ app }) : errors())
  const server = app.listen(0, '127.0.0.1', () => {
    say(`listening at http://127.0.0.1:${server.address().port}`)
  })
  if (dendrite === null) return
  say(`ended by ${await serve(server, dendrite, { drainMs: Number(process.env.DRAIN_MS) })}`)
}

async function startDendrite(url) {
  const settings = { namespace: NAMESPACE, dendriteId: 'edge-server' }
  const dendrite = new Dendrite({ synapse: new Synapse(url), ...settings })
  await dendrite.start()
  return dendrite
}

if (process.argv.length > 2) await main(...process.argv.slice(2)) // not when `node --test` looks
