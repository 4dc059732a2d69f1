// Where proxies are: places, lists of them, and what a proxy names.
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  IpcEndpoint,
  TcpEndpoint,
  TcpEndpoints,
  endpointIn,
  placesOf,
} from '../../src/carriers/endpoints.js'

const A = new TcpEndpoint('10.0.0.1', 7070)
const B = new TcpEndpoint('fe80::1', 7171)

test('a list has its places in order, and a place is a list of itself', () => {
  const both = new TcpEndpoints([A, B])

  assert.equal(String(both), 'tcp://10.0.0.1:7070,[fe80::1]:7171')
  assert.deepEqual(placesOf(both), [A, B])
  assert.deepEqual(placesOf(A), [A])
  assert.equal(placesOf(new IpcEndpoint('/s')).length, 1)
})

const NAMED = [
  ['cosmo://10.0.0.1:7070', 'tcp://10.0.0.1:7070'],
  ['cosmo://[fe80::1%eth0]:1/', 'tcp://[fe80::1%eth0]:1'],
  ['cosmo://Host-2.lan:65535', 'tcp://host-2.lan:65535'],
  ['cosmo://10.0.0.1', null],
  ['cosmo://10.0.0.1:0', null],
  ['cosmo://10.0.0.1:65536', null],
  ['cosmo://[dead:7070', null],
  ['cosmo://[::::]:7070', null],
  ['cosmo://u:p@host:7070', null],
  ['cosmo://a:1,b:1', null],
  ['cosmo+ipc:///run/s', null],
  ['cosmo://a:1\n', null],
  [`cosmo://${'a'.repeat(254)}:1`, null],
  ['', null],
]
for (const [url, place] of NAMED) {
  test(`a proxy that names ${JSON.stringify(url.slice(0, 30))} names ${place ?? 'no place'}`, () => {
    const found = endpointIn(url)

    assert.equal(found === null ? null : String(found), place)
  })
}
