// The caller against a transport that records, with a clock that stands: exactly one outcome for
// every dispatch (P34), whatever comes in whatever order.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { Caller } from '../../../src/dendrite/caller/caller.js'
import { Published } from '../../../src/dendrite/watch/published.js'
import { Publisher } from '../../../src/dendrite/watch/publisher.js'
import { Subscriptions } from '../../../src/dendrite/watch/subscriptions.js'
import { makeHandler } from '../../../src/dendrite/watch/handlers.js'
import * as errors from '../../../src/errors.js'
import { CODE } from '../../../src/signals/signals.js'
import * as heads from '../../../src/wire/heads.js'

const { RUN, SETTLES } = heads
const WORKER = Buffer.alloc(16, 7)
const logger = { warn() {} }

/** A transport that keeps what it was given. */
class Recorder {
  instance = Buffer.alloc(16, 1)
  maxSignalBytes = 100_000
  awayMs = null
  outcome = 'SENT'
  sent = []
  cancelled = []
  gaps = []
  published = []
  sendTask(neuron, capabilities, task, trace, kind, body, ttlMs, flags) {
    if (this.outcome === 'SENT' || this.outcome === 'WAITING')
      this.sent.push({ neuron, capabilities, task, trace, kind, body, ttlMs, flags })
    return this.outcome
  }
  sendCancel({ task }) {
    this.cancelled.push(task)
    return 'SENT'
  }
  sendGap(row) {
    this.gaps.push(row)
    return 'SENT'
  }
  isHeard = () => false
  originOf = () => null
  publish = () => 0
  listen() {}
  unlisten() {}
  async sync() {}
}

function setUp(t) {
  const client = new Recorder()
  const clock = { ms: 1000 }
  const subscriptions = new Subscriptions(client, { logger })
  subscriptions.topics()
  const published = new Published(client, subscriptions)
  const publisher = new Publisher(client, subscriptions, published)
  const parts = { client, subscriptions, publisher, published, now: () => clock.ms }
  const caller = new Caller({ ...parts, url: 'cosmo://x', logger })
  t?.after(() => caller.close())
  return { client, clock, subscriptions, caller, dispatcher: caller.dispatcher }
}

const WITH = { neuron: 'worker', input: 1 }
const reply = (dispatcher, opened, type, payload, index, flags) => {
  const body = opened.signal.reply(type, payload).encode()
  dispatcher.onReply(WORKER, opened.task, opened.trace, CODE[type], index, flags, body)
}
const openedOf = (dispatcher, { task }) => dispatcher.openTasks.get(task)

test('a TASK goes out with its time, and its reply settles the call', async (t) => {
  const { client, dispatcher, caller } = setUp(t)
  const asking = caller.ask({ ...WITH, timeoutMs: 1234.9 })
  const [sent] = client.sent
  assert.equal(sent.neuron, 'worker')
  assert.equal(sent.ttlMs, 1234)
  assert.equal(sent.flags, RUN)
  reply(dispatcher, openedOf(dispatcher, sent), 'AGENT_OUTPUT', { output: { a: 1 } }, 0, SETTLES)
  assert.deepEqual(await asking, { a: 1 })
  assert.deepEqual(client.cancelled, [])
})

for (const [reason, named, capable] of [
  ['no_route', 'NO_SUCH_NEURON', 'NO_CAPABLE_NEURON'],
  ['bad_address', 'NO_SUCH_NEURON', 'NO_CAPABLE_NEURON'],
  ['busy', 'OVERLOADED', 'OVERLOADED'],
  ['duplicate', 'TASK_LOST', 'TASK_LOST'],
  ['a new one', 'TASK_LOST', 'TASK_LOST'],
])
  test(`a BOUNCE with ${reason} ends the call with its code`, async (t) => {
    const { client, dispatcher, caller } = setUp(t)
    const one = caller.dispatchAndWait(WITH)
    const two = caller.dispatchAndWait({ capabilities: ['chat', 'pdf'], input: 1 })
    for (const { task } of client.sent) dispatcher.onBounce(task, reason)
    assert.equal((await one).payload.code, named)
    assert.equal((await two).payload.code, capable)
    assert.equal((await one).directed.id, 'worker')
    assert.match(`${Object.keys(caller.counts)}`, /^bounced\.(\w+)$/)
  })

test('a task that no worker had started goes out again, with the time that is left', async (t) => {
  const { client, clock, dispatcher, caller } = setUp(t)
  const asking = caller.dispatchAndWait({ ...WITH, timeoutMs: 1000 })
  const [first] = client.sent
  clock.ms += 400
  dispatcher.onLost(first.task, 'not_started')
  const again = client.sent[1]
  assert.deepEqual([again.task, again.body, again.ttlMs], [first.task, first.body, 600])
  reply(dispatcher, openedOf(dispatcher, first), 'THOUGHT_DELTA', { delta: '' }, 0, 0)
  dispatcher.onLost(first.task, 'not_started') // a reply proves that a worker has run it
  assert.equal((await asking).payload.code, 'TASK_LOST')
  assert.equal(client.sent.length, 2)
})

for (const [reason, code] of [
  ['worker_lost', 'WORKER_LOST'],
  ['reply_lost', 'REPLY_LOST'],
  ['unknown', 'TASK_LOST'],
])
  test(`a LOST with ${reason} ends the call with ${code}`, async (t) => {
    const { client, dispatcher, caller } = setUp(t)
    const asking = caller.ask(WITH)
    dispatcher.onLost(client.sent[0].task, reason)
    await assert.rejects(asking, { name: 'NeuronError', code })
  })

test('an early reply leads to a GAP at most every 250 ms, and the replies that follow are taken', async (t) => {
  const { client, clock, dispatcher, caller } = setUp(t)
  const asking = caller.ask(WITH)
  const opened = openedOf(dispatcher, client.sent[0])
  reply(dispatcher, opened, 'AGENT_OUTPUT', { output: 1 }, 2, SETTLES)
  reply(dispatcher, opened, 'AGENT_OUTPUT', { output: 1 }, 2, SETTLES)
  assert.deepEqual(client.gaps, [
    { task: opened.task, trace: opened.trace, nextIndex: 0, leftMs: 30_000, keep: false },
  ])
  clock.ms += 250
  reply(dispatcher, opened, 'AGENT_OUTPUT', { output: 1 }, 2, SETTLES)
  assert.equal(client.gaps.length, 2)
  reply(dispatcher, opened, 'THOUGHT_DELTA', { delta: '' }, 0, 0)
  reply(dispatcher, opened, 'THOUGHT_DELTA', { delta: '' }, 1, 0)
  reply(dispatcher, opened, 'AGENT_OUTPUT', { output: 5 }, 2, SETTLES)
  assert.equal(await asking, 5)
})

test('reply_waits asks for the last reply and ends nothing', (t) => {
  const { client, dispatcher, caller } = setUp(t)
  caller.ask(WITH).catch(() => {})
  dispatcher.onLost(client.sent[0].task, 'reply_waits')
  assert.equal(client.gaps.length, 1)
  assert.equal(dispatcher.openTasks.size, 1)
  caller.close()
})

test('at the deadline a CANCEL goes out and the caller gets a TimeoutError', async (t) => {
  const { client, clock, dispatcher, caller } = setUp(t)
  const asking = caller.ask({ ...WITH, timeoutMs: 100 })
  clock.ms += 106
  dispatcher.expire(clock.ms)
  await assert.rejects(asking, (error) => {
    assert.ok(error instanceof errors.TimeoutError && !(error instanceof errors.SynapseAway))
    assert.match(error.message, /^no reply from neuron 'worker' on trace trc_.{26} within 100 ms$/)
    return true
  })
  assert.deepEqual(client.cancelled, [client.sent[0].task])
})

test('an EXPIRED of worker or Synapse is the same TimeoutError', async (t) => {
  const { client, dispatcher, caller } = setUp(t)
  const [one, two] = [caller.ask(WITH), caller.ask(WITH)]
  const error = { code: 'EXPIRED', message: 'late', recoverable: false }
  reply(dispatcher, openedOf(dispatcher, client.sent[0]), 'ERROR', error, 0, SETTLES)
  dispatcher.onBounce(client.sent[1].task, 'expired')
  await assert.rejects(one, errors.TimeoutError)
  await assert.rejects(two, errors.TimeoutError)
})

test('while the Synapse is away a late task that never left is a SynapseAway, one that left is not', async (t) => {
  const { client, clock, dispatcher, caller } = setUp(t)
  const left = caller.ask({ ...WITH, timeoutMs: 100 })
  dispatcher.absence.begin(clock.ms)
  client.outcome = 'WAITING'
  const waits = caller.ask({ ...WITH, timeoutMs: 100 })
  clock.ms += 2500
  dispatcher.expire(clock.ms)
  await assert.rejects(left, (error) => {
    assert.ok(!(error instanceof errors.SynapseAway))
    assert.match(error.message, /away for 3 s; the TASK had left before, so it may have run$/)
    return true
  })
  await assert.rejects(waits, (error) => {
    assert.ok(error instanceof errors.SynapseAway && error instanceof errors.TimeoutError)
    assert.equal(error.awayMs, 2500)
    return true
  })
})

test('a transport without room is OVERLOADED, one that is closed a DendriteProtocolError', async (t) => {
  const { client, caller } = setUp(t)
  client.outcome = 'BUSY'
  await assert.rejects(caller.ask(WITH), { code: 'OVERLOADED' })
  client.outcome = 'CLOSED'
  await assert.rejects(caller.ask(WITH), errors.DendriteProtocolError)
  assert.throws(() => caller.dispatch(WITH), errors.DendriteProtocolError)
  assert.throws(() => caller.dispatchTask(WITH), errors.DendriteProtocolError)
})

test('what cannot be sent is refused before anything leaves', async (t) => {
  const { client, caller } = setUp(t)
  client.maxSignalBytes = 1000
  await assert.rejects(caller.ask({ ...WITH, input: 'x'.repeat(1000) }), errors.SignalTooLarge)
  await assert.rejects(caller.ask({ ...WITH, input: [() => 1] }), (error) => {
    assert.ok(error instanceof errors.UnencodableValue)
    assert.equal(error.path, 'payload.input[0]')
    return true
  })
  assert.equal(client.sent.length, 0)
  assert.equal(caller.dispatcher.openTasks.size, 0)
})

test('an AbortSignal cancels at the worker and rejects with its own reason', async (t) => {
  const { client, caller } = setUp(t)
  const aborter = new AbortController()
  const asking = caller.ask({ ...WITH, signal: aborter.signal })
  aborter.abort(new RangeError('enough'))
  await assert.rejects(asking, { name: 'RangeError', message: 'enough' })
  assert.equal(client.cancelled.length, 1)
  await assert.rejects(caller.ask({ ...WITH, signal: aborter.signal }), { message: 'enough' })
  assert.throws(() => caller.dispatch({ ...WITH, signal: aborter.signal }), { message: 'enough' })
  assert.equal(client.sent.length, 1)
})

test('an AbortSignal that aborts after the end does nothing', async (t) => {
  const { client, dispatcher, caller } = setUp(t)
  const aborter = new AbortController()
  const asking = caller.ask({ ...WITH, signal: aborter.signal })
  const pathway = caller.dispatch({ ...WITH, signal: aborter.signal })
  for (const sent of client.sent)
    reply(dispatcher, openedOf(dispatcher, sent), 'AGENT_OUTPUT', { output: 1 }, 0, SETTLES)
  aborter.abort()
  assert.equal(await asking, 1)
  assert.equal((await pathway.outcome()).type, 'AGENT_OUTPUT')
  assert.deepEqual(client.cancelled, [])
})

test('a Pathway that is aborted or closed ends with an ERROR CANCELLED', async (t) => {
  const { client, caller } = setUp(t)
  const aborter = new AbortController()
  const aborted = caller.dispatch({ ...WITH, signal: aborter.signal })
  const closed = caller.dispatch(WITH)
  aborter.abort()
  closed.close()
  for (const each of [aborted, closed]) {
    assert.equal((await each.outcome()).payload.code, 'CANCELLED')
    assert.equal(each.closed, true)
  }
  assert.equal(client.cancelled.length, 2)
})

test('a last reply that is no Signal ends the task with BAD_OUTPUT', async (t) => {
  const { client, dispatcher, caller } = setUp(t)
  const asking = caller.dispatchAndWait(WITH)
  const { task, trace } = client.sent[0]
  dispatcher.onReply(WORKER, task, trace, CODE.AGENT_OUTPUT, 0, SETTLES, Buffer.from('no'))
  const { payload } = await asking
  assert.equal(payload.code, 'BAD_OUTPUT')
  assert.match(payload.message, /^the reply could not be read: /)
})

test('a stop rejects who waits, cancels, and leaves tasks that are kept', async (t) => {
  const { client, caller } = setUp(t)
  const asking = caller.ask(WITH)
  const pathway = caller.dispatch(WITH)
  const kept = caller.dispatch({ ...WITH, keep: true })
  caller.dispatchTask(WITH)
  caller.close()
  await assert.rejects(asking, /this Dendrite stopped while neuron 'worker' worked/)
  assert.equal((await pathway.outcome()).payload.code, 'CANCELLED')
  await assert.rejects(kept.outcome(), errors.PathwayClosedError)
  assert.equal(client.cancelled.length, 2)
  assert.equal(caller.counts.abandoned, 2)
})

test('a dispatch waits until every handler is in force, and keeps the order', async (t) => {
  const { client, subscriptions, caller } = setUp(t)
  let isInForce
  client.sync = () => new Promise((resolve) => (isInForce = resolve))
  subscriptions.add(makeHandler(() => {}, ['PLAN']))
  const tasks = [1, 2].map((input) => caller.dispatchTask({ neuron: 'worker', input }))
  await turn()
  assert.equal(client.sent.length, 0)
  isInForce()
  await turn()
  tasks.push(caller.dispatchTask(WITH))
  assert.deepEqual(
    client.sent.map((each) => each.body),
    tasks.map((each) => each.encode()),
  )
  caller.close()
})

test('a dispatch that waits for handlers ends at its deadline like any other', async (t) => {
  const { client, clock, subscriptions, caller } = setUp(t)
  client.sync = () => new Promise(() => {})
  subscriptions.add(makeHandler(() => {}, ['PLAN']))
  const asking = caller.ask({ ...WITH, timeoutMs: 50 })
  clock.ms += 60
  caller.dispatcher.expire(clock.ms)
  await assert.rejects(asking, errors.TimeoutError)
  assert.equal(client.sent.length, 0)
})

test('a dispatch behind the stop is refused, also while a handler is not in force yet', async () => {
  const { client, subscriptions, caller } = setUp()
  caller.close()
  client.sync = () => new Promise(() => {})
  subscriptions.add(makeHandler(() => {}, ['PLAN']))
  await assert.rejects(caller.ask(WITH), errors.DendriteProtocolError)
  assert.equal(caller.dispatcher.openTasks.size, 0)
})

// ---- P34

const OUTPUT = ['AGENT_OUTPUT', { output: { n: 1 } }]
const ERROR = ['ERROR', { code: 'NO_FILE', message: 'gone', recoverable: false }]
const QUESTION = ['CLARIFICATION', { question: '?' }]
const event = fc.oneof(
  fc.record({ does: fc.constantFrom('ask', 'wait', 'dispatch', 'task'), aborts: fc.boolean() }),
  fc.record({ does: fc.constant('reply'), which: fc.nat(3), ahead: fc.integer({ min: -1, max: 1 }), as: fc.constantFrom(OUTPUT, ERROR, QUESTION) }), // prettier-ignore
  fc.record({ does: fc.constant('streams'), which: fc.nat(3) }),
  fc.record({ does: fc.constant('bounce'), which: fc.nat(3), reason: fc.constantFrom('no_route', 'busy', 'expired') }), // prettier-ignore
  fc.record({ does: fc.constant('lost'), which: fc.nat(3), reason: fc.constantFrom('worker_lost', 'not_started', 'unknown', 'reply_waits') }), // prettier-ignore
  fc.record({ does: fc.constant('abort'), which: fc.nat(3) }),
  fc.record({ does: fc.constant('time'), by: fc.nat(600) }),
  fc.record({ does: fc.constant('answer'), which: fc.nat(3) }),
  fc.record({ does: fc.constantFrom('away', 'back') }),
)

/** One dispatch of the machine: what came of it so far. */
class Dispatched {
  outcomes = []
  aborter = null
  constructor(caller, { does, aborts }) {
    const options = { ...WITH, timeoutMs: 500 }
    if (aborts && does !== 'task') {
      this.aborter = new AbortController()
      options.signal = this.aborter.signal
    }
    const note = (value) => this.outcomes.push(value)
    if (does === 'task') this.isKept = caller.dispatchTask(options)
    else if (does === 'dispatch') caller.dispatch(options).outcome().then(note, note)
    else caller[does === 'ask' ? 'ask' : 'dispatchAndWait'](options).then(note, note)
  }
}

test('every dispatch has exactly one outcome, whatever comes in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const { client, clock, caller, dispatcher } = setUp()
      const all = []
      const questions = []
      const known = []
      for (const each of events) {
        if ('aborts' in each) {
          all.push(new Dispatched(caller, each))
          known.push(dispatcher.openTasks.get(client.sent.at(-1).task))
        }
        const opened = known.at(-1 - (each.which ?? 0))
        if (each.does === 'time') dispatcher.expire((clock.ms += each.by))
        else if (each.does === 'away') dispatcher.absence.begin(clock.ms)
        else if (each.does === 'back') dispatcher.absence.end(clock.ms)
        else if (opened === undefined) continue
        else if (each.does === 'streams')
          reply(dispatcher, opened, 'THOUGHT_DELTA', { delta: '' }, opened.nextIndex, 0)
        else if (each.does === 'reply') {
          const index = Math.max(0, opened.nextIndex + each.ahead)
          reply(dispatcher, opened, ...each.as, index, SETTLES)
          if (opened.question !== null) questions.push(opened.question)
        } else if (each.does === 'bounce') dispatcher.onBounce(opened.task, each.reason)
        else if (each.does === 'lost') dispatcher.onLost(opened.task, each.reason)
        else if (each.does === 'abort') all.at(-1 - each.which)?.aborter?.abort()
        else if (each.does === 'answer' && questions.length > 0)
          await caller.respondToClarification(questions.at(-1), 'so').catch(() => {})
        await turn()
        for (const { outcomes } of all) assert.ok(outcomes.length <= 1)
      }
      caller.close()
      await turn()
      for (const { outcomes, isKept } of all) assert.equal(outcomes.length, isKept ? 0 : 1)
      assert.equal(dispatcher.openTasks.size, 0)
      assert.equal(dispatcher.openTasks.nextAtMs(), Infinity)
      assert.equal(dispatcher.questions.nextAtMs(), Infinity)
    }),
    { numRuns: 150 },
  )
})

test('a caller with a key says for a resync where its open tasks went', async (t) => {
  const { client, caller } = setUp(t)
  caller.dispatchTask(WITH)
  caller.dispatchTask({ capabilities: ['b', 'a'], input: 1 })
  assert.deepEqual(
    caller.openTasks().map((each) => each.address),
    [undefined, undefined],
  )

  client.user = 'ada'

  assert.deepEqual(
    caller.openTasks().map((each) => each.address),
    ['worker', '?a,b'],
  )
})
