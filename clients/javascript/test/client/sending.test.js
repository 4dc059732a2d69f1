// What a client sends, and when: docs/spec/01-wire.md ("Bundles"), 02-session.md ("Outbox"), 08-port.md.
import test from 'node:test'
import assert from 'node:assert/strict'
import { InvalidArgument, InvalidName } from '../../src/errors.js'
import { KEEP, RUN, SETTLES, SKIPS, VERB, ZERO, item } from '../../src/wire/wire.js'
import { id, opened, scene, sendReply, sendTask, turn } from './scene.js'

const nameOf = (bytes) => (bytes.equals(ZERO) ? '-' : bytes.toString().replace(/^\.+/, ''))
/** `TASK a b` for a message with two items. */
const lines = (messages) =>
  messages.map(({ verb, items }) => [verb, ...items.map(({ task }) => nameOf(task))].join(' '))
/** What a client sent since it was opened. */
const since = (far, start) => lines(far.sent.slice(start))

test('a TASK has its name, ids, kind, time and flags, and a REPLY its caller, index and flags', async (t) => {
  const { client, far } = await opened(t)
  const body = Buffer.from('hello')

  client.sendTask('echo', [], id('t'), id('r'), 7, body, 1500.9, KEEP)
  client.sendTask(null, ['b', 'a', 'b'], id('t2'), id('r'), 7, body, -1, RUN)
  client.sendReply(id('caller'), id('t'), id('r'), 9, body, 3, SETTLES | SKIPS)
  await turn()

  const [task, pool, reply] = far.sent.slice(1)
  assert.deepEqual([task.address, pool.address, reply.address], ['echo', '?a,b', ''])
  assert.deepEqual(reply.peer, id('caller'))
  const shown = ({ items: [{ flags, kind, number, task: of, trace, body: what }] }) => [
    flags,
    kind,
    number,
    nameOf(of),
    nameOf(trace),
    what.toString(),
  ]
  assert.deepEqual(shown(task), [KEEP, 7, 1500, 't', 'r', 'hello'])
  assert.deepEqual(shown(pool), [RUN, 7, 0, 't2', 'r', 'hello'])
  assert.deepEqual(shown(reply), [SETTLES | SKIPS, 9, 3, 't', 'r', 'hello'])
})

test('a Synapse that passes no runs on is asked for none', async (t) => {
  const { client, far } = await opened(t, { carrier: { runs: false } })

  client.sendTask('echo', [], id('t'), id('r'), 7, Buffer.from('x'), 1, KEEP | RUN)

  assert.equal(far.hello.runs, true)
  assert.equal(far.of('TASK')[0].items[0].flags, KEEP)
})

test('a name that is none, and no address at all, are refused where they are given', async (t) => {
  const { client } = await opened(t)
  const send = (neuron, capabilities) =>
    client.sendTask(neuron, capabilities, id('t'), ZERO, 1, Buffer.alloc(1), 1, 0)

  assert.throws(() => send('a/b', []), InvalidName)
  assert.throws(() => send('', []), InvalidName)
  assert.throws(() => send(null, ['a,b']), InvalidName)
  assert.throws(() => send(undefined, []), InvalidArgument)
})

test('a body of exactly the limit leaves, one of a byte more does not', async (t) => {
  const { client, far } = await opened(t, { maxSignalBytes: 100 })

  assert.equal(sendTask(client, 'a', { size: 100 }), 'SENT')
  assert.equal(sendTask(client, 'b', { size: 101 }), 'TOO_LARGE')
  assert.equal(
    client.sendReply(id('c'), id('t'), ZERO, 1, Buffer.alloc(101), 0, SETTLES),
    'TOO_LARGE',
  )
  assert.equal(client.sendPresence('REGISTER', 'n', {}, 1, Buffer.alloc(101)), 'TOO_LARGE')
  await turn()
  assert.deepEqual(
    far.sent.filter(({ verb }) => verb !== 'HELLO').map(({ items }) => items.length),
    [1],
  )
})

test('in calm times the first message of a turn goes at once, the others together at its end', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length
  const flushes = far.flushes

  for (const name of ['a', 'b', 'c']) assert.equal(sendTask(client, name), 'SENT')
  assert.deepEqual(since(far, start), ['TASK a'])
  assert.ok(far.flushes > flushes)
  await turn()
  assert.deepEqual(since(far, start), ['TASK a', 'TASK b c'])

  for (const name of ['d', 'e']) sendTask(client, name) // not calm: the turn before gathered more
  assert.deepEqual(since(far, start), ['TASK a', 'TASK b c'])
  await turn()
  assert.deepEqual(since(far, start), ['TASK a', 'TASK b c', 'TASK d e'])

  sendTask(client, 'f')
  await turn()
  sendTask(client, 'g') // calm again
  assert.equal(since(far, start).at(-1), 'TASK g')
})

test('targets have bundles of their own', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length

  sendTask(client, 'a')
  sendTask(client, 'b', { to: 'one' })
  sendReply(client, 'x', { caller: 'c1' })
  sendTask(client, 'c', { to: 'two' })
  sendReply(client, 'y', { caller: 'c2' })
  sendTask(client, 'd', { to: 'one' })
  sendReply(client, 'z', { caller: 'c1' })
  await turn()

  assert.deepEqual(since(far, start).sort(), [
    'REPLY x z',
    'REPLY y',
    'TASK a',
    'TASK b d',
    'TASK c',
  ])
})

test('a message that is not bundled goes behind what was gathered before it', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length

  for (const name of ['a', 'b', 'c']) sendTask(client, name)
  client.sendCancel({ task: id('c'), trace: ZERO })
  sendTask(client, 'd')
  sendTask(client, 'big', { size: 16 * 1024 + 1 })
  await turn()

  assert.deepEqual(since(far, start), ['TASK a', 'TASK b c', 'CANCEL c', 'TASK d', 'TASK big'])
})

test('a turn of the loop that does not end gathers no more than 1,024 messages', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length

  for (let at = 0; at < 2000; at++) sendTask(client, at)

  assert.ok(since(far, start).length > 16)
  await turn()
  const sent = far.sent.slice(start).flatMap(({ items }) => items.map(({ task }) => nameOf(task)))
  assert.deepEqual(
    sent,
    Array.from({ length: 2000 }, (_, at) => String(at)),
  )
})

test('a bundle that the carrier refuses is taken apart, and goes out in order, one at a time', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length
  sendTask(client, 'a')
  for (const name of ['b', 'c']) assert.equal(sendTask(client, name), 'SENT')
  far.room = 0
  await turn()

  assert.equal(sendTask(client, 'd'), 'WAITING')
  assert.equal(client.sendCancel({ task: id('d'), trace: ZERO }), 'WAITING')
  assert.deepEqual(since(far, start), ['TASK a'])
  far.room = 1
  far.writable()

  assert.deepEqual(since(far, start), ['TASK a', 'TASK b', 'TASK c', 'TASK d', 'CANCEL d'])
})

test('drained returns when nothing waits any more', async (t) => {
  const { client, far } = await opened(t)
  await client.drained()
  far.room = 0
  sendTask(client, 'a')
  let isDrained = false
  const drained = client.drained().then(() => (isDrained = true))
  await turn()
  assert.equal(isDrained, false)

  far.writable()
  await drained
})

test('without room nothing is kept, and it is counted', async (t) => {
  const { client, far } = await opened(t)
  far.disconnect()
  for (let at = 0; at < 20_000; at++) assert.equal(sendTask(client, at), 'WAITING')

  assert.equal(sendTask(client, 'over'), 'BUSY')
  assert.equal(client.counts['drop.outbox_full'], 1)
})

test('before WELCOME nothing leaves but HELLO; then all goes out in order', async (t) => {
  const { client, far } = scene(t, { carrier: { answers: false } })
  const opening = client.open(1000)
  assert.equal(sendTask(client, 'a'), 'WAITING')
  far.who()
  assert.equal(sendTask(client, 'b'), 'WAITING')
  assert.deepEqual(lines(far.sent), ['HELLO -'])

  far.answers = true
  far.who()
  await opening

  assert.deepEqual(lines(far.sent).slice(-2), ['TASK a', 'TASK b'])
})

test('a TASK whose time is over while it waits does not leave', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length
  far.disconnect()
  sendTask(client, 'late', { ttlMs: 0 })
  sendTask(client, 'task', { ttlMs: 60_000 })

  far.who()
  await far.until(() => far.of('TASK').length > 0)

  assert.deepEqual(since(far, start), ['HELLO -', 'TASK task'])
  assert.equal(client.counts['drop.expired_in_outbox'], 1)
  const [{ number }] = far.of('TASK')[0].items
  assert.ok(number <= 60_000 && number > 0)
})

test('presence has two items, and is not kept without a connection', async (t) => {
  const { client, far } = await opened(t)
  const facts = { capabilities: ['chat'] }

  assert.equal(client.sendPresence('REGISTER', 'seat', facts, 7, Buffer.from('signal')), 'SENT')
  const [{ items, address }] = far.of('REGISTER')
  assert.equal(address, 'seat')
  assert.deepEqual(
    items.map(({ kind, body }) => [kind, body.length]),
    [
      [0, 20],
      [7, 6],
    ],
  )
  far.disconnect()
  assert.equal(client.sendPresence('HEARTBEAT', 'seat', {}, 7, Buffer.alloc(0)), 'WAITING')
  far.who()
  await turn()
  await turn()
  assert.equal(far.of('HEARTBEAT').length, 0)
  assert.throws(
    () => client.sendPresence('REGISTER', 'seat', { x: 'x'.repeat(8192) }, 7, Buffer.alloc(0)),
    InvalidArgument,
  )
})

test('a client with tasks asks to be told of workers before its first TASK, and says so in HELLO', async (t) => {
  const { client, far } = scene(t)
  client.resyncFrom({ openTasks: () => [], heldTasks: () => [] })
  await client.open(1000)
  assert.equal(far.hello.calls, false)

  sendTask(client, 'a')
  sendTask(client, 'b')
  await turn()
  assert.deepEqual(
    far.sent.slice(1).map(({ verb }) => verb),
    ['WORKERS', 'TASK'],
  )
  assert.deepEqual([far.of('WORKERS')[0].kind, far.of('WORKERS')[0].items[0].body.length], [0, 0])
  far.who()
  await turn()
  assert.equal(far.hello.calls, true)
})

test('a gap is asked for with the next index', async (t) => {
  const { client, far } = await opened(t)

  client.sendGap({ task: id('t'), trace: ZERO, nextIndex: 3, leftMs: 10, keep: false })

  const [{ kind, items }] = far.of('RESEND')
  assert.deepEqual([kind, items[0].body.readUInt32BE()], [2, 3])
})

test('what came back whole goes out again, in front and in its old order', async (t) => {
  const { client, far } = await opened(t)
  const start = far.sent.length
  for (const name of ['a', 'b', 'c']) sendTask(client, name)
  await turn()
  const [one, two] = far.sent.slice(start)
  far.disconnect()
  assert.equal(sendTask(client, 'd'), 'WAITING')
  const mark = item(VERB.BOUNCE, { body: Buffer.from('hello_first') })
  far.receiveItems([mark, ...one.items], one.address)
  far.receiveItems([mark, ...two.items], two.address)
  const again = far.sent.length

  far.who()
  await far.until(() => lines(far.sent).includes('TASK d'))

  assert.deepEqual(since(far, again), ['HELLO -', 'TASK a', 'TASK b', 'TASK c', 'TASK d'])
  assert.equal(client.counts.returned, 2)
})
