// What a client hears on the directed plane, and the way back: docs/spec/02-session.md, 09-resync.md.
import test from 'node:test'
import assert from 'node:assert/strict'
import { CLAIM, KEEP, SETTLES, VERB, WORKERS, ZERO, item, packHeader } from '../../src/wire/wire.js'
import { id, opened, scene, sendTask, turn } from './scene.js'

const body = Buffer.from('body')

test('each verb is an event with its arguments in the order of the port', async (t) => {
  const { far, receiver } = await opened(t)
  receiver.heard.length = 0
  const fields = { flags: KEEP, kind: 4, number: 5, task: id('t'), trace: id('r'), body }

  far.receive(VERB.TASK, fields, 'seat', id('c'))
  far.receive(VERB.REPLY, { ...fields, flags: SETTLES }, '', id('w'))
  far.receive(VERB.CANCEL, { task: id('t') }, '', id('c'))
  far.receive(VERB.BOUNCE, { task: id('t'), body: Buffer.from('no_route') })
  far.receive(VERB.LOST, { task: id('t'), body: Buffer.from('what is this') })
  far.receive(VERB.REGISTER, {}, 'seat')
  far.receive(VERB.REGISTER, { body: Buffer.from('too many') }, 'seat')

  assert.deepEqual(receiver.heard, [
    ['onTask', id('c'), 'seat', id('t'), id('r'), 4, 5, KEEP, body],
    ['onReply', id('w'), id('t'), id('r'), 4, 5, SETTLES, body],
    ['onCancel', id('c'), id('t')],
    ['onBounce', id('t'), 'no_route'],
    ['onLost', id('t'), 'unknown'],
    ['onRegistered', 'seat', ''],
    ['onRegistered', 'seat', 'too many'],
  ])
})

test('the items of a message count as if each had come alone; a bad one harms no other', async (t) => {
  const { client, far, receiver } = await opened(t)

  far.receiveItems([
    item(VERB.REPLY, { task: id('a') }),
    item(99),
    item(VERB.WORKERS, { body: Buffer.alloc(3) }),
    item(VERB.REPLY, { task: id('b') }),
  ])

  assert.equal(receiver.of('onReply').length, 2)
  assert.deepEqual(client.counts, { 'drop.verb': 1, 'drop.bad_workers': 1 })
})

test('a receiver that throws harms no other event, and is logged and counted', async (t) => {
  const { client, far, receiver, logged } = await opened(t, { topics: [{ kind: 7 }] })
  receiver.onEvent = () => {
    throw new Error('my bug')
  }

  // not BOUNCE first: that would mean that the message came back
  const verbs = [VERB.TASK, VERB.REPLY, VERB.CANCEL, VERB.BOUNCE, VERB.LOST, VERB.REGISTER]
  far.receiveItems(verbs.map((verb) => item(verb)))
  for (const sequence of [0, 2]) far.hear('demo/t/7/', packHeader(ZERO, sequence))
  far.disconnect()

  const names = ['onTask', 'onReply', 'onCancel', 'onBounce', 'onLost', 'onRegistered']
  for (const name of [...names, 'onHeard', 'onMissed', 'onAway'])
    assert.ok(receiver.of(name).length > 0, name)
  assert.equal(client.counts['drop.engine_fault'], receiver.heard.length - 1) // all but onWelcomed
  assert.match(logged[0][0], /a receiver threw/)
  assert.equal(logged[0][1].message, 'my bug')
})

test('the end of a connection is told, and the way back: HELLO with the epoch, then WELCOME', async (t) => {
  const { client, far, receiver } = await opened(t)

  far.disconnect('the network')
  assert.deepEqual(receiver.of('onAway'), [['the network']])
  assert.ok(client.awayMs >= 0)
  far.disconnect('again')
  assert.equal(receiver.of('onAway').length, 1)
  far.who()
  await receiver.until('onWelcomed', 2)

  assert.deepEqual(far.hello.epoch, far.epoch)
  assert.deepEqual(receiver.of('onWelcomed'), [[true], [false]])
  assert.equal(client.awayMs, null)
  far.epoch = Buffer.alloc(16, 8)
  far.who()
  await receiver.until('onWelcomed', 3)
  assert.deepEqual(receiver.of('onWelcomed').at(-1), [true])
})

test('a client that waits for WELCOME says HELLO again once a second', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { far } = await opened(t)
  assert.equal(far.of('HELLO').length, 1)
  t.mock.timers.tick(3000)
  assert.equal(far.of('HELLO').length, 1)
  far.answers = false
  far.disconnect()

  t.mock.timers.tick(3000)

  assert.equal(far.of('HELLO').length, 4)
})

test('a HELLO that the carrier does not take is counted', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { client, far } = await opened(t)
  far.disconnect()
  far.room = 0
  t.mock.timers.tick(1000)

  assert.deepEqual(client.counts, { 'drop.greeting': 1 })
})

test('a client that is refused later goes on asking, and says why once', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { client, far, receiver } = await opened(t)
  far.answers = false
  far.disconnect('gone')
  far.who()
  far.refuse('full')
  far.refuse('full')
  t.mock.timers.tick(2000)

  assert.equal(far.of('HELLO').length, 4)
  assert.deepEqual(receiver.of('onAway'), [['gone'], ['refused: full']])
  assert.equal(sendTask(client, 'a'), 'WAITING')
  far.welcome()
  assert.equal(far.of('TASK').length, 1)
  assert.equal(client.awayMs, null)
})

test('GOING_AWAY is answered with GOODBYE, and what is sent from then on waits', async (t) => {
  const { client, far, receiver } = await opened(t)

  far.receive(VERB.GOING_AWAY)

  assert.equal(far.of('GOODBYE').length, 1)
  assert.deepEqual(receiver.of('onAway'), [['the Synapse stops']])
  assert.equal(sendTask(client, 'a'), 'WAITING')
  await turn()
  assert.deepEqual(client.counts, {}) // the GOODBYE that answers means nothing more
})

test('what a state does not expect is counted and changes nothing', async (t) => {
  const { client, far } = await opened(t)
  far.receive(VERB.GOODBYE)
  assert.equal(sendTask(client, 'a'), 'SENT')
  assert.deepEqual(client.counts, { 'unexpected.goodbye': 1 })

  far.answers = false
  const closing = client.close(1)
  far.welcome()
  await closing
  far.receive(VERB.WHO)
  far.receive(VERB.GOING_AWAY)
  assert.deepEqual(client.counts, {
    'unexpected.goodbye': 1,
    'unexpected.who': 1,
    'unexpected.going_away': 1,
    'drop.unexpected_welcome': 1,
  })
})

/** A client with one open task, one that it runs, and one in its outbox. */
async function busy(t) {
  const made = scene(t)
  const { client, receiver, far } = made
  const again = []
  const held = (claim) => ({
    caller: id('c'),
    task: id('running'),
    trace: ZERO,
    neuronId: 'seat',
    claim,
    leftMs: 10,
    keep: false,
  })
  client.resyncFrom({
    openTasks: () =>
      ['sent', 'unsent'].map((name) => ({
        task: id(name),
        trace: ZERO,
        nextIndex: 1,
        leftMs: 1000,
        keep: false,
      })),
    heldTasks: () => [held(CLAIM.RUNNING)],
    claimOf: (_, task) => (task.equals(id('running')) ? held(CLAIM.RUNNING) : null),
    sendAgain: (caller, task, index) => {
      again.push([caller, task, index])
      client.sendReply(caller, task, ZERO, 1, body, index, 0)
    },
  })
  await client.open(1000)
  sendTask(client, 'sent')
  await turn()
  far.receive(VERB.WORKERS, { kind: WORKERS.FIRST | WORKERS.LAST, body: id('worker') })
  receiver.onEvent = (name) => {
    if (name === 'onWelcomed') client.sendPresence('REGISTER', 'seat', {}, 1, body)
  }
  return { ...made, again }
}

test('after a reconnect: workers, open tasks and END, then what waits, REGISTER, and CLAIMs', async (t) => {
  const { client, far } = await busy(t)
  far.disconnect()
  sendTask(client, 'unsent')
  const start = far.sent.length

  far.who()
  await far.until(() => far.sent.slice(start).some(({ verb }) => verb === 'CLAIM'))

  const sent = far.sent.slice(start)
  assert.deepEqual(
    sent.map(({ verb, kind, items }) => [verb, kind, items.length]),
    [
      ['HELLO', 0, 1],
      ['WORKERS', WORKERS.FIRST | WORKERS.LAST, 1],
      ['RESEND', 0, 1],
      ['RESEND', 1, 1],
      ['TASK', 1, 1],
      ['REGISTER', 0, 2],
      ['CLAIM', CLAIM.RUNNING, 1],
    ],
  )
  assert.deepEqual(sent[1].items[0].body, id('worker'))
  assert.deepEqual(sent[2].items[0].task, id('sent')) // the one in the outbox has run nowhere
})

test('a query is answered with CLAIM and END in one message, and the replies behind it', async (t) => {
  const { far, again } = await busy(t)
  const start = far.sent.length
  const asked = ['running', 'never'].map((name) => item(VERB.RESEND, { task: id(name), number: 2 }))

  far.receiveItems(asked, 'q.1', id('c'))
  far.receiveItems(asked.slice(1), 'q.2', id('c'))
  await turn()

  const sent = far.sent.slice(start)
  assert.deepEqual(
    sent.map(({ verb, address, items }) => [verb, address, items.map(({ kind }) => kind)]),
    [
      ['CLAIM', 'q.1', [CLAIM.RUNNING, CLAIM.END]],
      ['REPLY', '', [1]],
      ['CLAIM', 'q.2', [CLAIM.END]],
    ],
  )
  assert.deepEqual(again, [[id('c'), id('running'), 2]])
})

test('a receiver that throws in onWelcomed does not hold up what waits', async (t) => {
  const { client, far, receiver } = await opened(t)
  far.disconnect()
  sendTask(client, 'a')
  receiver.onEvent = () => {
    throw new Error('my bug')
  }
  far.who()
  await far.until(() => far.of('TASK').length > 0)
  assert.equal(client.counts['drop.engine_fault'], 1)
})
