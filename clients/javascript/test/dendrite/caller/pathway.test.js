// A Pathway without a Dendrite: what its readers see, in what order, and how they end.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { Pathway } from '../../../src/dendrite/caller/pathway.js'
import { InvalidArgument, PathwayClosedError, TimeoutError } from '../../../src/errors.js'
import { Signal } from '../../../src/signals/signals.js'

const task = new Signal({ type: 'TASK', payload: { input: 1 } })
const thought = (delta, more) => task.reply('THOUGHT_DELTA', { delta, ...more })
const output = () => task.reply('AGENT_OUTPUT', { output: { ok: true } })
const question = () => task.reply('CLARIFICATION', { question: 'which?' })

function made(hooks) {
  return new Pathway(task.traceId, { task, ...hooks })
}

async function all(iterable) {
  const got = []
  for await (const each of iterable) got.push(each.type ?? each)
  return got
}

test('every reader sees every Signal from the first on, and the loops end by themselves', async () => {
  const pathway = made()
  const early = all(pathway)
  const heard = []
  pathway.on((signal) => heard.push(signal.type))
  pathway.take(thought('a'))
  await turn()
  pathway.take(thought('b'))
  const end = output()
  pathway.take(end)
  pathway.end(end)

  const expected = ['THOUGHT_DELTA', 'THOUGHT_DELTA', 'AGENT_OUTPUT']
  assert.deepEqual(await early, expected)
  assert.deepEqual(await all(pathway), expected) // after the end, too
  assert.deepEqual(await all(pathway.thoughts()), ['a', 'b'])
  assert.deepEqual(heard, expected)
  assert.equal(await pathway.outcome(), end)
  assert.equal(pathway.closed, true)
})

test('thoughts leave reasoning out', async () => {
  const pathway = made()
  pathway.take(thought('hm', { kind: 'reasoning' }))
  pathway.take(thought('yes'))
  pathway.end(null)
  assert.deepEqual(await all(pathway.thoughts()), ['yes'])
})

test('wait gives the next Signal that no wait has given, waitFor the next of its type', async () => {
  const pathway = made()
  const first = pathway.wait()
  const plan = pathway.waitFor('PLAN')
  pathway.take(thought('a'))
  pathway.take(task.reply('PLAN', { steps: [1] }))
  pathway.end(null)
  assert.equal((await first).payload.delta, 'a')
  assert.equal((await plan).type, 'PLAN')
  assert.equal((await pathway.wait()).type, 'PLAN')
  await assert.rejects(pathway.wait(), (error) => {
    assert.ok(error instanceof PathwayClosedError)
    assert.match(error.message, /^Pathway\(trc_.{26}, caller, all, closed\) has no Signal left$/)
    return true
  })
  await assert.rejects(pathway.waitFor('PLAN'), PathwayClosedError)
  await assert.rejects(pathway.outcome(), PathwayClosedError)
})

test('two waits at once get one Signal each', async () => {
  const pathway = made()
  const both = Promise.all([pathway.wait(), pathway.wait()])
  pathway.take(thought('a'))
  pathway.take(thought('b'))
  assert.deepEqual(
    (await both).map((each) => each.payload.delta),
    ['a', 'b'],
  )
})

test('a wait ends at its time, or at its signal, and leaves the Pathway as it was', async () => {
  const pathway = made()
  const reason = new Error('enough')
  const aborter = new AbortController()
  const aborted = pathway.wait({ signal: aborter.signal })
  const waited = pathway.waitFor('PLAN', { timeoutMs: 1 })
  aborter.abort(reason)
  await assert.rejects(aborted, reason)
  await assert.rejects(waited, (error) => {
    assert.ok(error instanceof TimeoutError)
    assert.match(error.message, /^no PLAN on Pathway\(.*, open\) within 1 ms$/)
    return true
  })
  await assert.rejects(pathway.wait({ signal: AbortSignal.abort(reason) }), reason)
  await assert.rejects(pathway.wait({ timeoutMs: 'soon' }), InvalidArgument)
  pathway.take(thought('a'))
  assert.equal((await pathway.wait()).payload.delta, 'a')
})

test('a wait of 40 days does not end at once', async () => {
  const pathway = made()
  const waiting = pathway.wait({ timeoutMs: 40 * 86_400_000 })
  await turn()
  pathway.take(thought('a'))
  assert.equal((await waiting).payload.delta, 'a')
})

test('break leaves the loop, and neither cancels nor closes', async () => {
  let cancels = 0
  const pathway = made({ cancel: () => cancels++ })
  pathway.take(thought('a'))
  for await (const each of pathway) {
    assert.equal(each.payload.delta, 'a')
    break
  }
  assert.equal(cancels, 0)
  assert.equal(pathway.closed, false)
})

test('close cancels once, ends every reader, and may be called again', async () => {
  const calls = []
  const pathway = made({ cancel: () => calls.push('cancel'), ended: () => calls.push('ended') })
  const reading = all(pathway)
  const waiting = assert.rejects(pathway.wait(), PathwayClosedError)
  await turn()
  pathway.close()
  await pathway[Symbol.asyncDispose]()
  pathway.take(thought('late'))
  assert.deepEqual(await reading, [])
  await waiting
  assert.deepEqual(calls, ['cancel', 'ended'])
})

test('a Pathway that nobody reads raises nothing', async (t) => {
  const seen = []
  const note = (error) => seen.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const pathway = made()
  pathway.take(output())
  pathway.end(null)
  const never = made()
  never.close()
  await turn()
  await turn()
  assert.deepEqual(seen, [])
})

test('a handler that throws is reported, and the next Signal comes all the same', async () => {
  const failures = []
  const pathway = made({ failed: (error, signal) => failures.push([error.message, signal.type]) })
  const heard = []
  pathway.on('THOUGHT_DELTA', async ({ payload }) => {
    heard.push(payload.delta)
    if (payload.delta === 'a') throw new Error('no')
  })
  pathway.take(thought('a'))
  pathway.take(output())
  pathway.take(thought('b'))
  pathway.end(null)
  await turn()
  assert.deepEqual(heard, ['a', 'b'])
  assert.deepEqual(failures, [['no', 'THOUGHT_DELTA']])
  assert.deepEqual(pathway.counts, { handler_raised: 1 })
})

test('the calls of a handler do not overlap', async () => {
  const pathway = made()
  let running = 0
  let most = 0
  pathway.on(async () => {
    most = Math.max(most, ++running)
    await turn()
    running--
  })
  for (let at = 0; at < 5; at++) pathway.take(thought(String(at)))
  const end = output()
  pathway.take(end)
  pathway.end(end)
  for (let at = 0; at < 9; at++) await turn()
  assert.equal(most, 1)
})

test('off stops a handler', async () => {
  const pathway = made()
  const heard = []
  const off = pathway.on((signal) => heard.push(signal.payload.delta))
  pathway.take(thought('a'))
  await turn()
  off()
  pathway.take(thought('b'))
  await turn()
  assert.deepEqual(heard, ['a'])
})

test('on needs a function and a type of Signal', () => {
  const pathway = made()
  assert.throws(() => pathway.on('THOUGHT_DELTA'), /needs a function, not undefined/)
  assert.throws(() => pathway.on('THOUGHT', () => {}), /did you mean 'THOUGHT_DELTA'\?/)
  assert.throws(() => pathway.on('constructor', () => {}), InvalidArgument)
})

test('after a question it ends when a reader waits for more and none may answer', async () => {
  const pathway = made()
  const asked = question()
  const reading = all(pathway)
  await turn()
  pathway.take(asked)
  pathway.unanswered(asked)
  assert.equal(pathway.closed, false) // the loop has to handle the question first
  assert.deepEqual(await reading, ['CLARIFICATION'])
  assert.equal(await pathway.outcome(), asked)
})

test('a question that gets its answer in the loop leads on to the output', async () => {
  const pathway = made()
  const asked = question()
  const next = new Signal({ type: 'TASK', payload: {}, traceId: task.traceId })
  pathway.take(asked)
  pathway.unanswered(asked)
  const got = []
  for await (const each of pathway) {
    got.push(each.type)
    if (each !== asked) continue
    await turn()
    pathway.answered(next)
    setImmediate(() => {
      const end = output()
      pathway.take(end)
      pathway.end(end)
    })
  }
  assert.deepEqual(got, ['CLARIFICATION', 'AGENT_OUTPUT'])
  assert.equal(pathway.task, next)
})

test('leaving the loop at a question ends a Pathway that another reader waits on', async () => {
  const pathway = made()
  const asked = question()
  pathway.take(asked)
  pathway.unanswered(asked)
  const outcome = pathway.outcome()
  for await (const each of pathway) {
    assert.equal(each, asked)
    break
  }
  assert.equal(await outcome, asked)
})

test('the oldest Signals of a long stream are dropped, and counted', async () => {
  const pathway = made()
  for (let at = 0; at < 65_537; at++) pathway.take(thought(String(at)), 10)
  pathway.end(null)
  assert.equal(pathway.dropped, 8192)
  assert.equal((await pathway.wait()).payload.delta, '8192')
})
