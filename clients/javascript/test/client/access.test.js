// A client with a key, or at a Synapse with keys: who it is, what it may do, who others are.
import assert from 'node:assert/strict'
import test from 'node:test'
import { tagOf } from '../../src/access/origin.js'
import { AccessRefused, SynapseRefused } from '../../src/index.js'
import { VERB, packMap } from '../../src/wire/wire.js'
import { pack } from '../../src/signals/msgpack.js'
import { TIMEOUT_MS, id, opened, scene, turn } from './scene.js'

const REFUSAL = { reason: 'it does not list the key', fix: 'allow it' }
const KEYED = { user: 'ada', may: ['watch', 'serve=x-*'] }
const instanceWith = (name) => Buffer.concat([Buffer.alloc(12, 5), tagOf(name)])
const usersOf = (far, number, ...names) => far.receive(VERB.USERS, { number, body: pack(names) })

test('with a key the instance id ends with the tag of its user, and HELLO says that it knows rights', async (t) => {
  const { far, client } = await opened(t, { user: 'ada', carrier: KEYED })

  assert.deepEqual(far.hello.instance.subarray(12), tagOf('ada'))
  assert.deepEqual(far.hello.instance, client.instance)
  assert.equal(far.hello.access, true)
  assert.deepEqual([client.user, client.may], ['ada', ['watch', 'serve=x-*']])
})

test('at a Synapse without keys a client may do everything, and nobody is known', async (t) => {
  const { far, client } = await opened(t)
  usersOf(far, 0, 'ada')
  far.welcome()

  assert.deepEqual([client.user, client.may], ['', null])
  assert.equal(client.originOf(instanceWith('ada')), null)
})

test('the names ahead of a WELCOME and those that come later are told by an instance id', async (t) => {
  const { far, client } = scene(t, { carrier: { ...KEYED, answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.who()
  usersOf(far, 0, 'ada', 'ben')
  usersOf(far, 1, 'carl')
  far.welcome()
  await opening
  usersOf(far, 2, 'dora')

  for (const name of ['ada', 'ben', 'carl', 'dora'])
    assert.equal(client.originOf(instanceWith(name)), name)
  assert.equal(client.originOf(instanceWith('eve')), null)
})

test('a page of names that is none is counted', async (t) => {
  const { far, client } = await opened(t, { carrier: KEYED })
  far.receive(VERB.USERS, { body: packMap({ ada: 1 }) })
  far.receive(VERB.USERS, { body: Buffer.alloc(9000) })
  usersOf(far, 0, 'x'.repeat(129))

  assert.equal(client.counts['drop.bad_body'], 1)
  assert.equal(client.counts['drop.long_body'], 1)
})

test('a REFUSED for access rejects the opening with what to do', async (t) => {
  const { far, client } = scene(t, { carrier: { answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.who()
  const map = { reason: "the key 'ada' may not enter demo", code: 'access', fix: 'name another' }
  far.receive(VERB.REFUSED, { body: packMap(map) })

  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof AccessRefused && error instanceof SynapseRefused)
    assert.deepEqual([error.fix, error.code, error.status], ['name another', 'ACCESS_DENIED', 403])
    assert.match(error.message, /the key 'ada' may not enter demo; name another$/)
    return true
  })
})

test('a far end that does not let the key in rejects the opening at once', async (t) => {
  const { far, client } = scene(t, { carrier: { answers: false } })
  const opening = client.open(TIMEOUT_MS)
  far.refusedByKeys(REFUSAL)

  await assert.rejects(opening, AccessRefused)
})

test('a client that is refused later is away, says why once, and comes back by itself', async (t) => {
  const { far, client, receiver } = await opened(t)
  far.disconnect()
  for (let i = 0; i < 3; i++) far.refusedByKeys(REFUSAL)

  assert.ok(client.awayMs !== null)
  const told = () => receiver.of('onAway').map(([why]) => why)
  assert.deepEqual(told(), ['gone', 'refused: it does not list the key; allow it'])

  far.who()
  await turn()
  await turn()
  assert.equal(client.awayMs, null)
  far.disconnect()
  far.refusedByKeys(REFUSAL)
  assert.equal(told().length, 4)
})

test('a client whose key is revoked sends nothing more, and asks again until it is welcome', async (t) => {
  const { far, client } = await opened(t)
  far.answers = false
  const map = { reason: "the key 'ada' was revoked", code: 'access', fix: '' }
  far.receive(VERB.REFUSED, { body: packMap(map) })

  assert.ok(client.awayMs !== null)
  assert.equal(client.sendCancel({ task: id('t'), trace: id('r') }), 'WAITING')
  far.welcome()
  assert.equal(client.awayMs, null)
})
