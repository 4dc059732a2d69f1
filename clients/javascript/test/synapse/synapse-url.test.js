// Synapse URLs.
import assert from 'node:assert/strict'
import test from 'node:test'
import { InvalidUrl } from '../../src/errors.js'
import { DEFAULT_URL, parseUrl, urlOf } from '../../src/synapse-url.js'

const GOOD = [
  ['cosmo://127.0.0.1:7070', '127.0.0.1', 7070],
  ['cosmo://example.org', 'example.org', 7070],
  ['cosmo://example.org:', 'example.org', 7070],
  ['cosmo://example.org/', 'example.org', 7070],
  ['cosmo://localhost:1', 'localhost', 1],
  ['COSMO://Example.org:65535', 'example.org', 65535],
  ['cosmo://[::1]:7071', '::1', 7071],
  ['cosmo://[FE80::1%eth0]', 'fe80::1%eth0', 7070],
  ['cosmo://[fe80::1%25eth0]:1', 'fe80::1%eth0', 1],
]
for (const [url, host, port] of GOOD) {
  test(`${url} names host and port`, () => {
    const endpoint = parseUrl(url)

    assert.deepEqual({ ...endpoint }, { host, port })
    assert.deepEqual(parseUrl(urlOf(endpoint)), endpoint)
  })
}

const BAD = [
  ['', 'no scheme'],
  ['127.0.0.1:7070', 'no scheme'],
  ['localhost:7070', 'no scheme'],
  ['http://host:1', "'http' is unknown (a Synapse does not speak HTTP)"],
  ['memory://a', "'memory' is unknown (a Synapse within this process exists in Python only)"],
  ['nats://a:4222', "'nats' is unknown (a fabric on NATS is reached from Python only)"],
  ['tls://a:4222', "'tls' is unknown (a fabric on NATS is reached from Python only)"],
  ['ipc:///run/s', "'ipc' is unknown (for a Unix socket write cosmo+ipc://)"],
  ['tcp://host:1', "'tcp' is unknown;"],
  ['constructor://host', "'constructor' is unknown;"],
  ['cosmo://', 'no host'],
  ['cosmo:host', 'no host'],
  ['cosmo://:7070', 'no host'],
  ['cosmo://host:0', 'port 0'],
  ['cosmo://host:99999', "the port '99999' is not a number from 1 to 65535"],
  ['cosmo://host:x', "the port 'x'"],
  ['cosmo://host:-1', "the port '-1'"],
  ['cosmo://host:1e3', "the port '1e3'"],
  ['cosmo://host/path', 'nothing may follow'],
  ['cosmo://host?a=b', 'nothing may follow'],
  ['cosmo://host#a', 'nothing may follow'],
  ['cosmo://my host', "'my host' is not the name of a host"],
  ['cosmo://[::1]7070', 'in brackets'],
  ['cosmo://::1', 'in brackets'],
  ['cosmo://fe80::1:7070', 'in brackets'],
  ['cosmo://[::1', 'in brackets'],
  ['cosmo://[here]:7070', "'here' is not an IPv6 address"],
  ['cosmo://host:1:2', 'in brackets'],
  [null, 'of type null, not a text'],
  [7070, 'of type Number'],
  [new URL('cosmo://host'), 'of type URL'],
]
for (const [url, says] of BAD) {
  test(`${String(url) || 'an empty text'} is refused with its bad part`, () => {
    assert.throws(
      () => parseUrl(url),
      (error) =>
        error instanceof InvalidUrl &&
        error.message.includes(says) &&
        error.message.includes(DEFAULT_URL),
    )
  })
}

for (const url of [
  'cosmo://a,u:s3cret@b',
  'cosmo://u:s3cret@host',
  'http://u:s3cret@host',
  'cosmo://s3cret@host:99999',
]) {
  test(`the password of ${url.replace('s3cret', '...')} is refused and not shown`, () => {
    assert.throws(
      () => parseUrl(url),
      (error) => /user or a password/.test(error.message) && !error.message.includes('s3cret'),
    )
  })
}

const letters = (text) => [...text].map((each) => [each, 7070])
const LISTS = [
  ['cosmo://a:7070,b:7071', [['a', 7070], ['b', 7071]]],
  ['cosmo://a,B', letters('ab')],
  ['COSMO://a,b/', letters('ab')],
  ['cosmo://[::1],[fe80::1%25eth0]:1,c', [['::1', 7070], ['fe80::1%eth0', 1], ['c', 7070]]],
  ['cosmo://a:1,b:1,A:1,a:2', [['a', 1], ['b', 1], ['a', 2]]],
  [`cosmo://${[...'abcdefghijklmnopa'].join(',')}`, letters('abcdefghijklmnop')],
] // prettier-ignore
for (const [url, places] of LISTS) {
  test(`${url} lists places in their order, each once`, () => {
    const target = parseUrl(url)

    assert.deepEqual(
      target.places.map(({ host, port }) => [host, port]),
      places,
    )
    assert.deepEqual(parseUrl(urlOf(target)), target)
  })
}

for (const url of ['cosmo://a,a', 'cosmo://a:7070,A', 'cosmo://a,a:7070,a']) {
  test(`${url} lists one place, and is that place`, () => {
    assert.deepEqual({ ...parseUrl(url) }, { host: 'a', port: 7070 })
  })
}

const BAD_LISTS = [
  ['cosmo://a,', 'place 2 of the list is empty'],
  ['cosmo://,b', 'place 1 of the list is empty'],
  ['cosmo://a,,c', 'place 2 of the list is empty'],
  ['cosmo://a, b', 'place 2 of the list has a space beside it'],
  ['cosmo://a,cosmo://b', 'place 2 of the list repeats the scheme'],
  ['cosmo://a,b:99999', "place 2 of the list, 'b:99999': the port '99999'"],
  ['cosmo://a:x,b', "place 1 of the list, 'a:x': the port 'x'"],
  ['cosmo://a,:7070', "place 2 of the list, ':7070': it names no host"],
  ['cosmo://a,b:0', "place 2 of the list, 'b:0': port 0"],
  ['cosmo://a,::1', "place 2 of the list, '::1': an IPv6 address stands in brackets"],
  ['cosmo://a/x,b', "place 1 of the list, 'a/x': nothing may follow the port"],
  ['cosmo://a,b?c=d', "place 2 of the list, 'b?c=d': nothing may follow the port"],
  ['cosmo://a,AUTO', "place 2 of the list is 'auto', which stands alone"],
  ['http://a,b', "the scheme 'http' is unknown"],
  [`cosmo://${[...'abcdefghijklmnopq'].join(',')}`, '17 places, and at most 16'],
]
for (const [url, says] of BAD_LISTS) {
  test(`${url} is refused with its bad place`, () => {
    assert.throws(
      () => parseUrl(url),
      (error) => error instanceof InvalidUrl && error.message.includes(says),
    )
  })
}

for (const url of ['cosmo://auto', 'cosmo://AUTO/', 'cosmo://auto/prod', 'cosmo://auto:7070']) {
  test(`${url} is refused in one line: name a URL or a context`, () => {
    assert.throws(
      () => parseUrl(url),
      (error) =>
        /looks for a Synapse on the LAN, .* name one by its URL, or by a context/.test(
          error.message,
        ) && !error.message.includes('\n'),
    )
  })
}

const PATHS = [
  ['cosmo+ipc:///run/cosmo.sock', '/run/cosmo.sock'],
  ['COSMO+IPC:///Run/Cosmo.sock', '/Run/Cosmo.sock'],
  ['cosmo+ipc:///a b/50%25?x=1#y@z', '/a b/50%25?x=1#y@z'],
  ['cosmo+ipc:///run/\u00e4', '/run/\u00e4'],
  [`cosmo+ipc:///${'x'.repeat(98)}`, `/${'x'.repeat(98)}`],
]
for (const [url, path] of PATHS) {
  test(`${url.slice(0, 40)} names a path as it stands`, () => {
    const endpoint = parseUrl(url)

    assert.equal(endpoint.path, path)
    assert.deepEqual(parseUrl(urlOf(endpoint)), endpoint)
  })
}

const BAD_PATHS = [
  ['cosmo+ipc:', '// is missing'],
  ['cosmo+ipc:/run/cosmo.sock', '// is missing'],
  ['cosmo+ipc://', 'names no path'],
  ['cosmo+ipc://run/cosmo.sock', "'run/cosmo.sock' is not absolute"],
  ['cosmo+ipc://@abstract', 'not absolute'],
  ['cosmo+ipc:///run/', 'directory'],
  ['cosmo+ipc:///run/a\0b', 'printed'],
  ['cosmo+ipc:///run/a\nb', 'printed'],
  ['cosmo+ipc:///run/\udcff', 'printed'],
  ['cosmo+ipc:///run/a\u00a0b', 'printed'],
  [`cosmo+ipc:///${'x'.repeat(99)}`, '100 bytes and at most 99 fit: a Unix socket allows 107'],
  [`cosmo+ipc:///${'\u00e4'.repeat(50)}`, '101 bytes'],
]
for (const [url, says] of BAD_PATHS) {
  test(`${JSON.stringify(url).slice(0, 40)} is refused with what to write`, () => {
    assert.throws(
      () => parseUrl(url),
      (error) =>
        error instanceof InvalidUrl &&
        error.message.includes(says) &&
        error.message.includes('cosmo+ipc:///run/cosmo.sock'),
    )
  })
}
