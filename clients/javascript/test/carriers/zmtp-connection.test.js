// One ZMTP connection: against libzmq, and against far ends that do everything wrong.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import test from 'node:test'
import { Fault } from '../../src/carriers/diagnosis.js'
import { TcpEndpoint } from '../../src/carriers/endpoints.js'
import {
  MAX_WAITING_BYTES,
  MAX_WAITING_MESSAGES,
  ZmtpConnection,
} from '../../src/carriers/zmtp-connection.js'
import { ZmtpDecoder } from '../../src/carriers/zmtp-decoder.js'
import { GREETING, PROBE, command, frame, ready } from '../../src/carriers/zmtp-frames.js'
import { startPython } from '../support/child.js'
import { recorder } from '../support/recorder.js'
import { speakZmtp, startServer } from '../support/servers.js'
import { freePorts } from '../support/synapse.js'

const zeromq = createRequire(import.meta.url)('zeromq')
const EVENTS = ['onConnected', 'onEstablished', 'onMessage', 'onSubscription', 'onWritable', 'onLate', 'onDown'] // prettier-ignore
const DEALER = { socketType: 'DEALER', peerTypes: ['ROUTER'], maxFrameBytes: 2 ** 25 }
const XPUB = { socketType: 'XPUB', peerTypes: ['XSUB'], maxFrameBytes: 512 }

function connectTo(t, port, { kind = DEALER, connectMs = 5000, handshakeMs = 5000 } = {}) {
  const events = recorder(...EVENTS)
  const connection = new ZmtpConnection(kind, events)
  t.after(() => connection.destroy())
  connection.open({ address: new TcpEndpoint('127.0.0.1', port), connectMs, handshakeMs })
  return { connection, ...events }
}

async function bound(t, socket) {
  t.after(() => socket.close())
  await socket.bind('tcp://127.0.0.1:*')
  return Number(socket.lastEndpoint.split(':').at(-1))
}

test('a DEALER talks to a ROUTER of libzmq, in both directions and of any size', async (t) => {
  const router = new zeromq.Router({ linger: 0 })
  const { connection, heard } = connectTo(t, await bound(t, router), { kind: { ...DEALER, isProbing: true } }) // prettier-ignore
  await heard('onEstablished')
  const [id, probe] = await router.receive()
  assert.equal(probe.length, 0)

  for (const size of [0, 1, 255, 256, 5000, 70_000, 3_000_000]) {
    assert.ok(connection.send(Buffer.alloc(size, 1), Buffer.alloc(size, 2)))
    connection.flush()
    const frames = await router.receive()
    assert.ok(frames[1].equals(Buffer.alloc(size, 1)) && frames[2].equals(Buffer.alloc(size, 2)))
    await router.send([id, ...frames.slice(1)])
    const [[head, body]] = await heard('onMessage', 1, (each) => each[0].length === size)
    assert.ok(head.equals(frames[1]) && body.equals(frames[2]))
  }
})

test('an XPUB hears what an XSUB of libzmq subscribes to', async (t) => {
  const xsub = new zeromq.XSubscriber({ linger: 0 })
  const port = await bound(t, xsub)
  for (const each of ['a/', '~live/', 'b/']) await xsub.send(`\x01${each}`)
  const received = xsub.receive() // an XSUB passes nothing on until it is looked at
  const { connection, heard, calls } = connectTo(t, port, { kind: XPUB })
  await heard('onSubscription', 3)
  await xsub.send('\x01later/')
  await xsub.send('\x00a/')
  await heard('onSubscription', 5)

  // A libzmq built with its drafts, as this one is, has no order of bytes among those of a new connection.
  const [first, second, third, ...later] = calls('onSubscription')
  assert.deepEqual([first, second, third].map(String).sort(), ['a/,true', 'b/,true', '~live/,true'])
  assert.deepEqual(later, [
    ['later/', true],
    ['a/', false],
  ])
  connection.send(Buffer.from('b/'), Buffer.from('header'), Buffer.from('body'))
  connection.flush()
  assert.deepEqual((await received).map(String), ['b/', 'header', 'body'])
})

const ENDS = [
  ['closes at once', (socket) => socket.end(), /^$/],
  ['closes after half a greeting', (socket) => socket.end(GREETING.subarray(0, 30)), /^$/],
  ['closes after its greeting', (socket) => socket.end(GREETING), /^$/],
  ['is another type of socket', (socket) => speakZmtp(socket, 'XPUB'), /^a ZeroMQ socket of type XPUB$/],
  ['has a type with odd letters', (socket) => speakZmtp(socket, 'A\n\x1b[1m'), /of type "A\\n\\u001b\[1m"$/],
  ['refuses', (socket) => socket.write(Buffer.concat([GREETING, command('ERROR', Buffer.from('\x02no'))])), /refuses us, with "no"/],
  ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /it sent "HTTP\/1.1 400 Bad Request"/],
  ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), /^$/],
] // prettier-ignore
for (const [name, onSocket, seen] of ENDS) {
  test(`a far end that ${name} is a stranger`, async (t) => {
    const { heard, calls } = connectTo(t, await startServer(t, onSocket))

    const [fault, what, why] = await heard('onDown')

    assert.equal(fault, Fault.STRANGER)
    assert.match(what, seen)
    assert.ok(why.length > 0)
    assert.deepEqual(calls('onEstablished'), [])
  })
}

test('a far end that accepts and is silent is given up after the limit of the handshake', async (t) => {
  const port = await startServer(t, () => {})
  const { heard, calls } = connectTo(t, port, { handshakeMs: 50 })

  const [fault, what] = await heard('onDown')

  assert.equal(fault, Fault.STRANGER)
  assert.match(what, /sends nothing/)
  assert.equal(calls('onConnected').length, 1)
})

test('a port without a listener is closed', async (t) => {
  const { heard } = connectTo(t, await freePorts())

  assert.equal((await heard('onDown'))[0], Fault.CLOSED_PORT)
})

test('a host that does not answer is given up after the limit of the connection', async (t) => {
  // A full queue of connections that nobody accepts: the system ignores the next one.
  const child = startPython(t, [
    '-c',
    'import socket, time\n' +
      's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)\n' +
      'some = [socket.socket() for _ in range(8)]\n' +
      '[(each.setblocking(False), each.connect_ex(s.getsockname())) for each in some]\n' +
      'print("listening", s.getsockname()[1]); time.sleep(600)',
  ])
  const port = Number(await child.line('listening'))
  const { heard } = connectTo(t, port, { connectMs: 300 })

  assert.deepEqual((await heard('onDown')).slice(0, 2), [Fault.NO_ANSWER, ''])
})

test('a frame over the limit cuts the peer', async (t) => {
  const onOpen = (socket) => socket.write(Buffer.from('02000000007fffffff', 'hex'))
  const port = await startServer(t, (socket) => speakZmtp(socket, 'ROUTER', onOpen))
  const { heard, calls } = connectTo(t, port)

  assert.match((await heard('onDown'))[2], /a frame of 2147483647 bytes, over our limit/)
  assert.equal(calls('onEstablished').length, 1)
})

test('a PING is answered with its context', async (t) => {
  const pongs = []
  let received
  const onPong = new Promise((resolve) => (received = resolve))
  const port = await startServer(t, (socket) =>
    speakZmtp(socket, 'ROUTER', () => {
      socket.write(command('PING', Buffer.from('\0\0context')))
      socket.on('data', (data) => {
        pongs.push(data)
        if (Buffer.concat(pongs).includes(command('PONG', Buffer.from('context')))) received()
      })
    }),
  )
  connectTo(t, port)

  await onPong
})

/** A ROUTER that reads nothing until `resume()`, and then counts what came. */
async function slowRouter(t) {
  const events = recorder('onMessage')
  const sockets = []
  const port = await startServer(t, (socket) => {
    sockets.push(socket)
    speakZmtp(socket, 'ROUTER', () => socket.pause())
  })
  const sink = { onGreeting() {}, onReady() {}, onPing() {}, onPong() {}, onMessage: (frames) => events.onMessage(...frames) } // prettier-ignore
  const resume = () => {
    const decoder = new ZmtpDecoder(sink, { maxFrameBytes: 2 ** 30 })
    decoder.push(Buffer.concat([GREETING, ready('DEALER')]))
    for (const each of sockets) each.on('data', (chunk) => decoder.push(chunk)).resume()
  }
  return { port, resume, ...events }
}

for (const [what, size, most] of [
  ['bytes', 100_000, MAX_WAITING_BYTES / 100_000],
  ['messages', 1000, MAX_WAITING_MESSAGES],
]) {
  test(`what waits is bounded in ${what}; there is room again when the far end has read`, async (t) => {
    const router = await slowRouter(t)
    const { connection, heard, calls } = connectTo(t, router.port)
    await heard('onEstablished')
    const numbered = (number) => {
      const body = Buffer.alloc(size)
      body.writeUInt32BE(number)
      return body
    }
    let sent = 0
    while (connection.send(Buffer.from('head'), numbered(sent))) {
      if (++sent % 100 === 0) connection.flush()
      // What the system takes in the meantime is not ours any more.
      if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    connection.flush()
    assert.ok(sent >= Math.floor(most), `${sent}`)
    assert.deepEqual(calls('onWritable'), [])
    assert.equal(connection.send(Buffer.from('head'), numbered(sent)), false)

    router.resume()
    await heard('onWritable')
    assert.ok(connection.send(Buffer.from('head'), numbered(sent)))
    connection.flush()
    await router.heard('onMessage', sent + 1)

    assert.deepEqual(
      router.calls('onMessage').map(([, body]) => body.readUInt32BE()),
      Array.from({ length: sent + 1 }, (_, i) => i),
    )
    assert.equal(calls('onWritable').length, 1)
  })
}

test('one message over the bound goes out when nothing else waits', async (t) => {
  const router = await slowRouter(t)
  const { connection, heard } = connectTo(t, router.port)
  assert.equal(connection.send(PROBE, PROBE), false) // not connected yet
  await heard('onEstablished')

  assert.ok(connection.send(PROBE, Buffer.alloc(MAX_WAITING_BYTES + 1)))
  assert.equal(connection.send(PROBE, Buffer.alloc(1)), false)
  connection.flush()
  router.resume()

  assert.equal((await router.heard('onMessage'))[1].length, MAX_WAITING_BYTES + 1)
  await heard('onWritable')
})

test('a far end of ZMTP 3.1 that falls silent is given up after 3 s, and one of 3.0 is not', async (t) => {
  const old = Buffer.from(GREETING)
  old[11] = 0
  let ended
  const readOn = (socket) => {
    ended = once(socket, 'error')
    socket.resume()
  }
  const newPort = await startServer(t, (socket) => speakZmtp(socket, 'ROUTER', readOn))
  const oldPort = await startServer(t, (socket) => {
    socket.write(old)
    socket.once('data', () => socket.write(ready('ROUTER')))
    socket.resume()
  })
  const older = connectTo(t, oldPort)
  await older.heard('onEstablished')
  const newer = connectTo(t, newPort)
  await newer.heard('onEstablished')
  const since = performance.now()

  const [fault, , why] = await newer.heard('onDown')
  assert.equal(fault, Fault.NO_ANSWER)
  assert.match(why, /no sign of life for \d+\.\d s/)
  assert.ok(performance.now() - since > 2900)
  // With a reset: what was not sent yet is not sent any more.
  assert.equal((await ended)[0].code, 'ECONNRESET')
  assert.deepEqual(older.calls('onDown'), [])
})

test('a connection that was destroyed says nothing more', async (t) => {
  const { connection, heard, calls } = connectTo(t, await startServer(t, (socket) => speakZmtp(socket, 'ROUTER'))) // prettier-ignore
  await heard('onEstablished')

  connection.destroy()
  connection.destroy()

  assert.equal(connection.send(PROBE, PROBE), false)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(calls('onDown'), [])
})

test('what a listener throws neither loses a message nor ends the connection', async (t) => {
  const caught = []
  const onError = (error) => caught.push(error.message)
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', onError)
  t.after(() => {
    process.removeListener('uncaughtException', onError)
    for (const each of before) process.on('uncaughtException', each)
  })
  const both = Buffer.concat([frame(0, Buffer.from('1')), frame(0, Buffer.from('2'))])
  const port = await startServer(t, (socket) =>
    speakZmtp(socket, 'ROUTER', () => socket.write(both)),
  )
  const events = recorder(...EVENTS)
  const connection = new ZmtpConnection(DEALER, {
    ...events,
    onMessage(frames) {
      events.onMessage(...frames)
      throw new Error(`bad listener ${frames[0]}`)
    },
  })
  t.after(() => connection.destroy())
  connection.open({ address: new TcpEndpoint('127.0.0.1', port), connectMs: 5000, handshakeMs: 5000 })
  await events.heard('onMessage', 2)
  await new Promise((resolve) => setImmediate(resolve))

  assert.deepEqual(caught, ['bad listener 1', 'bad listener 2'])
  assert.ok(connection.isReady)
}) // prettier-ignore

test('a far end that sends PINGs and reads no PONG fills no memory', async (t) => {
  const block = Buffer.concat(Array(4096).fill(command('PING', Buffer.alloc(18, 1))))
  const blocks = 250
  let far
  const port = await startServer(t, (socket) =>
    speakZmtp(socket, 'ROUTER', () => {
      far = socket
      socket.pause()
    }),
  )
  const { connection, heard } = connectTo(t, port)
  await heard('onEstablished')
  for (let at = 0; at < blocks; at++) if (!far.write(block)) await once(far, 'drain')
  far.write(Buffer.concat([frame(1, Buffer.from('a')), frame(0, Buffer.from('b'))]))
  await heard('onMessage')
  connection.send(Buffer.from('the'), Buffer.from('end')) // behind every PONG that waits
  connection.flush()
  let pongBytes = 0
  for await (const bytes of far) {
    pongBytes += bytes.length
    if (bytes.includes('end')) break
  }

  // What the system keeps for a socket was answered, and nothing beyond.
  const sent = blocks * block.length
  assert.ok(pongBytes < sent / 2, `${pongBytes} bytes of PONG for ${sent}`)
})
