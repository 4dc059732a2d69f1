import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { InvalidArgument, InvalidName } from '../../src/errors.js'
import { addressOf, isName, readAddress } from '../../src/wire/addresses.js'

const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
const { addresses } = JSON.parse(readFileSync(file, 'utf8'))

for (const { address, name, capabilities } of [...addresses.valid, ...addresses.accepted_only])
  test(`the address ${address.slice(0, 40)} is read`, () => {
    const read = readAddress(address)
    assert.equal(read.name, name)
    assert.deepEqual(new Set(read.capabilities), new Set(capabilities))
  })
for (const hex of addresses.invalid)
  test(`the address ${hex.slice(0, 40)} is invalid`, () => {
    const text = /^([0-9a-f]{2})*$/.test(hex) ? Buffer.from(hex, 'hex').toString('latin1') : hex
    assert.equal(readAddress(text), null)
  })

test('one set of capabilities has one address', () => {
  assert.equal(addressOf(undefined, ['chat', 'a', 'chat']), '?a,chat')
  assert.equal(addressOf(undefined, new Set(['a', 'chat'])), '?a,chat')
  assert.equal(addressOf(undefined, 'chat'), '?chat')
})

test('what is no name is refused and shown', () => {
  for (const name of [
    '',
    '.',
    '..',
    'a b',
    'a/b',
    'a\n',
    'a\0',
    '\u202ea',
    'é',
    'x'.repeat(129),
    5,
  ])
    assert.throws(() => addressOf(name), InvalidName)
  assert.throws(() => addressOf(undefined, ['good', 'bad one']), /'bad one'/)
  assert.throws(() => addressOf(undefined, [null]), InvalidName)
})

test('an address needs a neuron or a capability, and has at most 4,096 bytes', () => {
  const many = Array.from({ length: 40 }, (_, i) => String(i).padStart(120, 'x'))
  assert.throws(() => addressOf(), InvalidArgument)
  assert.throws(() => addressOf(null, []), InvalidArgument)
  assert.throws(() => addressOf(undefined, many), /4096 bytes/)
  assert.equal(readAddress('?' + many.join(',')), null)
})

test('a name is text of 1 to 128 characters', () => {
  assert.ok(isName('x'.repeat(128)) && isName('...') && isName('A-z_0.9'))
  assert.ok(!isName(undefined) && !isName(5) && !isName(['a']))
})
