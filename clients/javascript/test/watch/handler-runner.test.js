import test from 'node:test'
import assert from 'node:assert/strict'
import { HandlerRunner, QUEUE_LIMIT } from '../../src/dendrite/watch/handler-runner.js'
import { makeHandler } from '../../src/dendrite/watch/handlers.js'
import { Log, handled, signalOf, until } from './support.js'

function runnerOf(fn, more) {
  const counts = {}
  const log = new Log()
  return { runner: new HandlerRunner(makeHandler(fn, ['PLAN'], more), counts, log), counts, log }
}
const plans = (count) =>
  Array.from({ length: count }, (_, i) => signalOf('PLAN', { payload: { i } }))

test('a handler is called in order, and not within the call that gives it a Signal', async () => {
  const seen = []
  const { runner } = runnerOf((signal) => seen.push(signal.payload.i))

  for (const each of plans(5)) runner.put(each)

  assert.deepEqual(seen, [])
  await handled()
  assert.deepEqual(seen, [0, 1, 2, 3, 4])
})

test('a handler that returns a promise gets the next Signal when it settles', async () => {
  const seen = []
  const { runner } = runnerOf(async ({ payload: { i } }) => {
    seen.push(`begin ${i}`)
    await handled()
    seen.push(`end ${i}`)
  })

  for (const each of plans(2)) runner.put(each)

  await until(() => seen.length === 4)
  assert.deepEqual(seen, ['begin 0', 'end 0', 'begin 1', 'end 1'])
})

test('what a handler throws or rejects with is counted, and said once with its name', async () => {
  const fault = new Error('mine')
  const throws = () => {
    throw fault
  }
  const thenable = Object.defineProperty({}, 'then', { get: throws })
  for (const how of [throws, async () => throws(), () => thenable]) {
    const broken = (signal) => how(signal)
    const { runner, counts, log } = runnerOf(broken)
    for (const each of plans(3)) runner.put(each)
    await until(() => counts.handler_raised === 3)
    assert.equal(log.lines.length, 1)
    const [[text, error]] = log.lines
    assert.match(text, /^handler broken threw on PLAN of trace trc_/)
    assert.equal(error, fault)
  }
})

test('one who waits for the end of a Signal is told, whatever becomes of it', async () => {
  const ended = []
  const { runner } = runnerOf(({ payload: { i } }) => {
    if (i === 1) throw new Error('mine')
  })
  for (const each of plans(3)) runner.put(each, () => ended.push(each.payload.i))
  await until(() => ended.length === 3)
  assert.deepEqual(ended, [0, 1, 2])
})

test('a handler that never ends holds 32,768 Signals, and further ones are dropped', async () => {
  const { runner, counts, log } = runnerOf(() => new Promise(() => {}))
  const [plan] = plans(1)
  let told = 0
  runner.put(plan)
  await handled()

  for (let i = 0; i < QUEUE_LIMIT; i++) runner.put(plan)
  for (let i = 0; i < 3; i++) runner.put(plan, () => told++)

  assert.equal(counts['drop.handler_queue_full'], 3)
  assert.equal(told, 3)
  assert.equal(log.lines.length, 1)
  assert.match(log.lines[0][0], /too slow/)
})

test('a handler that is retired is called no more, and who waits for it is told', async () => {
  const seen = []
  const ended = []
  const { runner } = runnerOf((signal) => seen.push(signal))
  for (const each of plans(3)) runner.put(each, () => ended.push(each.payload.i))

  runner.retire()

  assert.deepEqual(ended, [0, 1, 2])
  await handled()
  assert.deepEqual(seen, [])
})

test('a handler may retire itself, and be given Signals while it runs', async () => {
  const seen = []
  const all = plans(4)
  const { runner } = runnerOf((signal) => {
    seen.push(signal.payload.i)
    if (signal.payload.i === 0) runner.put(all[1])
    if (signal.payload.i === 1) runner.retire()
  })
  runner.put(all[0])
  await handled()
  assert.deepEqual(seen, [0, 1])
  runner.put(all[2])
  await handled()
  assert.deepEqual(seen, [0, 1, 2])
})

test('a handler without end does not keep the loop from its timers', async () => {
  let calls = 0
  const [plan] = plans(1)
  const { runner } = runnerOf(async () => {
    calls++
    runner.put(plan) // there is always one more
  })
  runner.put(plan)

  await new Promise((resolve) => setTimeout(resolve, 1))

  assert.ok(calls > 0)
  runner.retire()
})

test('a direct handler is called at once, and what it throws goes no further', () => {
  const seen = []
  const direct = runnerOf((signal) => seen.push(signal), { direct: true })
  const broken = runnerOf(
    () => {
      throw new Error('mine')
    },
    { direct: true },
  )
  const [plan] = plans(1)

  direct.runner.put(plan)
  broken.runner.put(plan)

  assert.deepEqual(seen, [plan])
  assert.equal(broken.counts.handler_raised, 1)
})
