import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Counts } from '../../src/client/counts.js'
import { Outbox } from '../../src/client/outbox.js'
import { KEEP, RUN, VERB, ZERO, item } from '../../src/wire/wire.js'

const message = (name, { verb = VERB.REPLY, number = 0, size = 0 } = {}) => ({
  items: [item(verb, { number, body: Buffer.alloc(size), task: idOf(name) })],
  address: String(name),
  peer: ZERO,
})
const idOf = (name) => Buffer.from(String(name).padStart(16, '.'))
const made = (limits) => {
  const counts = new Counts()
  return { counts, outbox: new Outbox(counts, limits) }
}
/** The names of what goes out, in order. */
function sentOf(outbox, nowMs = 0) {
  const names = []
  for (let next = outbox.first(nowMs); next !== null; next = outbox.first(nowMs)) {
    names.push(next.address)
    outbox.sent()
  }
  return names
}

test('messages go out in the order in which they came', () => {
  const { outbox } = made()
  for (let at = 0; at < 5000; at++) outbox.push(message(at), 0)

  const names = sentOf(outbox)

  assert.deepEqual(
    names,
    Array.from({ length: 5000 }, (_, at) => String(at)),
  )
  assert.deepEqual([outbox.length, outbox.bytes], [0, 0])
})

test('by default 20,000 messages have room, and one more is counted and not kept', () => {
  const { outbox, counts } = made()
  for (let at = 0; at < 20_000; at++) assert.equal(outbox.push(message(at), 0), true)

  assert.equal(outbox.push(message('over'), 0), false)
  assert.equal(outbox.length, 20_000)
  assert.deepEqual(counts.toObject(), { 'drop.outbox_full': 1 })
})

test('by default 256 MiB have room, 200 bytes for each head included', () => {
  const { outbox } = made()
  const size = 128 * 2 ** 20 - 200

  assert.equal(outbox.push(message('a', { size }), 0), true)
  assert.equal(outbox.push(message('b', { size: size + 1 }), 0), false)
  assert.equal(outbox.push(message('b', { size }), 0), true)
  assert.equal(outbox.push(message('c'), 0), false)
  assert.equal(outbox.bytes, 256 * 2 ** 20)
})

test('what was accepted already may go over the bound', () => {
  const { outbox } = made({ maxMessages: 1 })
  outbox.push(message('a'), 0)
  outbox.pushAccepted(message('b'), 0)
  outbox.putBack(message('c'), 0)
  outbox.putFirst([message('d')], 0)

  assert.equal(outbox.length, 4)
  assert.equal(outbox.push(message('e'), 0), false)
})

test('what came back goes out first and in its old order, an earlier return behind it', () => {
  const { outbox } = made()
  outbox.push(message('waits'), 0)
  outbox.putBack(message('1'), 0)
  outbox.putBack(message('2'), 0)
  assert.equal(outbox.first(0).address, '1')
  outbox.putBack(message('3'), 0)
  outbox.putBack(message('4'), 0)
  outbox.putFirst([message('list'), message('end')], 0)

  assert.deepEqual(sentOf(outbox), ['list', 'end', '3', '4', '1', '2', 'waits'])
})

test('the time of a TASK runs on while it waits, and without any left it does not leave', () => {
  const { outbox, counts } = made()
  outbox.push(message('late', { verb: VERB.TASK, number: 100 }), 1000)
  outbox.push(message('task', { verb: VERB.TASK, number: 5000 }), 1000)
  outbox.push(message('reply', { number: 3 }), 1000)

  const [first] = outbox.first(1100.4).items

  assert.equal(first.number, 4899)
  assert.deepEqual(sentOf(outbox, 1100.4), ['task', 'reply'])
  assert.deepEqual(counts.toObject(), { 'drop.expired_in_outbox': 1 })
})

test('no task that waits says that its caller reads runs, once that is over', () => {
  const outbox = new Outbox(new Counts())
  const asking = (verb, flags) => ({
    items: [item(verb, { number: 5, flags })],
    address: '',
    peer: ZERO,
  })
  outbox.putBack(asking(VERB.TASK, RUN), 0)
  outbox.putFirst([asking(VERB.RESEND, RUN)], 0)
  outbox.putBack(asking(VERB.TASK, RUN | KEEP), 0)
  outbox.push(asking(VERB.TASK, KEEP), 0)

  outbox.withoutRuns()

  const left = []
  while (outbox.length > 0) {
    left.push(outbox.first(0).items[0].flags)
    outbox.sent()
  }
  assert.deepEqual(left, [KEEP, RUN, 0, KEEP])
})

test('the tasks that wait are known, wherever they wait', () => {
  const { outbox } = made()
  for (const [name, put] of [
    ['a', (each) => outbox.push(each, 0)],
    ['b', (each) => outbox.putBack(each, 0)],
    ['c', (each) => outbox.putFirst([each], 0)],
  ])
    put(message(name, { verb: VERB.TASK, number: 9 }))
  outbox.putBack(message('d', { verb: VERB.TASK, number: 9 }), 0)
  outbox.push(message('reply'), 0)

  const wanted = ['a', 'b', 'c', 'd'].map((each) => idOf(each).latin1Slice(0, 16))
  assert.deepEqual([...outbox.tasks()].sort(), wanted.sort())
})

const MAX = 4
/** The same by the words of the page, in one array for each place. */
class Model {
  comingBack = []
  returned = []
  waiting = []
  get all() {
    return [...this.comingBack, ...this.returned, ...this.waiting]
  }
  merge() {
    this.returned.unshift(...this.comingBack)
    this.comingBack = []
  }
}
const commands = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('push'), ttl: fc.option(fc.integer({ min: 1, max: 9 })) }),
    fc.record({ does: fc.constantFrom('accepted', 'back', 'first', 'sent') }),
    fc.record({ does: fc.constant('wait'), ms: fc.integer({ min: 0, max: 5 }) }),
  ),
  { maxLength: 60, size: 'max' },
)
test('an outbox does what the page says, in any order of calls', () =>
  fc.assert(
    fc.property(commands, (script) => {
      const { outbox } = made({ maxMessages: MAX })
      const model = new Model()
      let nowMs = 0
      const next = () => {
        model.merge()
        for (;;) {
          const from = model.returned.length > 0 ? model.returned : model.waiting
          if (from.length === 0 || from[0].endMs > nowMs) return from
          from.shift()
        }
      }
      script.forEach(({ does, ttl, ms }, at) => {
        const name = String(at)
        const asked = message(name, ttl ? { verb: VERB.TASK, number: ttl } : {})
        const entry = { name, endMs: ttl ? nowMs + ttl : Infinity }
        if (does === 'wait') nowMs += ms
        else if (does === 'push') {
          const fits = model.all.length < MAX
          if (fits) model.waiting.push(entry)
          assert.equal(outbox.push(asked, nowMs), fits)
        } else if (does === 'accepted') {
          model.waiting.push(entry)
          outbox.pushAccepted(asked, nowMs)
        } else if (does === 'back') {
          model.comingBack.push(entry)
          outbox.putBack(asked, nowMs)
        } else if (does === 'first') {
          model.merge()
          model.returned.unshift(entry)
          outbox.putFirst([asked], nowMs)
        } else {
          const from = next()
          assert.equal(outbox.first(nowMs)?.address, from[0]?.name)
          if (from.length > 0) {
            from.shift()
            outbox.sent()
          }
        }
        assert.equal(outbox.length, model.all.length)
        assert.equal(outbox.bytes, 200 * model.all.length)
      })
    }),
    { numRuns: 200 },
  ))

test('20,000 messages leave from the front without moving the rest each time', () => {
  const { outbox } = made()
  for (let at = 0; at < 20_000; at++) outbox.push(message(at), 0)
  const before = process.cpuUsage()

  sentOf(outbox)

  const { user } = process.cpuUsage(before)
  assert.ok(user < 400_000, `it took ${user} us`) // removing by splice takes seconds
})
