// The texts about a Synapse that is out of reach.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Cause, Diagnosis, FailedAttempts, Fault } from '../../src/carriers/diagnosis.js'
import { IpcEndpoint, TcpEndpoint, TcpEndpoints } from '../../src/carriers/endpoints.js'

const { CLOSED_PORT, NO_ANSWER, STRANGER } = Fault
const SUMMARIES = [
  [[], Cause.NO_ANSWER, 'no connection came about yet'],
  [[['a', CLOSED_PORT]], Cause.NOBODY, 'no process listens at a (1 try)'],
  [[['a', NO_ANSWER]], Cause.NO_ANSWER, 'a does not accept a connection (1 try)'],
  [
    [['a', CLOSED_PORT], ['b', NO_ANSWER], ['a', CLOSED_PORT]],
    Cause.NOBODY,
    'no process listens at a, and b does not accept a connection (3 tries)',
  ],
  [
    [['a', STRANGER], ['b', CLOSED_PORT], ['c', STRANGER]],
    Cause.STRANGER,
    'something that does not speak our protocol (or hangs) answers at a and c, not a proxy',
  ],
  [[['a', STRANGER, 'a web server']], Cause.STRANGER, 'a web server answers at a, not a proxy'],
] // prettier-ignore
for (const [faults, cause, reason] of SUMMARIES) {
  test(`${faults.length} failed attempts: ${reason}`, () => {
    const record = new FailedAttempts()
    for (const each of faults) record.add(...each)

    assert.deepEqual(record.summary(), [cause, reason])
  })
}

test('a connection makes all failed attempts forgotten', () => {
  const record = new FailedAttempts()
  record.add('a', STRANGER, 'a web server')
  record.clear()

  assert.equal(record.summary()[1], 'no connection came about yet')
  record.add('a', STRANGER)
  assert.doesNotMatch(record.summary()[1], /web server/)
})

test('proxies that stand by are told first, with the others that they name', () => {
  const record = new FailedAttempts()
  record.add('a', CLOSED_PORT)
  record.addStandby('b', ['cosmo://a:1', 'cosmo://c:1'])
  const [cause, reason] = record.summary(['x', 'y'])

  assert.equal(cause, Cause.STANDBY)
  assert.equal(
    reason,
    'b stands by and lets nobody in, the others of its fabric are cosmo://a:1 and cosmo://c:1; ' +
      'no process listens at a (2 tries), and the names x and y do not resolve',
  )
  record.addStandby('d', ['cosmo://c:1', 'cosmo://e:1'])
  assert.match(record.summary()[1], /^b and d stand by and let nobody in, .* are cosmo:\/\/c:1 and cosmo:\/\/e:1 and cosmo:\/\/a:1;/) // prettier-ignore
  record.forget('b') // it is connected, which a standby may be as well
  assert.match(record.summary()[1], /^b and d stand by/)
  record.forget('a')
  assert.match(record.summary()[1], /cosmo:\/\/a:1$/)
  record.clear()
  record.addStandby('b', [])
  assert.equal(record.summary()[1], 'b stands by and lets nobody in')
})

const HERE = new TcpEndpoint('127.0.0.1', 7070)
const THERE = new TcpEndpoint('example.org', 7070)
const PATH = new IpcEndpoint("/run/it's.sock")
const LIST = new TcpEndpoints([new TcpEndpoint('10.0.0.1', 7070), new TcpEndpoint('::2', 7171)])
const REMEDIES = [
  [
    Cause.NOBODY,
    LIST,
    /^on 10.0.0.1 run 'cosmo synapse start --keys --host 10.0.0.1 --port 7070 --peer cosmo:\/\/\[::2\]:7171', on the o/,
  ],
  [
    Cause.NO_ANSWER,
    LIST,
    /^check that 10.0.0.1 or ::2 is on, .* the port in the URL, and those 2 /,
  ],
  [Cause.NAME, LIST, /^check the name 10.0.0.1 or ::2 in the URL/],
  [Cause.STANDBY, LIST, /^start the Synapse that led, or let this client reach it/],
  [Cause.STANDBY, PATH, /over the network use a URL that lists both$/],
  [Cause.NOBODY, HERE, /^run 'cosmo synapse start --port 7070', or check the URL/],
  [Cause.NOBODY, new TcpEndpoint('::1', 1), /^run 'cosmo synapse start --host ::1 --port 1'/],
  [
    Cause.NOBODY,
    THERE,
    /^on example.org run 'cosmo synapse start --keys --host example.org --port 7070'/,
  ],
  [Cause.NAME, THERE, /^check the name example.org in the URL, and the name server/],
  [Cause.NO_ANSWER, THERE, /example.org is on, and .* firewall lets the ports 7070, 7072 and 7073/],
  [Cause.STRANGER, HERE, /^check the URL against the one that 'cosmo synapse start' prints/],
  [Cause.BROADCAST, HERE, /^open all of the ports 7070, 7072 and 7073 of 127.0.0.1/],
  [Cause.SLOW, HERE, /allow more time with timeoutMs$/],
  [Cause.SLOW, PATH, /allow more time with timeoutMs$/],
  [Cause.NOBODY, PATH, /^on this machine run 'cosmo synapse start --ipc '\/run\/it'"'"'s.sock''/],
  [Cause.BARRED, new IpcEndpoint('/s'), /^on this machine run 'cosmo synapse start --ipc \/s'/],
]
for (const [cause, endpoint, says] of REMEDIES) {
  test(`the remedy of ${cause} at ${endpoint} says what to do`, () => {
    const diagnosis = new Diagnosis(cause, 'seen', endpoint)

    assert.match(diagnosis.hint, says)
    assert.equal(String(diagnosis), `seen; ${diagnosis.hint}`)
  })
}
