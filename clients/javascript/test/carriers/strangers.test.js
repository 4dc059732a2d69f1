// Far ends that are no Synapse: both carriers name them, and say what to do.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { SynapseUnreachable, connectSynapse } from '../../src/index.js'
import { GREETING } from '../../src/carriers/zmtp-frames.js'
import { startServer } from '../support/servers.js'

const zeromq = createRequire(import.meta.url)('zeromq')
/** A connection without a handshake is looked at after 1 s, and a silent far end for another one. */
const TIMEOUT_MS = 8000

const socketOf =
  (type, options = {}) =>
  async (t) => {
    const socket = new zeromq[type]({ linger: 0, ...options })
    t.after(() => socket.close())
    await socket.bind('tcp://127.0.0.1:*')
    return Number(socket.lastEndpoint.split(':').at(-1))
  }
const serverOf = (onSocket) => (t) => startServer(t, onSocket)
const GSSAPI = Buffer.from(GREETING)
GSSAPI.write('GSSAPI', 12, 'latin1')

const STRANGERS = [
  ['the listen port', socketOf('XPublisher'), 'a ZeroMQ socket of type XPUB answers'],
  ['the publish port', socketOf('XSubscriber'), 'a ZeroMQ socket of type XSUB answers'],
  ['GSSAPI', serverOf((socket) => socket.write(GSSAPI)), 'with the security mechanism GSSAPI answers'],
  ['silence', serverOf(() => {}), 'does not speak our protocol (it sends nothing) answers'],
  ['an end', serverOf((socket) => socket.end()), 'our protocol (it sends nothing) answers'],
  ['half a greeting', serverOf((socket) => socket.write(GREETING.subarray(0, 20))), 'something that began to speak ZeroMQ and stopped answers'],
  ['HTTP', serverOf((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n')), '(it sent "HTTP/1.1 400 Bad Request") answers'],
  ['Redis', serverOf((socket) => socket.on('data', () => socket.write('-ERR what?\r\n'))), '(it sent "-ERR what?\\r\\n") answers'],
] // prettier-ignore

for (const carrier of ['zmtp', 'libzmq']) {
  test(`${carrier}: who answers in place of a Synapse is named, and warned of once`, async (t) => {
    await Promise.all(
      STRANGERS.map(async ([name, start, says]) => {
        const port = await start(t)
        const warnings = []
        const logger = { warn: (text) => warnings.push(text) }
        const url = `cosmo://127.0.0.1:${port}`
        await assert.rejects(
          connectSynapse(url, { carrier, logger, timeoutMs: TIMEOUT_MS }),
          (error) => {
            assert.ok(error instanceof SynapseUnreachable, name)
            assert.ok(error.message.includes(says), `${name}: ${error.message}`)
            assert.ok(error.reason.endsWith(`at tcp://127.0.0.1:${port}, not a proxy`))
            assert.match(error.hint, /^check the URL against the one that 'cosmo synapse start'/)
            return true
          },
        )
        assert.equal(warnings.length, 1, `${name}: ${warnings}`)
        assert.ok(warnings[0].includes(says), warnings[0])
      }),
    )
  })

  test(`${carrier}: a ROUTER that says nothing is connected to, and slow`, async (t) => {
    const port = await socketOf('Router')(t)

    await assert.rejects(
      connectSynapse(`cosmo://127.0.0.1:${port}`, { carrier, timeoutMs: 1000 }),
      (error) =>
        error.reason ===
          `connected to tcp://127.0.0.1:${port}, but the greeting got no answer in time` &&
        error.hint.includes('allow more time with timeoutMs'),
    )
  })

  test(`${carrier}: a name that does not resolve is said to be one`, async () => {
    await assert.rejects(
      connectSynapse('cosmo://no-such-host.invalid', { carrier, timeoutMs: 1500 }),
      /the name no-such-host.invalid does not resolve; check the name no-such-host.invalid in the URL/,
    )
  })

  test(`${carrier}: a path where nobody listens is said to be one`, async () => {
    await assert.rejects(
      connectSynapse('cosmo+ipc:///no-such-folder/s.sock', { carrier, timeoutMs: 500 }),
      /no process listens at ipc:\/\/\/no-such-folder\/s.sock .* run 'cosmo synapse start --ipc \/no-such-folder\/s.sock'/,
    )
  })
}
