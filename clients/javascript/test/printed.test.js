// What the console and a log show of the public objects.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import test from 'node:test'

import { Dendrite, Pathway, Synapse, newTraceId } from '../src/index.js'

test('a Synapse, a Dendrite and a Pathway are shown by what tells them apart', () => {
  const synapse = new Synapse('cosmo://127.0.0.1:7070')
  const dendrite = new Dendrite({ synapse, namespace: 'demo', dendriteId: 'api' })
  const traceId = newTraceId()

  assert.equal(inspect(synapse), 'Synapse(cosmo://127.0.0.1:7070)')
  assert.equal(inspect({ dendrite }), '{ dendrite: Dendrite(api, demo, new) }')
  assert.equal(inspect(new Pathway(traceId)), `Pathway(${traceId}, observer, all, open)`)
})
