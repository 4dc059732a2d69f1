import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Bundler, isBundled } from '../../src/client/bundles.js'
import { NO_BODY, VERB, ZERO, item, packMessage, parseMessage } from '../../src/wire/wire.js'

const peerOf = (number) => Buffer.alloc(16, number)
const task = (number, body = NO_BODY) => item(VERB.TASK, { number, body })
const reply = (number, body = NO_BODY) => item(VERB.REPLY, { number, body })

test('the bundles of the vectors come out byte for byte', () => {
  const file = new URL('../../../../docs/spec/vectors.json', import.meta.url)
  const hex = (text) => Buffer.from(text, 'hex')
  for (const { name, singles, head, body } of JSON.parse(readFileSync(file, 'utf8')).bundles) {
    const bundler = new Bundler()
    for (const single of singles) {
      const { items, address, peer } = parseMessage(hex(single.head), hex(single.body))
      bundler.add(items[0], address, peer)
    }
    const [{ items, address, peer }] = bundler.take()
    const [madeHead, madeBody] = packMessage(items, address, peer)
    assert.equal(madeHead.toString('hex'), head, name)
    assert.equal(madeBody.toString('hex'), body, name)
  }
})

test('a bundle holds at most 63 items', () => {
  const bundler = new Bundler()
  for (let at = 0; at < 130; at++) bundler.add(task(at), 'a', ZERO)

  assert.deepEqual(
    bundler.take().map(({ items }) => items.length),
    [63, 63, 4],
  )
  assert.equal(bundler.count, 0)
  assert.deepEqual(bundler.take(), [])
})

test('the bodies of a bundle have at most 256 KiB together, and one of them at most 16 KiB', () => {
  const bundler = new Bundler()
  const body = Buffer.alloc(16 * 1024)
  for (let at = 0; at < 17; at++) bundler.add(reply(at, body), '', peerOf(1))

  assert.deepEqual(
    bundler.take().map(({ items }) => items.length),
    [16, 1],
  )
  assert.equal(isBundled(body), true)
  assert.equal(isBundled(Buffer.alloc(16 * 1024 + 1)), false)
})

const messages = fc.array(
  fc.record({
    isTask: fc.boolean(),
    target: fc.integer({ min: 0, max: 3 }),
    size: fc.constantFrom(0, 1, 16_384),
  }),
  { maxLength: 300, size: 'max' },
)
test('bundles keep every message, one target each, and the order within a target', () =>
  fc.assert(
    fc.property(messages, (script) => {
      const bundler = new Bundler()
      const wanted = new Map()
      script.forEach(({ isTask, target, size }, at) => {
        const each = (isTask ? task : reply)(at, Buffer.alloc(size))
        // a new Buffer each time, as they come from the network
        bundler.add(each, isTask ? `n${target}` : '', isTask ? ZERO : peerOf(target))
        const key = `${isTask} ${target}`
        wanted.set(key, [...(wanted.get(key) ?? []), at])
      })
      assert.equal(bundler.count, script.length)

      const got = new Map()
      for (const { items, address, peer } of bundler.take()) {
        const isTask = items[0].verb === VERB.TASK
        assert.ok(items.length <= 63)
        assert.ok(items.every((each) => each.verb === items[0].verb))
        assert.ok(items.reduce((sum, each) => sum + each.body.length, 0) <= 256 * 1024)
        const key = `${isTask} ${isTask ? address.slice(1) : peer[0]}`
        got.set(key, [...(got.get(key) ?? []), ...items.map((each) => each.number)])
      }
      assert.deepEqual(new Map([...got].sort()), new Map([...wanted].sort()))
    }),
    { numRuns: 30 },
  ))
