// What a worker answers to a TASK, with a transport of this process.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { Clarification, NeuronError, TimeoutError } from '../../../src/errors.js'
import { idBytes } from '../../../src/signals/ids.js'
import { Signal } from '../../../src/signals/signals.js'
import { KEEP } from '../../../src/wire/heads.js'
import { CALLER, ask, deferred, give, inboxOf, taskOf } from './fakes.js'

const KINDS = [
  ['an async function', async (input) => ({ got: input.a })],
  ['a plain function', (input) => ({ got: input.a })],
  ['a function that returns a thenable', (input) => ({ then: (done) => done({ got: input.a }) })],
]
for (const [what, neuronFn] of KINDS) {
  test(`${what} answers with its output, which names the Dendrite and the TASK`, async () => {
    const { client, inbox } = inboxOf(neuronFn)
    const task = give(inbox, taskOf({ a: 1 }))

    const { signal, index, kind, caller } = await client.outcome(task)

    assert.equal(signal.type, 'AGENT_OUTPUT')
    assert.deepEqual(signal.payload, { output: { got: 1 } })
    assert.deepEqual(Object.keys(signal.meta), ['dendrite', 'queued_ms', 'ran_ms'])
    assert.equal(signal.meta.dendrite, 'd')
    assert.equal(signal.parentId, task.id)
    assert.equal(signal.traceId, task.traceId)
    assert.equal(signal.directed.id, 'worker')
    assert.deepEqual([index, kind], [0, 2])
    assert.ok(caller.equals(CALLER))
    assert.equal(inbox.jobs.size, 0)
    assert.deepEqual(inbox.load('worker'), { running: 0, queued: 0 })
  })
}

test('a plain function that answers at once is answered within the call', () => {
  const { client, inbox } = inboxOf((input) => input)

  give(inbox, taskOf({ a: 1 }))

  assert.deepEqual(client.replies[0].signal.payload, { output: { a: 1 } })
})

test('a TASK with finalize ends as FINAL', async () => {
  const { client, inbox } = inboxOf(async () => ({ a: 1 }))

  const { type, payload } = await ask(client, inbox, {}, { finalize: true })

  assert.equal(type, 'FINAL')
  assert.deepEqual(payload, { result: { a: 1 } })
})

test('a question names the payload of its TASK, unless it were too large then', async () => {
  const { client, inbox } = inboxOf(async () => ({ __clarification__: true, question: 'q' }))
  const small = await ask(client, inbox, { a: 1 })
  client.maxSignalBytes = 1000
  const large = await ask(client, inbox, { a: 'x'.repeat(2000) })

  assert.deepEqual(small.meta.task, { input: { a: 1 } })
  assert.equal(large.type, 'CLARIFICATION')
  assert.deepEqual(Object.keys(large.meta), ['dendrite', 'queued_ms', 'ran_ms'])
})

test('what a Neuron throws is told to the caller without, to the log with its stack', async () => {
  const error = new TypeError('no')
  const { client, inbox, warnings } = inboxOf(async () => {
    throw error
  })

  const { type, payload } = await ask(client, inbox)

  assert.equal(type, 'ERROR')
  assert.deepEqual(payload, {
    code: 'NEURON_EXCEPTION',
    message: 'TypeError: no',
    recoverable: false,
  })
  assert.equal(warnings.said[0].error, error)
  assert.equal(warnings.said[0].text, 'neuron worker threw TypeError: no')
})

test('a NeuronError is an answer, and no news for the log', async () => {
  const { client, inbox, warnings } = inboxOf(() => {
    throw new NeuronError('MINE', 'no')
  })

  const { payload } = await ask(client, inbox)

  assert.equal(payload.code, 'MINE')
  assert.deepEqual(warnings.said, [])
})

const cyclic = {}
cyclic.self = cyclic
const UNSENDABLE = [
  [
    'a function in it',
    { a: [() => 1] },
    /payload\.output\.a\[0\] cannot be sent: it is a function/,
  ],
  ['a cycle', cyclic, /payload\.output\.self/],
  ['an int of over 64 bits', { n: 2n ** 70n }, /payload\.output\.n/],
  ['a lone surrogate', 'a\ud800', /payload\.output\.value/],
  ['a Date', new Date(), /payload\.output\.value/],
  [
    'a getter that throws',
    {
      get a() {
        throw new Error('mine')
      },
    },
    /the output cannot be read: Error: mine/,
  ],
]
for (const [what, output, text] of UNSENDABLE) {
  test(`an output with ${what} is BAD_OUTPUT, and the next call works`, async () => {
    const { client, inbox } = inboxOf(async (input) => (input.good ? {} : output))

    const { payload } = await ask(client, inbox)

    assert.equal(payload.code, 'BAD_OUTPUT')
    assert.match(payload.message, text)
    assert.equal((await ask(client, inbox, { good: true })).type, 'AGENT_OUTPUT')
    assert.equal(inbox.counts.bad_output, 1)
  })
}

for (const [what, payload, code] of [
  ['null', null, 'BAD_OUTPUT'],
  ['a Map', new Map(), 'BAD_OUTPUT'],
  ['an object with a getter that throws', { get code() { throw new Error('x') } }, 'NEURON_EXCEPTION'], // prettier-ignore
]) {
  for (const how of ['throws', 'returns']) {
    test(`a Neuron that ${how} a question whose payload is ${what} is answered, and the next call`, async () => {
      const question = new Clarification('which?')
      question.payload = payload
      const { client, inbox } = inboxOf((input) => {
        if (input.good) return 1
        if (how === 'throws') throw question
        return question
      })

      assert.equal((await ask(client, inbox, {})).payload.code, code)
      assert.equal((await ask(client, inbox, { good: true })).type, 'AGENT_OUTPUT')
      assert.equal(inbox.load('worker').running, 0)
    })
  }
}

test('a question whose payload was broken is BAD_OUTPUT, and the next call works', async () => {
  const question = new Clarification('q')
  question.payload = 5
  const { client, inbox } = inboxOf(async (input) => (input.good ? {} : question))

  const { payload } = await ask(client, inbox)

  assert.equal(payload.code, 'BAD_OUTPUT')
  assert.match(payload.message, /the payload of a CLARIFICATION must be a plain object/)
  assert.equal((await ask(client, inbox, { good: true })).type, 'AGENT_OUTPUT')
})

test('an output over the limit is BAD_OUTPUT with both numbers', async () => {
  const { client, inbox } = inboxOf(async () => 'x'.repeat(client.maxSignalBytes))

  const { payload } = await ask(client, inbox)

  assert.equal(payload.code, 'BAD_OUTPUT')
  assert.match(payload.message, /the output has [\d,]+ bytes, the limit is 1,000,000/)
})

test('a proxy whose traps throw does not harm the worker', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const { client, inbox } = inboxOf((input) => (input.good ? {} : proxy))

  const { payload } = await ask(client, inbox)

  assert.match(payload.code, /BAD_OUTPUT|NEURON_EXCEPTION/)
  assert.equal((await ask(client, inbox, { good: true })).type, 'AGENT_OUTPUT')
})

test('a TASK that cannot be read is BAD_SIGNAL, one for nobody NO_SUCH_NEURON', async () => {
  const { client, inbox } = inboxOf(async () => ({}))
  const [task, other, empty] = [taskOf(), taskOf(), taskOf()]
  const to = [idBytes(task.id), idBytes(task.traceId)]

  inbox.onTask(CALLER, 'worker', ...to, 1, 1000, 0, Buffer.from('junk'))
  give(inbox, other, { to: 'nobody' })
  const noTask = new Signal({ ...empty, type: 'PLAN' }).encode()
  inbox.onTask(CALLER, 'worker', idBytes(empty.id), idBytes(empty.traceId), 1, 1000, 0, noTask)

  const [bad, nobody, plan] = client.replies
  assert.equal(bad.signal.payload.code, 'BAD_SIGNAL')
  assert.equal(bad.signal.parentId, task.id)
  assert.equal(bad.settles, true)
  assert.equal(nobody.signal.payload.code, 'NO_SUCH_NEURON')
  assert.match(plan.signal.payload.message, /expected a TASK, got a PLAN/)
  assert.deepEqual(inbox.counts, { 'refused.bad_signal': 2, 'refused.no_such_neuron': 1 })
})

test('a TASK that arrives after its deadline is EXPIRED and does not run', () => {
  let runs = 0
  const { client, inbox } = inboxOf(() => ++runs)

  give(inbox, taskOf(), { ttlMs: 0 })

  assert.equal(client.replies[0].signal.payload.code, 'EXPIRED')
  assert.equal(runs, 0)
})

for (const [what, endMs, code] of [
  ['at its deadline is EXPIRED, and no news for the log', 500, 'EXPIRED'],
  ['before is an exception like any other', 499, 'NEURON_EXCEPTION'],
]) {
  test(`a function that ends with a TimeoutError ${what}`, async () => {
    let nowMs = 0
    const neuronFn = async () => {
      nowMs = endMs
      throw new TimeoutError('the child task took too long')
    }
    const { client, inbox, warnings } = inboxOf(neuronFn, { clock: () => nowMs })

    const { payload } = await ask(client, inbox, {}, { ttlMs: 500 })

    assert.equal(payload.code, code)
    assert.equal(warnings.said.length, code === 'EXPIRED' ? 0 : 1)
  })
}

test('what throws when it is looked at is answered, also past the deadline', async () => {
  let nowMs = 0
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const neuronFn = async () => {
    nowMs = 500
    throw proxy
  }
  const { client, inbox } = inboxOf(neuronFn, { clock: () => nowMs })

  assert.equal((await ask(client, inbox, {}, { ttlMs: 500 })).payload.code, 'NEURON_EXCEPTION')
})

test('tasks over the places wait in order, and over the queue they are OVERLOADED', async () => {
  const begun = []
  const gates = []
  const neuronFn = (input) => {
    begun.push(input.n)
    gates.push(deferred())
    return gates.at(-1).promise
  }
  const { client, inbox } = inboxOf(neuronFn, { clock: () => 0, concurrency: 2, maxQueued: 2 })
  const busy = []
  inbox.onBusy = (neuronId) => busy.push(neuronId)

  const tasks = [1, 2, 3, 4, 5].map((n) => give(inbox, taskOf({ n })))

  assert.deepEqual(begun, [1, 2])
  assert.deepEqual(inbox.load('worker'), { running: 2, queued: 2 })
  assert.deepEqual(busy, ['worker'])
  const { signal } = await client.outcome(tasks[4])
  assert.equal(signal.payload.code, 'OVERLOADED')
  assert.equal(signal.payload.recoverable, true)
  assert.equal(signal.payload.message, 'the queue of worker is full: 2 tasks run and 2 wait')
  gates[1].resolve()
  await client.outcome(tasks[1])
  assert.deepEqual(begun, [1, 2, 3])
  for (const gate of gates) gate.resolve()
  await client.outcome(tasks[2])
  gates.at(-1).resolve()
  await client.outcome(tasks[3])
  assert.deepEqual(begun, [1, 2, 3, 4])
})

test('10,000 tasks at once are all answered, and the loop turns meanwhile', async () => {
  const { client, inbox } = inboxOf((input) => ({ n: input.n }), { maxQueued: 10_000 })
  let turns = 0
  const timer = setInterval(() => turns++, 1)

  for (let n = 0; n < 10_000; n++) give(inbox, taskOf({ n }))
  while (client.replies.length < 10_000) await turn()
  clearInterval(timer)

  assert.equal(client.replies.length, 10_000)
  assert.ok(turns > 0)
})

test('a TASK that comes twice runs once, and its replies are sent again', async () => {
  let runs = 0
  const { client, inbox } = inboxOf(async function* () {
    runs++
    yield 'a'
    yield 'b'
    return { runs }
  })
  const task = give(inbox, taskOf())
  give(inbox, task)
  await client.outcome(task)
  const first = client.replies.splice(0)

  give(inbox, task)

  assert.equal(runs, 1)
  assert.equal(inbox.counts['drop.repeated_task'], 2)
  const of = ({ index, kind, body, settles, skips, trace }) => [
    index,
    kind,
    body.toString('hex'),
    settles,
    skips,
    trace.toString('hex'),
  ]
  assert.deepEqual(client.replies.map(of), first.map(of))
})

test('the same id of another caller is another task', async () => {
  const { client, inbox } = inboxOf(() => ({}), { clock: () => 0 })
  const task = taskOf()

  give(inbox, task)
  give(inbox, task, { from: Buffer.alloc(16, 9) })

  assert.equal(client.replies.length, 2)
  assert.equal(inbox.counts['drop.repeated_task'], undefined)
})

test('a TASK whose replies are forgotten is REPLY_LOST', () => {
  const { client, inbox } = inboxOf(() => ({}))
  const task = give(inbox, taskOf())
  inbox.replyCache.expire(performance.now() + 60_000)

  give(inbox, task)

  assert.equal(client.replies[1].signal.payload.code, 'REPLY_LOST')
  assert.equal(inbox.counts['refused.reply_lost'], 1)
})

test('our own handlers see the TASKs and replies of others, not those that we sent', async () => {
  const { client, inbox, subscriptions } = inboxOf(async (_, context) => {
    await context.think('x')
    return {}
  })
  await ask(client, inbox)
  const seen = subscriptions.shown.splice(0).map((signal) => signal.type)
  await ask(client, inbox, {}, { from: client.instance })

  assert.deepEqual(seen, ['TASK', 'THOUGHT_DELTA', 'AGENT_OUTPUT'])
  assert.deepEqual(subscriptions.shown, [])
})

test('a reply that cannot leave is counted, and kept for a resync', async () => {
  const { client, inbox } = inboxOf(() => ({}), { clock: () => 0 })
  client.answers = ['BUSY', 'CLOSED']
  const task = give(inbox, taskOf())
  give(inbox, taskOf())

  assert.deepEqual(inbox.counts, { 'drop.reply_busy': 1, 'drop.reply_closed': 1 })
  give(inbox, task)
  assert.equal(client.sent.length, 1)
})

test('a task keeps whether it runs on when its caller goes away', () => {
  const { inbox } = inboxOf(() => new Promise(() => {}))

  give(inbox, taskOf(), { flags: KEEP })
  give(inbox, taskOf())

  assert.deepEqual(
    [...inbox.jobs.values()].map((job) => job.keep),
    [true, false],
  )
})

test('the items of a context are its context_ref, or what the fetcher makes of it', async () => {
  const neuronFn = async (_, context) => ({ items: context.items })
  const plain = inboxOf(neuronFn)
  const fetching = inboxOf(neuronFn, { contextFetcher: async (ref) => [ref.a, 2] })
  const failing = inboxOf(neuronFn, {
    contextFetcher: () => {
      throw new Error('no store')
    },
  })
  const of = ({ client, inbox }, ref) => ask(client, inbox, {}, { context_ref: ref })

  assert.deepEqual((await of(plain, [1])).payload.output, { items: [1] })
  assert.deepEqual((await of(plain, { a: 1 })).payload.output, { items: [] })
  assert.deepEqual((await of(fetching, { a: 1 })).payload.output, { items: [1, 2] })
  assert.equal((await of(failing, { a: 1 })).payload.message, 'Error: no store')
})

test('two Axons of one id cannot be hosted', () => {
  const { inbox } = inboxOf(() => null)

  assert.throws(
    () => inbox.add(new Axon({ neuronId: 'worker', neuronFn: () => null })),
    /an Axon with the id 'worker' is attached already/,
  )
  assert.throws(() => inbox.axon('other'), /no Axon with the id 'other' is attached/)
})

test('a drain waits for what runs and what waits', async () => {
  const gates = []
  const neuronFn = () => {
    gates.push(deferred())
    return gates.at(-1).promise
  }
  const { client, inbox } = inboxOf(neuronFn, { concurrency: 1 })
  give(inbox, taskOf())
  const last = give(inbox, taskOf())
  let isOver = false

  const draining = inbox.drain(20_000).then((left) => {
    isOver = true
    return left
  })
  await turn()
  gates[0].resolve()
  while (gates.length < 2) await turn()
  assert.equal(isOver, false)
  gates[1].resolve()

  assert.equal(await draining, 0)
  assert.equal((await client.outcome(last)).signal.type, 'AGENT_OUTPUT')
})

test('a drain that is over cancels the rest, also what has not begun', async () => {
  const neuronFn = (_, context) =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
    })
  const { client, inbox } = inboxOf(neuronFn, { concurrency: 1 })
  give(inbox, taskOf())
  give(inbox, taskOf())

  assert.equal(await inbox.drain(0), 2)

  const codes = client.replies.map(({ signal }) => signal.payload.code)
  assert.deepEqual(codes, ['CANCELLED', 'CANCELLED'])
})

test('an Axon that is detached takes the TASKs that were under way', async () => {
  const { client, inbox } = inboxOf(async () => ({}))
  const barrier = deferred()
  client.barrier = () => barrier.promise

  const detached = inbox.detach('worker', 1000)
  assert.deepEqual(inbox.axons, [])
  const task = give(inbox, taskOf())
  barrier.resolve(true)

  assert.equal(await detached, 0)
  assert.equal((await client.outcome(task)).signal.type, 'AGENT_OUTPUT')
  assert.equal(inbox.isHosting, false)
  give(inbox, taskOf())
  assert.equal(client.replies.at(-1).signal.payload.code, 'NO_SUCH_NEURON')
})
