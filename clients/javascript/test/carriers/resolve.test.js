// Names of hosts to addresses, for every attempt anew.
import assert from 'node:assert/strict'
import test from 'node:test'
import { IpcEndpoint, TcpEndpoint, TcpEndpoints } from '../../src/carriers/endpoints.js'
import { LOOKUP_MS, Resolver, SIDE_BY_SIDE_MS } from '../../src/carriers/resolve.js'

const resolved = (resolver) => new Promise((resolve) => resolver.resolve(resolve))
const texts = (addresses) => addresses.map(String)

test('an address and a path need no lookup', async () => {
  const fail = () => assert.fail('looked up')
  for (const each of [new TcpEndpoint('::1', 1), new TcpEndpoint('127.0.0.1', 1), new IpcEndpoint('/s')]) {
    assert.deepEqual(await resolved(new Resolver(each, fail)), [each])
  }
}) // prettier-ignore

test('localhost has addresses, IPv4 first, and a name that nobody has none', async () => {
  const [first] = await resolved(new Resolver(new TcpEndpoint('localhost', 7070)))

  assert.equal(String(first), 'tcp://127.0.0.1:7070')
  assert.deepEqual(await resolved(new Resolver(new TcpEndpoint('no-such-host.invalid', 1))), [])
})

test('an answer that fails later leaves the last one good', async () => {
  const answers = [['10.0.0.1', '::5'], [], ['10.0.0.2']]
  const resolver = new Resolver(new TcpEndpoint('h', 7), async () => answers.shift())

  assert.deepEqual(texts(await resolved(resolver)), ['tcp://10.0.0.1:7', 'tcp://[::5]:7'])
  assert.deepEqual(texts(await resolved(resolver)), ['tcp://10.0.0.1:7', 'tcp://[::5]:7'])
  assert.deepEqual(texts(await resolved(resolver)), ['tcp://10.0.0.2:7'])
})

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A resolver whose lookups the test answers: `answers[host](addresses)`. */
function slowly(t, hosts) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const scene = { answers: {}, looked: [], heard: [] }
  const lookUp = (host) => {
    scene.looked.push(host)
    return new Promise((resolve) => (scene.answers[host] = resolve))
  }
  const places = hosts.map((host) => new TcpEndpoint(host, 7))
  scene.resolver = new Resolver(places.length === 1 ? places[0] : new TcpEndpoints(places), lookUp)
  scene.resolve = () =>
    scene.resolver.resolve((found) => scene.heard.push(found.map(({ host }) => host)))
  scene.answer = async (host, found) => {
    scene.answers[host](found)
    await settle()
  }
  return scene
}

test('a name without an answer is waited for; one that has addresses is for a second, and once', async (t) => {
  const { resolve, answer, heard, looked } = slowly(t, ['h'])
  resolve()
  t.mock.timers.tick(10 * LOOKUP_MS)
  assert.deepEqual(heard, []) // nothing is known yet
  await answer('h', ['10.0.0.1'])
  assert.deepEqual(heard, [['10.0.0.1']])

  resolve()
  t.mock.timers.tick(LOOKUP_MS - 1)
  assert.equal(heard.length, 1)
  t.mock.timers.tick(1)
  resolve() // the second lookup still goes on
  assert.deepEqual(heard.slice(1), [['10.0.0.1'], ['10.0.0.1']])
  await answer('h', ['10.0.0.2'])
  resolve()
  await answer('h', ['10.0.0.2'])

  assert.deepEqual([heard.at(-1), looked.length], [['10.0.0.2'], 3])
})

test('the names of a list are looked up side by side, and give their addresses in its order', async (t) => {
  const { resolve, answer, heard, looked } = slowly(t, ['a', '10.0.0.9', 'b'])
  resolve()
  assert.deepEqual(looked, ['a', 'b'])
  await answer('b', ['10.0.0.3', '10.0.0.9'])
  assert.deepEqual(heard, [])
  await answer('a', ['10.0.0.1', '10.0.0.2'])

  assert.deepEqual(heard, [['10.0.0.1', '10.0.0.2', '10.0.0.9', '10.0.0.3']])
})

test('a slow name of a list holds up the others for 0.2 s, and once', async (t) => {
  const { resolver, resolve, answer, heard } = slowly(t, ['slow', 'b'])
  resolve()
  await answer('b', ['10.0.0.2'])
  t.mock.timers.tick(SIDE_BY_SIDE_MS - 1)
  assert.deepEqual(heard, [])
  t.mock.timers.tick(1)
  assert.deepEqual(heard, [['10.0.0.2']])
  assert.deepEqual(resolver.unresolved, ['slow'])
  resolve()
  await answer('b', ['10.0.0.3'])
  assert.deepEqual(heard[1], ['10.0.0.3'])
  await answer('slow', ['10.0.0.1'])
  resolve()
  await answer('slow', ['10.0.0.1'])
  await answer('b', [])

  assert.deepEqual(heard[2], ['10.0.0.1', '10.0.0.3'])
  assert.deepEqual(resolver.unresolved, [])
})

test('a list without any address is told once each name has an answer', async (t) => {
  const { resolve, answer, heard } = slowly(t, ['a', 'b'])
  resolve()
  await answer('a', [])
  t.mock.timers.tick(SIDE_BY_SIDE_MS)
  assert.deepEqual(heard, [])
  await answer('b', [])

  assert.deepEqual(heard, [[]])
})

test('what a proxy names comes behind the rest, each once, until all but one is forgotten', async () => {
  const at = (host) => new TcpEndpoint(host, 7)
  const resolver = new Resolver(new TcpEndpoints([at('10.0.0.1'), at('10.0.0.2')]))

  assert.equal(resolver.add([at('10.0.0.2')]), false)
  assert.equal(resolver.add([at('10.0.0.4'), at('10.0.0.3'), at('10.0.0.4')]), true)
  const found = await resolved(resolver)
  resolver.keepOnly(at('10.0.0.3'))

  const hosts = (addresses) => addresses.map(({ host }) => host)
  assert.deepEqual(hosts(found), ['10.0.0.1', '10.0.0.2', '10.0.0.4', '10.0.0.3'])
  assert.deepEqual(hosts(await resolved(resolver)), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

test('at most 16 places that were named are tried', async () => {
  const resolver = new Resolver(new TcpEndpoint('10.0.0.1', 7))
  resolver.add(Array.from({ length: 40 }, (_, i) => new TcpEndpoint('10.0.1.1', 1 + i)))

  assert.equal((await resolved(resolver)).length, 17)
})

test('a resolver that was closed calls nobody', async () => {
  let answer
  const resolver = new Resolver(new TcpEndpoint('h', 7), () => new Promise((r) => (answer = r)))
  resolver.resolve(() => assert.fail('called'))
  resolver.close()

  answer(['10.0.0.1'])
  await new Promise((resolve) => setImmediate(resolve))
})
