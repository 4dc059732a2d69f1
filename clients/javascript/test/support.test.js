// The starter of a Synapse that the other tests stand on.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import test from 'node:test'
import { startSynapse } from './support/synapse.js'

async function listens(port) {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('a Synapse is killed and comes back under the same URL', async (t) => {
  const synapse = await startSynapse(t)
  const { url, pid } = synapse

  assert.ok(await listens(synapse.port))
  await synapse.kill()
  assert.ok(!(await listens(synapse.port)))
  await synapse.restart()

  assert.equal(synapse.url, url)
  assert.notEqual(synapse.pid, pid)
  assert.ok(await listens(synapse.port))
  assert.equal(await synapse.stop(), 0)
})
