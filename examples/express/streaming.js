// Stream a Neuron's words to a browser as server-sent events.
//
//     npm --prefix examples/express install
//     node examples/express/streaming.js
//     curl -N -X POST http://127.0.0.1:3000/stream \
//         -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
//     curl -N -X POST http://127.0.0.1:3000/text \
//         -H "Content-Type: application/json" -d '{"prompt": "What is a Dendrite?"}'
//
// Press Ctrl-C in curl, and the Neuron stops working for it.
import express from 'express'
import { connectSynapse, Dendrite } from 'cosmonapse'
import { errors, jsonBody, serve, stream } from 'cosmonapse/express'

const NAMESPACE = process.env.COSMO_NAMESPACE ?? 'api-demo'
const PORT = Number(process.env.PORT ?? 3000)

const synapse = await connectSynapse()
const dendrite = new Dendrite({ synapse, namespace: NAMESPACE, dendriteId: 'express-app' })
await dendrite.start()

const task = (req) => ({ neuron: 'worker', input: jsonBody(req, 'prompt') })
const app = express()
app.use(express.json())
app.post('/stream', stream(dendrite, task))
app.post('/text', stream(dendrite, task, { asText: true }))
app.use(errors())

const server = app.listen(PORT, '127.0.0.1')
server.once('listening', () => {
  console.log(`Running on http://127.0.0.1:${server.address().port}`)
})
await serve(server, dendrite)
