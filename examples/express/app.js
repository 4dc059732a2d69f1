// An Express app with one Dendrite for the whole process.
//
//     npm --prefix examples/express install
//     node examples/express/app.js
//     curl -X POST http://127.0.0.1:3000/ask \
//         -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
//
// Handlers and Dendrite share the event loop of Node. `respond` gives every outcome the same JSON and
// status as helpers_app.js does, and `hangUp` cancels the task of a client that does not wait.
import express from 'express'
import { connectSynapse, Dendrite } from 'cosmonapse'
import { errors, hangUp, jsonBody, respond, serve } from 'cosmonapse/express'

const URL = process.env.SYNAPSE_URL // without it: COSMO_URL, else cosmo://127.0.0.1:7070
const NAMESPACE = process.env.COSMO_NAMESPACE ?? 'api-demo'
const PORT = Number(process.env.PORT ?? 3000)
const TIMEOUT_MS = Number(process.env.TIMEOUT_MS ?? 30_000)

const synapse = await connectSynapse(URL)
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: 'express-app' })
await dendrite.start()

const app = express()
app.use(express.json())

app.post('/ask', async (req, res) => {
  const task = { neuron: 'worker', input: jsonBody(req, 'prompt'), timeoutMs: TIMEOUT_MS }
  respond(res, await dendrite.dispatchAndWait({ ...task, signal: hangUp(res) }))
})

app.use(errors({ app })) // the app is for Express 4, where an async handler that throws ends the process

const server = app.listen(PORT, '127.0.0.1')
server.once('listening', () => {
  console.log(`Running on http://127.0.0.1:${server.address().port}`)
})
await serve(server, dendrite) // until Ctrl-C or SIGTERM; responses under way are finished first
