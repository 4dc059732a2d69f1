// Which attempt is made when: a line without a network.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Cause, Fault } from '../../src/carriers/diagnosis.js'
import { Dialer } from '../../src/carriers/dialer.js'
import { IpcEndpoint, TcpEndpoint, TcpEndpoints } from '../../src/carriers/endpoints.js'
import { startServer } from '../support/servers.js'

const realTimeout = setTimeout

function dialing(
  t,
  { addresses = ['10.0.0.1'], target = new TcpEndpoint('host', 7070), ...options } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const seen = { dialed: [], hangUps: 0, ended: [], warnings: [], addresses, keys: 1 }
  const line = {
    description: '',
    expectNext: () => seen.keys-- > 1,
    dial: ({ address }) => seen.dialed.push(address.host ?? address.path),
    hangUp: () => seen.hangUps++,
  }
  const dialer = new Dialer(target, line, {
    peerType: 'ROUTER',
    dice: () => 0.5,
    onEnded: (why) => seen.ended.push(why),
    logger: { warn: (text) => seen.warnings.push(text) },
    lookUp: async () => seen.addresses,
    ...options,
  })
  t.after(() => dialer.close())
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const pass = async (ms) => {
    t.mock.timers.tick(ms)
    await settle()
  }
  dialer.start()
  return { dialer, seen, pass, settle }
}

test('every address of a round is tried at once, and the next round after a pause', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t, { addresses: ['10.0.0.1', '10.0.0.2'] })
  await settle()
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(0)
  assert.deepEqual(seen.dialed, ['10.0.0.1', '10.0.0.2'])

  dialer.onDown(Fault.NO_ANSWER, '', '')
  await pass(19)
  assert.equal(seen.dialed.length, 2)
  await pass(1)

  assert.deepEqual(seen.dialed.slice(2), ['10.0.0.1'])
  assert.match(dialer.diagnosis().reason, /no process listens at tcp:\/\/10.0.0.1:7070, and tcp:\/\/10.0.0.2:7070 does not accept/) // prettier-ignore
})

test('the name is resolved before every attempt', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t)
  await settle()
  dialer.onEstablished()
  seen.addresses = ['10.0.0.9']
  dialer.onDown(Fault.CLOSED_PORT, '', 'it went')
  await pass(20)

  assert.deepEqual(seen.dialed, ['10.0.0.1', '10.0.0.9'])
  assert.deepEqual(seen.ended, ['it went'])
  assert.equal(String(dialer.address), 'tcp://10.0.0.9:7070')
})

test('a name that does not resolve is asked again every quarter of a second', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t, { addresses: [] })
  await settle()
  const { cause, reason } = dialer.diagnosis()
  assert.deepEqual([cause, reason], [Cause.NAME, 'the name host does not resolve'])

  seen.addresses = ['10.0.0.1']
  await pass(250)

  assert.deepEqual(seen.dialed, ['10.0.0.1'])
})

test('a broadcast connection is made again after 50 to 100 ms, or at once when there is hurry', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t, { isSteady: true })
  await settle()
  for (let i = 0; i < 5; i++) {
    dialer.onDown(Fault.CLOSED_PORT, '', '')
    await pass(74)
    assert.equal(seen.dialed.length, i + 1)
    await pass(1)
    assert.equal(seen.dialed.length, i + 2)
  }

  dialer.hurry() // an attempt is under way
  assert.equal(seen.dialed.length, 6)
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  dialer.hurry()
  await settle()
  assert.equal(seen.dialed.length, 7)
  await pass(1000)
  assert.equal(seen.dialed.length, 7)
})

test('a stranger is warned of once, and again after the right far end was there', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t)
  await settle()
  const meet = async () => {
    dialer.onDown(Fault.STRANGER, 'a web server', '')
    await pass(2000)
  }
  await meet()
  await meet()
  assert.equal(seen.warnings.length, 1)
  assert.match(seen.warnings[0], /^a web server answers at tcp:\/\/10.0.0.1:7070, where a Synapse was expected/)
  assert.match(String(dialer.diagnosis()), /^a web server answers at .*, not a proxy; check the URL/)

  dialer.onEstablished()
  dialer.onWelcomed()
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(2000)
  await meet()

  assert.equal(seen.warnings.length, 2)
}) // prettier-ignore

const KEYS = { user: 'ada', public: Buffer.alloc(32), proxies: [Buffer.alloc(32)] }

function refusing(t, addresses, port, target = new TcpEndpoint('host', port ?? 7070)) {
  const refusals = []
  const onRefused = ({ reason }) => refusals.push(reason)
  const options = { addresses, target, keys: KEYS, onRefused }
  return { ...dialing(t, options), refusals }
}

test('a refusal counts once every address of the name was tried: another one may let us in', async (t) => {
  const { dialer, seen, pass, settle, refusals } = refusing(t, ['10.0.0.1', '10.0.0.2'])
  await settle()
  dialer.onUnknownKey()
  await pass(0)
  assert.deepEqual([seen.dialed, refusals], [['10.0.0.1', '10.0.0.2'], []])
  dialer.onEstablished()
  dialer.onWelcomed()
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(20)
  dialer.onDown(Fault.CLOSED_PORT, '', '') // of the one that let us in, which is tried first
  await pass(0)
  assert.deepEqual([seen.dialed.at(-1), refusals], ['10.0.0.1', []])

  dialer.onUnknownKey()

  assert.deepEqual(refusals, ['it does not list the key of ada'])
})

test('a key that is not listed is tried again after 1, 2, 4 seconds', async (t) => {
  const { dialer, seen, pass, settle } = refusing(t, ['10.0.0.1'])
  await settle()
  for (const [i, pauseMs] of [1000, 2000, 4000].entries()) {
    dialer.onUnknownKey()
    await pass(pauseMs - 1)
    assert.equal(seen.dialed.length, i + 1)
    await pass(1)
    assert.equal(seen.dialed.length, i + 2)
  }
})

test('a refusal goes with its far end, and what comes there next is judged anew', async (t) => {
  const { dialer, seen, pass, settle, refusals } = refusing(t, ['10.0.0.1'])
  await settle()
  dialer.onUnknownKey()
  assert.equal(dialer.diagnosis().cause, Cause.REFUSED)
  await pass(1000)

  dialer.onDown(Fault.CLOSED_PORT, '', '')
  assert.match(dialer.diagnosis().reason, /^no process listens at/)
  await pass(1000)
  assert.equal(seen.dialed.length, 3)
  dialer.onDown(Fault.STRANGER, 'a web server', '')

  assert.deepEqual(refusals, ['it does not list the key of ada'])
  assert.match(dialer.diagnosis().reason, /^a web server answers at/)
})

test('the failed handshakes of one address count although nobody listens at the other', async (t) => {
  const greeting = Buffer.alloc(64)
  greeting.write('CURVE', 12)
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3]).copy(greeting)
  const port = await startServer(t, (socket) => socket.write(greeting))
  const { dialer, pass, settle, refusals } = refusing(t, ['127.0.0.1', '10.0.0.2'], port)
  await settle()

  for (let i = 0; i < 40 && refusals.length === 0; i++) {
    dialer.onConnected()
    dialer.onDown(Fault.STRANGER, '', '')
    await pass(0)
    dialer.onDown(Fault.CLOSED_PORT, '', '')
    await new Promise((resolve) => realTimeout(resolve, 60))
    await pass(800)
  }

  assert.match(refusals[0], /another Synapse answers there/)
})

const LIST = new TcpEndpoints(['10.0.0.1', '10.0.0.2'].map((host) => new TcpEndpoint(host, 7070)))

test('a proxy that stands by is hung up on, and the next place of the list has its turn', async (t) => {
  const { dialer, seen, pass } = dialing(t, { target: LIST })
  dialer.onEstablished()
  dialer.passOver([])
  await pass(0)
  assert.deepEqual([seen.dialed, seen.hangUps, seen.ended], [['10.0.0.1', '10.0.0.2'], 1, []])
  assert.equal(dialer.isAlone, false)

  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(19)
  assert.equal(seen.dialed.length, 2)
  await pass(1)

  assert.deepEqual([seen.dialed[2], dialer.isAlone], ['10.0.0.1', true])
})

test('what a standby names is tried behind the list until a WELCOME, and the one that said it stays', async (t) => {
  const { dialer, seen, pass } = dialing(t, { target: LIST })
  dialer.onEstablished()
  dialer.passOver(['cosmo://10.0.0.2:7070', 'cosmo://10.0.0.4:7070', 'cosmo://10.0.0.5:1', 'nonsense'])
  await pass(0)
  for (let i = 0; i < 2; i++) {
    dialer.onDown(Fault.CLOSED_PORT, '', '')
    await pass(0)
  }
  assert.deepEqual(seen.dialed, ['10.0.0.1', '10.0.0.2', '10.0.0.4', '10.0.0.5'])
  assert.equal(dialer.isAlone, false)
  dialer.onEstablished()
  dialer.onWelcomed()
  dialer.onDown(Fault.CLOSED_PORT, '', 'it went')
  await pass(20)
  for (let i = 0; i < 2; i++) {
    dialer.onDown(Fault.CLOSED_PORT, '', '')
    await pass(0)
  }
  assert.deepEqual(seen.dialed.slice(4), ['10.0.0.5', '10.0.0.1', '10.0.0.2'])
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(40)

  assert.deepEqual([seen.dialed.at(-1), dialer.isAlone], ['10.0.0.5', true])
}) // prettier-ignore

test('a standby at a Unix socket sends nobody to the network', async (t) => {
  const { dialer, seen, pass } = dialing(t, { target: new IpcEndpoint('/s') })
  dialer.onEstablished()
  dialer.passOver(['cosmo://10.0.0.2:7070'])
  await pass(20)

  assert.deepEqual(seen.dialed, ['/s', '/s'])
  assert.match(String(dialer.diagnosis()), /ipc:\/\/\/s stands by .* are cosmo:\/\/10.0.0.2:7070; start the/)
}) // prettier-ignore

test('who meets a standby only is told of it and of the others', async (t) => {
  const { dialer, pass } = dialing(t, { target: LIST })
  dialer.onDown(Fault.NO_ANSWER, '', '')
  await pass(0)
  dialer.onEstablished()
  dialer.passOver(['cosmo://10.0.0.1:7070'])

  const { cause, reason, hint } = dialer.diagnosis()

  assert.equal(cause, Cause.STANDBY)
  assert.equal(
    reason,
    'tcp://10.0.0.2:7070 stands by and lets nobody in, the others of its fabric are cosmo://10.0.0.1:7070; ' +
      'tcp://10.0.0.1:7070 does not accept a connection (2 tries)',
  )
  assert.match(hint, /^start the Synapse that led, or let this client reach it/)
})

test('a connection that gave no WELCOME is followed by the next place at once', async (t) => {
  const { dialer, seen, pass } = dialing(t, { target: LIST })
  dialer.onEstablished()
  dialer.onDown(Fault.CLOSED_PORT, '', 'it stops')
  await pass(0)

  assert.deepEqual([seen.dialed, seen.ended], [['10.0.0.1', '10.0.0.2'], ['it stops']])
})

test('a place that may have another public key is tried with each at once', async (t) => {
  const { dialer, seen, pass } = dialing(t, { target: LIST, keys: KEYS })
  seen.keys = 2
  for (let i = 0; i < 2; i++) {
    dialer.onConnected()
    dialer.onDown(Fault.STRANGER, 'a Synapse', '')
    await pass(0)
  }

  assert.deepEqual(seen.dialed, ['10.0.0.1', '10.0.0.1', '10.0.0.2'])
})

test('what one place says of a key counts although the other one stands by', async (t) => {
  const { dialer, pass, refusals } = refusing(t, undefined, 7070, LIST)
  dialer.onUnknownKey()
  await pass(0)
  dialer.onEstablished()
  dialer.passOver([])

  assert.deepEqual(refusals, ['tcp://10.0.0.1:7070: it does not list the key of ada'])
})

test('after close nothing is dialed and nobody is told', async (t) => {
  const { dialer, seen, pass, settle } = dialing(t)
  await settle()
  dialer.onEstablished()
  dialer.close()
  dialer.onDown(Fault.CLOSED_PORT, '', '')
  await pass(5000)

  assert.deepEqual([seen.dialed.length, seen.ended, seen.hangUps], [1, [], 1])
})
