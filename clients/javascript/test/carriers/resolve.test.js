// Names of hosts to addresses, for every attempt anew.
import assert from 'node:assert/strict'
import test from 'node:test'
import { IpcEndpoint, TcpEndpoint } from '../../src/carriers/endpoints.js'
import { LOOKUP_MS, Resolver } from '../../src/carriers/resolve.js'

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

test('a lookup that is slow is waited for once, and after that for a second', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const looked = []
  const lookUp = () => new Promise((resolve) => looked.push(resolve))
  const resolver = new Resolver(new TcpEndpoint('h', 7), lookUp)
  const heard = []
  resolver.resolve((addresses) => heard.push(texts(addresses)))
  t.mock.timers.tick(10 * LOOKUP_MS)
  assert.deepEqual(heard, []) // nothing is known yet
  looked[0](['10.0.0.1'])
  await Promise.resolve()
  assert.deepEqual(heard, [['tcp://10.0.0.1:7']])

  resolver.resolve((addresses) => heard.push(texts(addresses)))
  t.mock.timers.tick(LOOKUP_MS)
  assert.deepEqual(heard[1], ['tcp://10.0.0.1:7'])
  resolver.resolve((addresses) => heard.push(texts(addresses)))
  assert.equal(looked.length, 2) // the second one still goes on
  looked[1](['10.0.0.2'])
  await Promise.resolve()

  assert.deepEqual(heard[2], ['tcp://10.0.0.2:7'])
})

test('a resolver that was closed calls nobody', async () => {
  let answer
  const resolver = new Resolver(new TcpEndpoint('h', 7), () => new Promise((r) => (answer = r)))
  resolver.resolve(() => assert.fail('called'))
  resolver.close()

  answer(['10.0.0.1'])
  await new Promise((resolve) => setImmediate(resolve))
})
