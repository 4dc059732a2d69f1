// A page with EventSources in front of Express: `PAGE=... node event-source-app.js VERSION URL`.
// The text of the page is in tests/support/event_source_app.py, which serves it by Python.
import { connectSynapse, Dendrite } from 'cosmonapse'
import { errors, stream } from 'cosmonapse/express'
import { EXPRESS, NAMESPACE } from './edge-app.js'

async function main(version, url) {
  const dendrite = new Dendrite({ synapse: await connectSynapse(url), namespace: NAMESPACE })
  await dendrite.start()
  const task = (req) => ({ neuron: 'worker', input: { prompt: req.query.prompt } })
  const app = EXPRESS[version]()
  app.get('/', (req, res) => res.type('html').send(process.env.PAGE))
  app.get('/stream', stream(dendrite, task))
  app.use(errors({ app }))
  const server = app.listen(0, '127.0.0.1', () => {
    process.stdout.write(`Running on http://127.0.0.1:${server.address().port}\n`)
  })
}

if (process.argv.length > 2) await main(...process.argv.slice(2)) // not when `node --test` looks
