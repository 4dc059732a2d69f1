// From a URL to a Synapse that answers.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import {
  DEFAULT_URL,
  InvalidArgument,
  InvalidUrl,
  Synapse,
  SynapseRefused,
  SynapseUnreachable,
  connectSynapse,
} from '../../src/index.js'
import { speakZmtp, startServer } from '../support/servers.js'
import { LibzmqCarrier } from '../../src/carriers/libzmq-carrier.js'
import { ZmtpCarrier } from '../../src/carriers/zmtp-carrier.js'
import { frame } from '../../src/carriers/zmtp-frames.js'
import { VERB, item, packMessage } from '../../src/wire/heads.js'
import { pack } from '../../src/signals/msgpack.js'
import { startNode } from '../support/child.js'
import { recorder } from '../support/recorder.js'
import { startSynapse } from '../support/synapse.js'

function withVariable(t, name, value) {
  const before = process.env[name]
  t.after(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
  process.env[name] = value
}

test('the URL is the argument, else COSMO_URL, else the default', (t) => {
  withVariable(t, 'COSMO_URL', 'cosmo://named')

  assert.equal(new Synapse('cosmo://[::1]').url, 'cosmo://[::1]:7070')
  assert.equal(new Synapse().url, 'cosmo://named:7070')
  process.env.COSMO_URL = ''
  assert.equal(new Synapse().url, DEFAULT_URL)
})

test('a bad COSMO_URL is named as the place of the mistake', (t) => {
  withVariable(t, 'COSMO_URL', 'http://u:s3cret@h')

  assert.throws(
    () => new Synapse(),
    (error) =>
      error instanceof InvalidUrl &&
      error.message.endsWith('(it is in COSMO_URL)') &&
      !error.message.includes('s3cret'),
  )
})

test('a carrier that is none is refused, and the new name of an old one is told', (t) => {
  const message = (carrier) => {
    try {
      new Synapse(undefined, { carrier })
    } catch (error) {
      assert.ok(error instanceof InvalidArgument)
      return error.message
    }
    return ''
  }

  assert.equal(message('udp'), "carrier must be 'zmtp' or 'libzmq', not 'udp'")
  assert.equal(message(null), "carrier must be 'zmtp' or 'libzmq', not null")
  assert.match(message('zeromq'), /, not 'zeromq': it is called 'libzmq' now$/)
  withVariable(t, 'COSMO_CARRIER', 'toString')
  assert.match(message(undefined), /, not 'toString' \(it is in COSMO_CARRIER\)$/)
  assert.equal(message('zmtp'), '')
})

test('the carrier is the argument, else COSMO_CARRIER, else our own ZMTP', (t) => {
  withVariable(t, 'COSMO_CARRIER', '')

  assert.ok(new Synapse().carrier() instanceof ZmtpCarrier)
  process.env.COSMO_CARRIER = 'libzmq'
  assert.ok(new Synapse().carrier() instanceof LibzmqCarrier)
  assert.ok(new Synapse(undefined, { carrier: 'zmtp' }).carrier() instanceof ZmtpCarrier)
})

test('a timeout that is none is refused', async () => {
  for (const timeoutMs of [-1, NaN, '5', {}]) {
    await assert.rejects(connectSynapse(DEFAULT_URL, { timeoutMs }), InvalidArgument)
  }
})

test('an unknown option of a Synapse is refused, and the one that was meant is named', async () => {
  assert.throws(() => new Synapse(undefined, { carier: 'zmtp' }), /did you mean 'carrier'/)
  await assert.rejects(
    connectSynapse(DEFAULT_URL, { timeout: 5 }),
    /connectSynapse has no option 'timeout': did you mean 'timeoutMs'/,
  )
  await assert.rejects(connectSynapse(DEFAULT_URL, 5), /takes an object of options, not 5/)
  await assert.rejects(connectSynapse(DEFAULT_URL, { timeoutMs: '5' }), /, not '5'/)
})

test('connectSynapse rejects a bad URL and waits no longer than it may', async () => {
  await assert.rejects(connectSynapse('localhost:7070'), InvalidUrl)
  const since = performance.now()
  await assert.rejects(connectSynapse('cosmo://127.0.0.1:1', { timeoutMs: 0 }), SynapseUnreachable)
  assert.ok(performance.now() - since < 3000)
})

/** A far end that answers the probe with `frames`. */
const falseSynapse = (t, ...frames) =>
  startServer(t, (socket) =>
    speakZmtp(socket, 'ROUTER', () =>
      socket.write(
        Buffer.concat(frames.map((each, i) => frame(i < frames.length - 1 ? 1 : 0, each))),
      ),
    ),
  )
const whoOf = (speaks) => packMessage([item(VERB.WHO, { body: pack({ speaks }) })])

const REFUSALS = [
  [
    'of a later version',
    whoOf([2, 3]),
    /it speaks versions \[ 2, 3 \], we speak 1: install the same/,
  ],
  [
    'of versions that are no numbers',
    whoOf([{ toString: 1 }, 2n ** 62n]),
    /it speaks versions \[ .*, we speak 1/,
  ],
  ['of no version', whoOf('all'), /it speaks versions 'all', we speak 1/],
  ['with another answer', packMessage([item(VERB.PING)]), /not as a Synapse of our version does/],
  ['with a strange answer', [Buffer.from('hi'), Buffer.from('ho')], /not as a Synapse of our/],
]
for (const [name, frames, says] of REFUSALS) {
  test(`a Synapse ${name} is refused at once`, async (t) => {
    const port = await falseSynapse(t, ...frames)

    await assert.rejects(
      connectSynapse(`cosmo://127.0.0.1:${port}`, { timeoutMs: 20_000 }),
      (error) => error instanceof SynapseRefused && says.test(error.message),
    )
  })
}

test('a wait without a limit warns of what was seen, and ends with its Synapse', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const warned = recorder('warn')
  const synapse = new Synapse('cosmo://127.0.0.1:1', { logger: warned })
  const connecting = assert.rejects(
    synapse.connect(null),
    /no Synapse at cosmo:\/\/127.0.0.1:1: the Synapse object was closed meanwhile; call connect again/,
  )
  t.mock.timers.tick(10_000)
  t.mock.timers.tick(10_000)

  const [[first], [second]] = warned.calls('warn')
  assert.match(first, /^no Synapse at cosmo:\/\/127.0.0.1:1 for 10 s: .*; still waiting$/)
  assert.match(second, / for 20 s: /)
  await synapse.close()
  await connecting
})

test('close ends every connection that was made by it', async (t) => {
  const running = await startSynapse(t)
  const synapse = await connectSynapse(running.url)
  const receiver = recorder('onWelcomed', 'onAway', 'onMissed')
  const transports = [1, 2].map(() => synapse.transport({ namespace: 'n', name: 'a' }, receiver))
  await Promise.all(transports.map((each) => each.open(20_000, [])))

  await synapse.close()
  await synapse.close()

  assert.equal(transports[0].publish(1, Buffer.alloc(16), Buffer.alloc(0)), 0) // prettier-ignore
  assert.equal(transports[0].sendCancel({ task: Buffer.alloc(16), trace: Buffer.alloc(16) }), 'CLOSED') // prettier-ignore
})

test('without the package zeromq its carrier says in one line what to install', async (t) => {
  const src = new URL('../../src/index.js', import.meta.url)
  const code =
    `import { Synapse } from ${JSON.stringify(src.href)}\n` +
    "import Module from 'node:module'\n" +
    'const { _resolveFilename } = Module\n' +
    'Module._resolveFilename = (name, ...rest) => {\n' +
    "  if (name === 'zeromq') throw new Error('Cannot find module')\n" +
    '  return _resolveFilename(name, ...rest)\n}\n' +
    "try { new Synapse(undefined, { carrier: 'libzmq' }) } catch (e) { console.log(e.name, e.message) }\n" +
    "process.env.COSMO_CARRIER = 'libzmq'\n" +
    'try { new Synapse() } catch (e) { console.log(e.message) }'

  const child = startNode(t, ['--input-type=module', '-e', code])

  await child.ended
  assert.deepEqual(child.lines, [
    "MissingExtra zeromq is not installed, and carrier 'libzmq' needs it: run npm install zeromq",
    "zeromq is not installed, and carrier 'libzmq' (it is in COSMO_CARRIER) needs it: run npm install zeromq",
  ])
})

test('the package zeromq is loaded only for its carrier', async (t) => {
  const src = new URL('../../src/index.js', import.meta.url)
  const code =
    `import { Synapse } from ${JSON.stringify(src.href)}\n` +
    "import { createRequire } from 'node:module'\n" +
    'const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((each) => each.includes("zeromq"))\n' +
    'new Synapse().carrier(); console.log(loaded())\n' +
    "new Synapse(undefined, { carrier: 'libzmq' }); console.log(loaded())"

  const child = startNode(t, ['--input-type=module', '-e', code])

  await child.ended
  assert.deepEqual(child.lines, ['false', 'true'])
  assert.ok(createRequire(import.meta.url).resolve('zeromq'))
})
