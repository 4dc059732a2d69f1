// P23 to P28 and P32 of docs/spec/08-port.md, and docs/spec/05-broadcast.md, as one client shows them.
import test from 'node:test'
import assert from 'node:assert/strict'
import { SynapseUnreachable } from '../../src/errors.js'
import { Counts } from '../../src/client/counts.js'
import { Publications } from '../../src/client/publications.js'
import {
  SENTINEL,
  ZERO,
  kindTopic,
  packHeader,
  parseBroadcast,
  traceTopic,
} from '../../src/wire/wire.js'
import { id, opened, turn } from './scene.js'

const trace = id('trace')
const BY_TRACE = `demo/r/${trace.toString('hex')}/`
const BY_KIND = 'demo/t/7/'
const body = (text) => Buffer.from(String(text))
/** A proxy that takes no publication over the directed plane, so that all go by the socket. */
const OLDER = { carrier: { publish: false } }
const say = (client, text = 'x') => client.publish(7, trace, body(text))
/** `[topic, first number, bodies]` of each message that left. */
const left = (far) =>
  far.published.map(([topic, header, all]) => {
    const { first, bodies } = parseBroadcast(header, all)
    return [topic, Number(first), bodies.map(String).join()]
  })

test('a message without a listener does not leave', async (t) => {
  const { client, far } = await opened(t, OLDER)

  assert.equal(client.isHeard(7, trace), false)
  assert.equal(say(client), 0)
  assert.deepEqual(far.published, [])
})

test('a message goes to each topic that has a listener, the trace first, numbered from 0', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener(BY_KIND, true)
  assert.equal(client.isHeard(7, trace), true)
  assert.equal(client.isHeard(8, trace), false)
  assert.equal(say(client, 'one'), 1)
  far.listener(BY_TRACE, true)
  assert.equal(client.isHeard(8, trace), true)
  await turn()

  assert.equal(say(client, 'two'), 2)

  assert.deepEqual(left(far), [
    [BY_KIND, 0, 'one'],
    [BY_TRACE, 0, 'two'],
    [BY_KIND, 1, 'two'],
  ])
  const { publisher, caller, worker } = parseBroadcast(far.published[0][1], body('one'))
  assert.deepEqual([publisher, caller, worker], [client.instance, client.instance, ZERO])
  assert.equal(client.counts.published, 3)
})

test('the first message of a turn goes at once, its neighbours together at the end', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener(BY_KIND, true)

  for (let at = 0; at < 4; at++) say(client, at)
  assert.deepEqual(left(far), [[BY_KIND, 0, '0']])
  await turn()

  assert.deepEqual(left(far), [
    [BY_KIND, 0, '0'],
    [BY_KIND, 1, '1,2,3'],
  ])
})

test('a turn that does not end gathers no more than 1,024 messages', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener(BY_KIND, true)

  for (let at = 0; at < 3000; at++) say(client, at)

  assert.ok(far.published.length > 16)
  await turn()
  const all = left(far).flatMap(([, , bodies]) => bodies.split(','))
  assert.deepEqual(
    all,
    Array.from({ length: 3000 }, (_, at) => String(at)),
  )
})

test('a body over the limit takes 0 messages and is counted', async (t) => {
  const { client, far } = await opened(t, { ...OLDER, maxSignalBytes: 3 })
  far.listener(BY_KIND, true)

  assert.equal(say(client, 'four'), 0)
  assert.equal(say(client, 'abc'), 1)
  assert.deepEqual(client.counts, { 'drop.too_large': 1, published: 1 })
})

test('the count of a topic ends with its last listener', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener(BY_KIND, true)
  say(client)
  await turn()
  far.listener(BY_KIND, true) // the same again
  say(client)
  await turn()
  far.listener(BY_KIND, false)
  assert.equal(say(client), 0)
  far.listener(BY_KIND, true)
  say(client)

  assert.deepEqual(
    left(far).map(([, first]) => first),
    [0, 1, 0],
  )
})

test('after a lost connection a topic that did not come again is forgotten at the sentinel', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener(BY_KIND, true)
  far.listener(BY_TRACE, true)
  far.listener(SENTINEL, false)
  assert.equal(say(client), 2) // until then they count as there
  await turn()
  far.listener(BY_TRACE, true)
  far.listener(SENTINEL, true)

  assert.equal(say(client, 'y'), 1)
  assert.deepEqual(left(far).at(-1), [BY_TRACE, 1, 'y'])
})

test('a subscription to a malformed topic is counted, one of another namespace means nothing', async (t) => {
  const { client, far } = await opened(t, OLDER)
  far.listener('other/t/7/', true)
  far.listener('demo/t/07/', true)
  far.listener('x'.repeat(513), true)
  far.listener(`demo/_sync/${'0'.repeat(32)}-1/`, true)

  assert.equal(say(client), 0)
  assert.deepEqual(client.counts, { 'ignored.bad_topic': 1, 'ignored.long_topic': 1 })
})

test('listen and unlisten add up', async (t) => {
  const { client, far } = await opened(t)
  client.listen({ kind: 7 })
  client.listen({ kind: 7 })
  client.listen({ trace })
  assert.deepEqual(far.topics, [BY_KIND, BY_TRACE])
  client.unlisten({ kind: 7 })
  client.unlisten({ trace })
  assert.deepEqual(far.topics, [BY_KIND])
  client.unlisten({ kind: 7 })
  client.unlisten({ kind: 7 })
  assert.deepEqual(far.topics, [])
})

test('a broadcast is heard by its kind or by its trace, with caller and worker, a batch as its messages', async (t) => {
  const { client, far, receiver } = await opened(t, { topics: [{ kind: 7 }, { trace }] })
  const header = packHeader(id('other'), 5, id('c'), id('w'))
  const batch = Buffer.concat([packHeader(id('other'), 6, id('c'), id('w')), Buffer.alloc(8)])
  batch.writeUInt32BE(1, 56)
  batch.writeUInt32BE(2, 60)

  far.hear(BY_KIND, header, body('a'))
  far.hear(BY_TRACE, header, body('b'))
  far.hear(BY_KIND, batch, body('cde'))

  assert.deepEqual(receiver.of('onHeard'), [
    [7, Buffer.alloc(0), id('c'), id('w'), body('a')],
    [-1, trace, id('c'), id('w'), body('b')],
    [7, Buffer.alloc(0), id('c'), id('w'), body('c')],
    [7, Buffer.alloc(0), id('c'), id('w'), body('de')],
  ])
  assert.deepEqual(client.counts, {})
})

test('a client hears itself', async (t) => {
  const { client, far, receiver } = await opened(t, { ...OLDER, topics: [{ kind: 7 }] })
  far.listener(BY_KIND, true)
  client.publish(7, trace, body('me'))

  far.hear(...far.published[0])

  assert.deepEqual(receiver.of('onHeard'), [
    [7, Buffer.alloc(0), client.instance, ZERO, body('me')],
  ])
})

test('what is missing is told before the next message of the same publisher and topic', async (t) => {
  const { far, receiver } = await opened(t, { topics: [{ kind: 7 }] })
  receiver.heard.length = 0
  for (const sequence of [3, 4, 8]) far.hear(BY_KIND, packHeader(id('p'), sequence), body(sequence))
  far.hear(BY_KIND, packHeader(id('q'), 100), body('q'))

  assert.deepEqual(
    receiver.heard.map(([name, ...args]) => [name, String(args.at(-1))]),
    [
      ['onHeard', '3'],
      ['onHeard', '4'],
      ['onMissed', '3'],
      ['onHeard', '8'],
      ['onHeard', 'q'],
    ],
  )
})

test('a malformed broadcast is counted; one of a topic that was left means nothing', async (t) => {
  const { client, far, receiver } = await opened(t, { topics: [{ kind: 7 }] })
  far.hear(BY_KIND, Buffer.alloc(55), body(''))
  far.hear(BY_KIND, Buffer.alloc(64), body('too long'))
  far.hear('no topic', packHeader(id('p'), 0), body(''))
  client.unlisten({ kind: 7 })
  far.hear(BY_KIND, packHeader(id('p'), 0), body(''))

  assert.deepEqual(client.counts, {
    'drop.bad_header': 1,
    'drop.body_length': 1,
    'drop.bad_topic': 1,
  })
  assert.deepEqual(receiver.of('onHeard'), [])
})

test('each sync has a topic of its own, and takes it back', async (t) => {
  const { client, far } = await opened(t, { topics: [{ kind: 7 }] })
  const seen = []
  const { subscribe } = far
  far.subscribe = (topic) => {
    seen.push(topic)
    subscribe.call(far, topic)
  }

  await Promise.all([client.sync(20_000), client.sync(20_000)])

  assert.equal(new Set(seen).size, 2)
  assert.match(seen[0], new RegExp(`^demo/_sync/${client.instance.toString('hex')}-\\d+/$`))
  assert.deepEqual(far.topics, [BY_KIND])
})

test('a sync without an answer fails in time, and one that the end overtakes fails at once', async (t) => {
  const { client, far } = await opened(t, { topics: [{ kind: 7 }] })
  far.subscribe = () => {}

  await assert.rejects(client.sync(5), (error) => {
    assert.ok(error instanceof SynapseUnreachable)
    assert.match(error.message, /no answer to a subscription; .*timeoutMs/)
    return true
  })
  const overtaken = client.sync(null)
  await client.close(1000)
  await assert.rejects(overtaken, SynapseUnreachable)
})

test('a flood of topics is bounded and counted, and those that are known stay', () => {
  const counts = new Counts()
  const parts = {
    instance: id('i'),
    namespace: 'demo',
    carrier: {},
    turn: {},
    counts,
    maxTraces: 2,
  }
  const publications = new Publications({ ...parts, carrier: { openPublisher() {} } })
  publications.useSocket()
  for (const each of ['a', 'b', 'c', 'd', 'a'])
    publications.onSubscription(traceTopic('demo', id(each)), true)
  publications.onSubscription(kindTopic('demo', 7), true)

  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((each) => publications.isHeard(0, id(each))),
    [true, true, false, false],
  )
  assert.equal(publications.isHeard(7, id('x')), true)
  assert.deepEqual(counts.toObject(), { 'ignored.max_topics': 2 })
})
