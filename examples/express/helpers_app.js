// app.js again, with the helpers: every outcome becomes JSON with its status.
//
//     npm --prefix examples/express install
//     node examples/express/helpers_app.js
//     curl -X POST http://127.0.0.1:3000/ask \
//         -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
import express from 'express'
import { connectSynapse, Dendrite } from 'cosmonapse'
import { answer, errors, jsonBody, serve } from 'cosmonapse/express'

const NAMESPACE = process.env.COSMO_NAMESPACE ?? 'api-demo'
const PORT = Number(process.env.PORT ?? 3000)
const TIMEOUT_MS = Number(process.env.TIMEOUT_MS ?? 30_000)

const synapse = await connectSynapse()
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: 'express-app' })
await dendrite.start()

const app = express()
app.use(express.json())
app.post(
  '/ask',
  answer(dendrite, (req) => ({
    neuron: 'worker',
    input: jsonBody(req, 'prompt'),
    timeoutMs: TIMEOUT_MS,
  })),
)
app.use(errors())

const server = app.listen(PORT, '127.0.0.1')
server.once('listening', () => {
  console.log(`Running on http://127.0.0.1:${server.address().port}`)
})
await serve(server, dendrite)
