// The carrier libzmq with a key, at a ROUTER with keys: docs/spec/11-access.md, and what libzmq does with a key.
import assert from 'node:assert/strict'
import dns from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'
import test from 'node:test'
import { curveOf } from '../../src/access/key.js'
import { LibzmqCarrier } from '../../src/carriers/libzmq-carrier.js'
import { connect, dealer, loadLibrary, onEvent } from '../../src/carriers/libzmq-sockets.js'
import { TcpEndpoint, TcpEndpoints } from '../../src/carriers/endpoints.js'
import { ZmtpCarrier } from '../../src/carriers/zmtp-carrier.js'
import { Key } from '../../src/index.js'
import { newPair, startKeyedRouter } from '../support/keyed-router.js'
import { recorder } from '../support/recorder.js'
import { startServer } from '../support/servers.js'
import { freePorts } from '../support/synapse.js'

const EVENTS = ['onMessage', 'onWritable', 'onDisconnected', 'onDropped', 'onRefused']
const library = loadLibrary('a test')
const at = ({ port }) => new TcpEndpoint('127.0.0.1', port)

/** Open a carrier; the test closes it. */
function opened(t, endpoint, fields = null, warnings = []) {
  const options = { logger: { warn: (text) => warnings.push(text) } }
  const keys = fields === null ? null : curveOf(new Key(fields))
  const carrier = new LibzmqCarrier(endpoint, { ...options, library, keys })
  const events = recorder(...EVENTS)
  carrier.open(events)
  t.after(() => carrier.close())
  return {
    carrier,
    ...events,
    firstRefusal: () => events.heard('onRefused').then(([each]) => each),
  }
}

test('a listed key is let in, and moves frames', async (t) => {
  const router = await startKeyedRouter(t)
  const ada = newPair()
  router.allowed.add(ada.publicKey)

  const { heard, calls } = opened(t, at(router), router.keyFields('ada', ada))
  const [head] = await heard('onMessage')

  assert.equal(String(head), 'hello')
  assert.deepEqual(calls('onRefused'), [])
})

/** Return the least time of three tries until a key is refused, and the last refusal. */
async function leastUntilRefused(t, endpoint, fields) {
  let leastMs = Infinity
  let refusal
  for (let i = 0; i < 3; i++) {
    const begunMs = performance.now()
    const { carrier, firstRefusal } = opened(t, endpoint, fields)
    refusal = await firstRefusal()
    leastMs = Math.min(leastMs, performance.now() - begunMs)
    carrier.close()
  }
  return [leastMs, String(refusal)]
}

test('a key that is not listed is refused within a second', async (t) => {
  const router = await startKeyedRouter(t)

  const [leastMs, refusal] = await leastUntilRefused(t, at(router), router.keyFields('ada'))

  assert.match(refusal, /does not list the key of ada/)
  assert.ok(leastMs < 1000, `${leastMs} ms`)
})

test('a key that was refused comes back when it is listed', async (t) => {
  const router = await startKeyedRouter(t)
  const ada = newPair()
  const { carrier, heard, firstRefusal } = opened(t, at(router), router.keyFields('ada', ada))

  await firstRefusal()
  assert.equal(carrier.diagnosis().cause, 'REFUSED')
  assert.match(
    String(carrier.diagnosis()),
    /does not list the key of ada; .*cosmo keys allow ada cpk_/,
  )
  router.allowed.add(ada.publicKey)

  await heard('onMessage')
  assert.ok(router.asked <= 4, `${router.asked} tries`)
  assert.notEqual(carrier.diagnosis().cause, 'REFUSED')
})

test('a client without a key is told that it needs one, by either carrier', async (t) => {
  const router = await startKeyedRouter(t)
  const warnings = []
  const zmtp = new ZmtpCarrier(at(router), { logger: { warn: (text) => warnings.push(text) } })
  const events = recorder(...EVENTS)
  zmtp.open(events)
  t.after(() => zmtp.close())
  const libzmq = opened(t, at(router), null, warnings)

  for (const [refusal] of [await events.heard('onRefused'), await libzmq.heard('onRefused')])
    assert.match(String(refusal), /it has keys, and this Dendrite has none; .*COSMO_KEY/)
  assert.deepEqual(warnings, [])
  assert.equal(router.probes, 0)
})

test('a client with a key never goes on at a far end without keys', async (t) => {
  const router = await startKeyedRouter(t)
  const plain = { port: await freePorts() }
  const bound = new library.zeromq.Router({ linger: 0 })
  await bound.bind(`tcp://127.0.0.1:${plain.port}`)
  t.after(() => bound.close())

  const { calls, firstRefusal } = opened(t, at(plain), router.keyFields('ada'))

  assert.match(
    String(await firstRefusal()),
    /it has no keys, so it is not the one that the key of ada is for/,
  )
  assert.deepEqual(calls('onMessage'), [])
})

test('another Synapse is told by its public key within two seconds', async (t) => {
  const router = await startKeyedRouter(t)
  const other = await startKeyedRouter(t)

  const [leastMs, refusal] = await leastUntilRefused(t, at(other), router.keyFields('ada'))

  assert.match(refusal, /another Synapse answers there/)
  assert.ok(leastMs < 2000, `${leastMs} ms`)
})

test('another Synapse is not knocked at 40 times a second', async (t) => {
  const router = await startKeyedRouter(t)
  const other = await startKeyedRouter(t)

  const { firstRefusal } = opened(t, at(other), router.keyFields('ada'))
  await firstRefusal()
  const before = other.accepted
  await new Promise((resolve) => setTimeout(resolve, 1500))

  assert.ok(before >= 5, `${before} connections until it was sure`)
  assert.ok(other.accepted <= before + 3, `${other.accepted - before} connections in 1.5 s`)
})

test('of two public keys of the Synapse the right one is found', async (t) => {
  const next = newPair()
  const router = await startKeyedRouter(t)
  const renewed = await startKeyedRouter(t, { pair: next })
  const ada = newPair()
  for (const each of [router, renewed]) each.allowed.add(ada.publicKey)
  const fields = router.keyFields('ada', ada, next)

  for (const each of [router, renewed]) {
    const { heard, calls } = opened(t, at(each), fields)
    await heard('onMessage')
    assert.deepEqual(calls('onRefused'), [])
  }
})

test('the right one is found also where the name has another address, at which nobody listens', async (t) => {
  t.mock.method(dns, 'lookup', async () => [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])
  syncBuiltinESMExports()
  const next = newPair()
  const ada = newPair()
  const before = await startKeyedRouter(t)
  const renewed = await startKeyedRouter(t, { pair: next })
  renewed.allowed.add(ada.publicKey)

  const place = new TcpEndpoint('synapse.test', renewed.port)
  const { heard, calls } = opened(t, place, before.keyFields('ada', ada, next))
  await heard('onMessage')

  assert.deepEqual(calls('onRefused'), [])
  t.mock.restoreAll()
  syncBuiltinESMExports()
})

test('each of a list has a public key of its own, whatever their order in the key', async (t) => {
  const pairs = [newPair(), newPair()]
  const [first, second] = await Promise.all(pairs.map((pair) => startKeyedRouter(t, { pair })))
  const ada = newPair()
  for (const each of [first, second]) each.allowed.add(ada.publicKey)
  const fields = first.keyFields('ada', ada, pairs[1])
  fields.synapse.reverse()
  const { carrier, heard, calls } = opened(t, new TcpEndpoints([at(first), at(second)]), fields)
  await heard('onMessage')
  carrier.join(1, 2) // it is welcome there
  assert.equal(String(carrier.address), String(at(first)))

  first.close()
  await heard('onMessage', 2)
  carrier.join(1, 2)

  assert.equal(String(carrier.address), String(at(second)))
  assert.deepEqual([second.accepted, calls('onRefused')], [1, []])
})

test('what does not speak ZeroMQ is a stranger to a client with a key as well', async (t) => {
  const port = await startServer(t, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  const router = await startKeyedRouter(t)
  const warnings = []
  const { carrier, calls } = opened(t, at({ port }), router.keyFields('ada'), warnings)

  while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))

  assert.match(warnings[0], /where a Synapse was expected/)
  assert.equal(carrier.diagnosis().cause, 'STRANGER')
  assert.deepEqual(calls('onRefused'), [])
})

test('a socket of libzmq that was refused tries no more by itself: we make the connection anew', async (t) => {
  const router = await startKeyedRouter(t)
  const ada = newPair()
  const socket = dealer(library, curveOf(new Key(router.keyFields('ada', ada))))
  t.after(() => socket.close())
  socket.reconnectInterval = 20
  const refused = new Promise((resolve) => onEvent(socket, 'handshake:error:auth', resolve))
  connect(socket, at(router))
  await refused
  router.allowed.add(ada.publicKey)

  await new Promise((resolve) => setTimeout(resolve, 300)) // 15 intervals
  assert.equal(router.asked, 1)
})
