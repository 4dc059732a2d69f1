// P1 to P7, P41 to P43 of docs/spec/08-port.md, as far as one client over a carrier shows them.
import test from 'node:test'
import assert from 'node:assert/strict'
import { IllegalTransition } from '../../src/client/session.js'
import { InvalidName, SynapseRefused, SynapseUnreachable } from '../../src/errors.js'
import { VERB } from '../../src/wire/wire.js'
import { HEARTBEAT_MS } from '../support/fake-carrier.js'
import { startNode } from '../support/child.js'
import { TIMEOUT_MS, URL_TEXT, id, opened, scene, sendTask } from './scene.js'

test('open returns when welcomed, and when its topics are in force', async (t) => {
  const { client, far, receiver } = scene(t)

  await client.open(TIMEOUT_MS, [{ kind: 7 }, { trace: id('t') }])

  assert.deepEqual(receiver.heard, [['onWelcomed', true]])
  assert.deepEqual(far.joined, [[2, 3]])
  assert.deepEqual(far.topics, ['demo/t/7/', `demo/r/${id('t').toString('hex')}/`])
  assert.equal(client.awayMs, null)
})

test('HELLO shows the secret of the instance, the namespace and the name', async (t) => {
  const { client, far } = await opened(t)

  const { instance, namespace, name, epoch, calls, publish } = far.hello // readHello checks the secret

  assert.deepEqual(instance, client.instance)
  assert.deepEqual([namespace, name, epoch.length, calls, publish], ['demo', 'me', 0, false, true])
})

test('a Synapse that does not answer is unreachable: place, cause and remedy are in the text', async (t) => {
  const { client, far } = scene(t, { carrier: { answers: false } })

  await assert.rejects(client.open(1), (error) => {
    assert.ok(error instanceof SynapseUnreachable)
    assert.equal(error.message, `no Synapse at ${URL_TEXT}: no process listens there; start one`)
    return true
  })
  assert.equal(far.isClosed, true)
  assert.equal(sendTask(client, 'a'), 'CLOSED')
})

for (const missing of ['the sentinel', 'the answer to a subscription'])
  test(`open does not return without ${missing}`, async (t) => {
    const isOlder = missing === 'the sentinel' // what is published before it would be lost
    const { client, far } = scene(t, { carrier: { publish: !isOlder } })
    if (isOlder) far.openPublisher = () => {}
    else far.subscribe = () => {}

    await assert.rejects(client.open(30, [{ kind: 7 }]), SynapseUnreachable)
  })

test('a client that neither listens nor publishes opens one connection', async (t) => {
  const { client, far } = await opened(t)
  sendTask(client, 'a')
  client.publish(4, id('t'), Buffer.from('seldom'), true)

  assert.equal(far.isPublishing, false)
  assert.deepEqual(far.topics, [])
})

test('a refused client gives up, and the text says how to name another namespace', async (t) => {
  const { client, far } = scene(t, { carrier: { answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.who()
  far.refuse("namespace 'demo' is not served here, only prod")

  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof SynapseRefused)
    assert.match(error.message, /only prod; name one of them: .*namespace/)
    return true
  })
  assert.equal(far.isClosed, true)
})

test('a Synapse that stands by is passed over, and the opening goes on', async (t) => {
  const { client, far, receiver } = scene(t, { carrier: { answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.who()
  far.standBy(['cosmo://10.0.0.2:7070', 7])
  far.answers = true
  far.who() // of the next one
  await opening

  assert.deepEqual(far.passedOver, [['cosmo://10.0.0.2:7070']])
  assert.deepEqual(receiver.heard, [['onWelcomed', true]])
})

test('who is passed on by a Synapse that led is away, and its messages wait', async (t) => {
  const { client, far, receiver } = await opened(t)
  far.standBy()

  assert.equal(sendTask(client, 'a'), 'WAITING')
  assert.deepEqual(receiver.heard.at(-1), ['onAway', 'it stands by'])
  assert.notEqual(client.awayMs, null)
  far.who()
  await receiver.until('onWelcomed', 2)
  assert.equal(far.of('TASK').length, 1)
})

test('HELLO says alone from the moment at which the carrier is', async (t) => {
  const { client, far } = scene(t, { carrier: { answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.who()
  const first = far.hello.alone
  far.isAlone = true
  far.who()

  assert.deepEqual([first, far.hello.alone], [false, true])
  await client.close(0)
  await assert.rejects(opening, SynapseUnreachable)
})

test('a client that leaves while a Synapse stands by has left', async (t) => {
  const { client, far } = await opened(t)
  far.answers = false
  const closing = client.close(TIMEOUT_MS)
  far.standBy(['cosmo://10.0.0.2:7070'])

  assert.equal(await closing, false)
  assert.deepEqual(far.passedOver, [])
})

test('open without a limit waits for ever, and logs every 10 s what was seen', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { client, far, logged } = scene(t, { carrier: { answers: false } })
  const opening = client.open(null)

  t.mock.timers.tick(9_999)
  assert.deepEqual(logged, [])
  t.mock.timers.tick(1)
  far.reason = 'another thing'
  t.mock.timers.tick(10_000)

  assert.equal(logged.length, 2)
  assert.match(
    logged[0][0],
    /^no Synapse at cosmo:\/\/here:7070 for \d+ s: no process listens there; start one; still waiting$/,
  )
  assert.match(logged[1][0], /another thing/)
  far.answers = true
  far.who()
  await opening
  t.mock.timers.tick(10_000)
  assert.equal(logged.length, 2)
})

test('an AbortSignal ends the opening with its reason', async (t) => {
  const { client, far } = scene(t, { carrier: { answers: false } })
  const controller = new AbortController()
  const reason = new Error('enough')
  const opening = client.open(null, [], { signal: controller.signal })

  controller.abort(reason)

  await assert.rejects(opening, reason)
  assert.equal(far.isClosed, true)
  const other = scene(t)
  await assert.rejects(other.client.open(1, [], { signal: controller.signal }), reason)
  assert.equal(other.far.isOpen, false)
})

test('close ends an opening that is under way', async (t) => {
  const { client } = scene(t, { carrier: { answers: false } })
  const opening = client.open(null)

  assert.equal(await client.close(100), true)

  await assert.rejects(opening, /the connection was closed meanwhile/)
})

for (const stage of ['openPublisher', 'subscribe'])
  test(`close ends an opening that was welcomed and waits behind ${stage}`, async (t) => {
    const { client, far, receiver } = scene(t, { carrier: { publish: stage === 'subscribe' } })
    far[stage] = () => {}
    const opening = client.open(null, [{ kind: 7 }])
    await receiver.until('onWelcomed')

    await client.close(100)

    await assert.rejects(opening, /the connection was closed meanwhile/)
  })

test('a carrier that opens too late is closed', async (t) => {
  const { client, far } = scene(t)
  const { open } = far
  let go
  far.open = (events) =>
    new Promise((resolve) => {
      go = resolve
    }).then(() => open.call(far, events))
  const opening = client.open(TIMEOUT_MS)
  await client.close(0)
  far.isClosed = false

  go()

  await assert.rejects(opening, SynapseUnreachable)
  assert.equal(far.isClosed, true)
})

test('a client opens once', async (t) => {
  const { client } = await opened(t)

  await assert.rejects(client.open(1), IllegalTransition)
  assert.equal(sendTask(client, 'a'), 'SENT')
})

test('the limit of a body shrinks to that of the Synapse and never grows', async (t) => {
  const small = await opened(t, { carrier: { maxBodyBytes: 1000 } })
  const large = await opened(t, { maxSignalBytes: 500 })

  assert.equal(small.client.maxSignalBytes, 1000)
  assert.equal(large.client.maxSignalBytes, 500)
  assert.equal(small.client.heartbeatMs, HEARTBEAT_MS)
})

test('an id has 16 bytes, is there before open, and is another for each client', (t) => {
  const one = scene(t).client.instance
  const other = scene(t).client.instance

  assert.equal(one.length, 16)
  assert.notDeepEqual(one, other)
})

test('a namespace or name that is no name is refused at once', (t) => {
  assert.throws(() => scene(t, { namespace: 'a b' }), InvalidName)
  assert.throws(() => scene(t, { name: '' }), InvalidName)
})

test('close says GOODBYE and waits for its answer', async (t) => {
  const { client, far } = await opened(t)
  assert.equal(sendTask(client, 'a'), 'SENT')

  assert.equal(await client.close(TIMEOUT_MS), true)

  assert.deepEqual(
    far.sent.slice(-2).map(({ verb }) => verb),
    ['TASK', 'GOODBYE'],
  )
  assert.equal(far.isClosed, true)
  assert.equal(await client.close(1), true)
  assert.equal(sendTask(client, 'b'), 'CLOSED')
  assert.equal(client.sendCancel({ task: id('a'), trace: id('t') }), 'CLOSED')
  assert.equal(client.sendPresence('HEARTBEAT', 'n', {}, 1, Buffer.alloc(0)), 'CLOSED')
  assert.equal(client.publish(1, id('t'), Buffer.alloc(1)), 0)
  assert.equal(await client.barrier(1), false)
  await client.drained()
  await assert.rejects(client.sync(1), SynapseUnreachable)
  await assert.rejects(client.roster({}, 1), SynapseUnreachable)
})

test('close is false without an answer, and without room for what waits', async (t) => {
  const silent = await opened(t)
  silent.far.answers = false
  assert.equal(await silent.client.close(20), false)

  const full = await opened(t)
  full.far.room = 0
  assert.equal(sendTask(full.client, 'a'), 'WAITING')
  assert.equal(await full.client.close(20), false)
  assert.equal(full.far.of('TASK').length, 0)
})

test('close sends what waits first, when there is room in its time', async (t) => {
  const { client, far } = await opened(t)
  far.room = 0
  assert.equal(sendTask(client, 'a'), 'WAITING')
  const closing = client.close(TIMEOUT_MS)

  far.writable()

  assert.equal(await closing, true)
  assert.deepEqual(
    far.sent.slice(-2).map(({ verb }) => verb),
    ['TASK', 'GOODBYE'],
  )
})

test('a connection that ends before GOODBYE is answered proves nothing', async (t) => {
  const { client, far } = await opened(t)
  far.answers = false
  const closing = client.close(TIMEOUT_MS)

  far.disconnect()

  assert.equal(await closing, false)
})

test('a client without a connection leaves without a message', async (t) => {
  const { client, far } = await opened(t)
  far.disconnect()

  assert.equal(await client.close(TIMEOUT_MS), true)
  assert.equal(far.of('GOODBYE').length, 0)
  const never = scene(t)
  assert.equal(await never.client.close(1), true)
})

test('a close that leaves something behind is false', async (t) => {
  const { client, far } = await opened(t)
  far.disconnect()
  assert.equal(sendTask(client, 'a'), 'WAITING')

  assert.equal(await client.close(TIMEOUT_MS), false)
})

test('after close no timer keeps the process alive', async (t) => {
  const program = `
    const { scene, opened } = await import('./test/client/scene.js')
    const { client, far } = await opened({ after() {} })
    far.answers = false
    client.close(1).then((clean) => console.log('closed', clean))
    const late = client.roster({}, 60_000).catch((error) => console.log('failed', error.name))
    process.on('exit', () => console.log('left', process.getActiveResourcesInfo().length))`
  const child = startNode(t, ['--input-type=module', '-e', program], {
    cwd: new URL('../../', import.meta.url).pathname,
  })

  await child.line('closed false')
  await child.line('left ')
  assert.equal(await child.ended, 0)
})

test('verbs of the proxy that mean nothing to a client are counted', async (t) => {
  const { client, far } = await opened(t)
  far.receive(VERB.HELLO)
  far.receive(99)
  far.receiveRaw(Buffer.from([2]))
  far.receiveRaw(Buffer.alloc(0))
  far.receive(VERB.PING)
  far.dropped('frame_count')
  far.dropped('a new reason')
  far.receive(VERB.WELCOME, { body: Buffer.from([0xc0]) })
  far.receive(VERB.WORKERS, { body: Buffer.alloc(15) })

  assert.deepEqual(client.counts, {
    'drop.verb': 2,
    'drop.version': 1,
    'drop.short_head': 1,
    'drop.frame_count': 1,
    'drop.other': 1,
    'drop.bad_body': 1,
    'drop.bad_workers': 1,
  })
})
