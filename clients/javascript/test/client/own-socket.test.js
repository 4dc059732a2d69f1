// A socket of one's own (docs/spec/05-broadcast.md): nothing is lost or overtaken while it comes about.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { OwnSocket, TRANSITIONS } from '../../src/client/own-socket.js'
import { SENTINEL, parseBroadcast } from '../../src/wire/wire.js'
import { id, opened, turn } from './scene.js'

const trace = id('trace')
const BY_KIND = 'demo/t/7/'
const body = (text) => Buffer.from(String(text))

const say = (client, text, isSeldom = false) => client.publish(7, trace, body(text), isSeldom)
/** The bodies that were handed over, and those that left by the socket. */
const handed = (far) => far.of('PUBLISH').map(({ items }) => String(items[0].body))
const own = (far) =>
  far.published.flatMap(([, header, all]) => parseBroadcast(header, all).bodies.map(String))
/** Let the barriers of a client wait for `answer()`. */
function barriers(far) {
  const asked = []
  far.onQuery = (query) => asked.push(query.task)
  return {
    asked,
    answer: (at = asked.length - 1) =>
      far.receive(9, { task: asked[at], body: Buffer.from('92 90 c2'.replaceAll(' ', ''), 'hex') }),
  }
}

test('every event in every state', () => {
  const events = ['OPEN', 'SENTINEL', 'LOST', 'ANSWERED', 'OLDER']
  for (const [state, row] of Object.entries(TRANSITIONS))
    for (const event of events) {
      const socket = new OwnSocket()
      const ways = { SHUT: [], CONNECTING: ['OPEN'], ASKED: ['OPEN', 'SENTINEL'], OWN: ['OLDER'] }
      for (const each of ways[state]) socket.on(each)

      assert.equal(socket.on(event), row[event] !== undefined)
      assert.equal(socket.state, row[event] ?? state)
    }
})

test('what waits is bounded in number and in bytes, and keeps its order', () => {
  const many = new OwnSocket()
  for (let at = 0; at < 1024; at++) assert.ok(many.wait({ at, body: body('') }))
  assert.equal(many.wait({ body: body('') }), false)
  assert.deepEqual(many.take().map(({ at }) => at), Array.from({ length: 1024 }, (_, at) => at)) // prettier-ignore
  assert.deepEqual(many.take(), [])

  const large = new OwnSocket()
  assert.ok(large.wait({ body: Buffer.alloc(4 * 2 ** 20) }))
  assert.equal(large.wait({ body: Buffer.alloc(1) }), false)
})

test('until the barrier is back a publication is handed over or waits; then the socket takes over', async (t) => {
  const { client, far } = await opened(t)
  const { asked, answer } = barriers(far)
  assert.equal(client.isHeard(7, trace), true) // unknown is not none
  far.answers = false
  assert.equal(say(client, 'first'), 1)
  assert.equal(far.isPublishing, true)
  say(client, 'second')
  far.listener(BY_KIND, true)
  far.answers = true
  far.listener(SENTINEL, true)
  await turn()
  say(client, 'third')
  say(client, 'fourth')
  assert.deepEqual([handed(far), own(far)], [['first', 'second'], []])

  assert.equal(asked.length, 1)
  answer()
  await turn()
  say(client, 'fifth')
  await turn()

  assert.deepEqual(own(far), ['third', 'fourth', 'fifth'])
  assert.deepEqual(handed(far), ['first', 'second'])
  assert.equal(client.isHeard(8, trace), false)
  const { items, address, peer } = far.of('PUBLISH')[0]
  assert.deepEqual([items[0].kind, items[0].number, items[0].trace, address, peer], [7, 0, trace, '', Buffer.alloc(16)]) // prettier-ignore
})

test('without an answer those that waited are handed over, and a full room does the same', async (t) => {
  const { client, far } = await opened(t)
  const { asked, answer } = barriers(far)
  say(client, 'a')
  await turn()
  await turn()
  say(client, 'b')
  far.listener(SENTINEL, false) // its connection ended
  say(client, 'c')
  answer()
  await turn()
  assert.deepEqual(handed(far), ['a', 'b', 'c'])

  far.listener(SENTINEL, true)
  await turn()
  for (let at = 0; at < 1025; at++) say(client, at)
  assert.deepEqual(
    handed(far).slice(3),
    Array.from({ length: 1025 }, (_, at) => String(at)),
  )
  await turn()
  assert.equal(asked.length, 3) // again, behind them
})

test('seldom publications need no socket, and many of them open it', async (t) => {
  const { client, far } = await opened(t)

  for (let at = 0; at < 100; at++) say(client, at, true)
  assert.equal(far.isPublishing, false)
  say(client, 'one more', true)

  assert.equal(far.isPublishing, true)
  assert.equal(handed(far).length, 101)
})

test('what is handed over without a connection is dropped and counted', async (t) => {
  const { client, far } = await opened(t)
  far.disconnect()

  say(client, 'x')

  assert.deepEqual(handed(far), [])
  assert.equal(client.counts['drop.unpublished'], 1)
})

test('an audience is named by bits, an instance and capabilities, and an older Synapse takes none', async (t) => {
  const { client, far, receiver } = await opened(t)
  assert.deepEqual([client.takesPublished, client.hasOlderPublishers], [true, false])

  assert.equal(client.sendPublished(9, 26, trace, body('STOP')), 'SENT')
  client.sendPublished(4, 27, trace, body('STOPPED'), { peer: id('them') })
  client.sendPublished(2, 22, trace, body('OFFER'), { capabilities: ['b', 'a'] })
  far.receive(20, { kind: 26, trace, body: body('theirs') }, '', id('them'))

  assert.deepEqual(
    far.of('PUBLISH').map(({ items: [{ number, kind }], address, peer }) => [number, kind, address, peer]),
    [
      [9, 26, '', Buffer.alloc(16)],
      [4, 27, '', id('them')],
      [2, 22, '?a,b', Buffer.alloc(16)],
    ],
  ) // prettier-ignore
  assert.deepEqual(receiver.of('onPublished'), [[id('them'), 26, trace, body('theirs')]])
  const older = await opened(t, { carrier: { publish: false } })
  assert.deepEqual([older.client.takesPublished, older.client.hasOlderPublishers], [false, true])
  assert.equal(older.client.sendPublished(9, 26, trace, body('STOP')), 'CLOSED')
  const mixed = await opened(t, { carrier: { older: true } })
  assert.equal(mixed.client.hasOlderPublishers, true)
})

test('whatever comes in whatever order, each publication leaves once and in order', async () => {
  const events = fc.array(fc.constantFrom('say', 'sentinel', 'lost', 'answer', 'turn'), { maxLength: 60 }) // prettier-ignore
  await fc.assert(
    fc.asyncProperty(events, async (script) => {
      const { client, far } = await opened({ after() {} })
      const { asked, answer } = barriers(far)
      far.openPublisher = () => {}
      far.listener(BY_KIND, true)
      const all = []
      const left = []
      const { send, publish } = far
      far.send = (head, bytes) => {
        if (head[19] === 20) left.push(String(bytes))
        return send.call(far, head, bytes)
      }
      far.publish = (topic, header, bytes) => {
        left.push(...parseBroadcast(header, bytes).bodies.map(String))
        publish.call(far, topic, header, bytes)
      }
      for (const each of script) {
        if (each === 'say') {
          all.push(String(all.length))
          say(client, all.at(-1))
        } else if (each === 'sentinel') {
          far.listener(BY_KIND, true)
          far.listener(SENTINEL, true)
        } else if (each === 'lost') far.listener(SENTINEL, false)
        else if (each === 'answer' && asked.length > 0) answer()
        await turn()
      }
      far.listener(BY_KIND, true)
      far.listener(SENTINEL, true)
      await turn()
      if (asked.length > 0) answer()
      await turn()
      await turn()
      await client.close(0)

      assert.deepEqual(left, all)
    }),
    { numRuns: 60 },
  )
})
