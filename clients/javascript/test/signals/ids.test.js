import test from 'node:test'
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { BadSignal } from '../../src/errors.js'
import { blake2b16, instanceOf } from '../../src/signals/blake2b.js'
import { bytesId, idBytes, isId, newEventId, newTraceId } from '../../src/signals/ids.js'

test('new ids are ids, and all different', () => {
  const ids = new Set()
  for (let i = 0; i < 100_000; i++) ids.add(newEventId())
  assert.equal(ids.size, 100_000)
  assert.ok([...ids].every(isId))
  assert.ok(newTraceId().startsWith('trc_') && isId(newTraceId()))
})

test('the first eight characters distinguish the traces of one process', () => {
  const heads = new Set()
  for (let i = 0; i < 262_144; i++) heads.add(newTraceId().slice(0, 8))
  assert.equal(heads.size, 262_144)
})

test('another thread has a random part of its own', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads'
    const { newTail } = await import(${JSON.stringify(new URL('../../src/signals/ids.js', import.meta.url).href)})
    parentPort.postMessage(newTail())`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const [theirs] = await once(worker, 'message')
  assert.notEqual(theirs.slice(4, 16), newEventId().slice(8, 20))
})

test('bytes and text of an id are the same', () => {
  const id16 = fc.uint8Array({ minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(id16, (bytes) => {
      const text = bytesId('evt_', bytes)
      assert.ok(isId(text))
      assert.deepEqual(idBytes(text), Buffer.from(bytes))
    }),
  )
})

test('what is no id is refused', () => {
  const good = newEventId()
  for (const bad of ['', good.slice(1), good + '0', good.toUpperCase(), good.slice(0, -1) + 'w'])
    assert.throws(() => idBytes(bad), BadSignal)
  const places = ['evt_8' + good.slice(5), 'evt-' + good.slice(4), good.slice(0, 29) + 'é']
  for (const bad of [...places, good.slice(0, 10) + 'İ' + good.slice(11), 5, null, undefined])
    assert.throws(() => idBytes(bad), /not an id/)
  fc.assert(
    fc.property(fc.string({ minLength: 30, maxLength: 30, unit: 'binary' }), (text) => {
      if (!isId(text)) assert.throws(() => idBytes(text), BadSignal)
    }),
  )
})

test('the hash is that of RFC 7693', () => {
  // Any size of output is another function; only the structure is shared, so that both are tested:
  // the vectors of the specification hold the sixteen bytes.
  assert.equal(blake2b16(Buffer.from('abc'), '').length, 16)
  assert.equal(
    blake2b16(Buffer.from('abc'), '').toString('hex'),
    'cf4ab791c62b8d2b2109c90275287816',
  )
  assert.ok(createHash('blake2b512').update('abc').digest('hex').startsWith('ba80a53f'))
  assert.throws(() => blake2b16(Buffer.alloc(129), ''), RangeError)
  assert.throws(() => blake2b16(Buffer.alloc(1), 'x'.repeat(17)), RangeError)
})

test('a secret has one instance id', () => {
  const secret = Buffer.from('5ec2e75ec2e75ec2e75ec2e75ec2e75e', 'hex')
  assert.equal(instanceOf(secret).toString('hex'), 'd604de678750d06b4dac17b87312cbf7')
})
