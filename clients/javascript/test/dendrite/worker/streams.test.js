// What a Neuron streams while it works: generators, and the calls of its context.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { idBytes } from '../../../src/signals/ids.js'
import { HeldTasks } from '../../../src/dendrite/worker/held-tasks.js'
import { CALLER, ask, deferred, give, inboxOf, taskOf } from './fakes.js'

const deltas = (client) =>
  client.replies
    .filter(({ signal }) => signal.type === 'THOUGHT_DELTA')
    .map(({ signal }) => signal.payload.delta)

const GENERATORS = [
  [
    'returns an object',
    function* () {
      yield 'a'
      yield { not: 'this' }
      return { this: 1 }
    },
    { this: 1 },
  ],
  [
    'yields an object last',
    function* () {
      yield 'a'
      yield { first: 1 }
      yield { last: 1 }
    },
    { last: 1 },
  ],
  [
    'yields texts only',
    function* () {
      yield 'a'
      yield 'b'
    },
    { response: 'ab' },
  ],
  ['yields nothing', function* () {}, { response: '' }],
  [
    'returns a text',
    function* () {
      yield 'a'
      return 'end'
    },
    { value: 'end' },
  ],
]
for (const [what, generator, output] of GENERATORS) {
  const asAsync = async function* (...all) {
    return yield* generator(...all)
  }
  const promised = async (...all) => asAsync(...all)
  const ways = [
    ['a generator', generator],
    ['an async generator', asAsync],
    ['a promise of one', promised],
  ]
  for (const [way, neuronFn] of ways) {
    test(`the output of ${way} that ${what} is ${JSON.stringify(output)}`, async () => {
      const { client, inbox } = inboxOf(neuronFn)

      assert.deepEqual((await ask(client, inbox)).payload, { output })
    })
  }
}

test('the texts of a generator are THOUGHT_DELTAs, numbered and in order before the reply', async () => {
  const { client, inbox } = inboxOf(async function* (_, context) {
    yield 'a'
    await context.think('b', { kind: 'reasoning' })
    yield 'c'
  })
  await ask(client, inbox)

  assert.deepEqual(
    client.replies.map(({ index, settles, signal: { type, payload } }) => [
      index,
      settles,
      type,
      payload,
    ]),
    [
      [0, false, 'THOUGHT_DELTA', { delta: 'a', seq: 0 }],
      [1, false, 'THOUGHT_DELTA', { delta: 'b', seq: 1, kind: 'reasoning' }],
      [2, false, 'THOUGHT_DELTA', { delta: 'c', seq: 2 }],
      [3, true, 'AGENT_OUTPUT', { output: { response: 'ac' } }],
    ],
  )
})

test('a generator that yields a number is told what it may yield, and is closed', async () => {
  let isClosed = false
  const { client, inbox } = inboxOf(async function* () {
    try {
      yield 1
    } finally {
      isClosed = true
    }
  })

  const { payload } = await ask(client, inbox)

  assert.equal(payload.code, 'NEURON_EXCEPTION')
  assert.match(payload.message, /a Neuron yields strings or a final object, not 1/)
  assert.equal(isClosed, true)
})

test('an async iterable without return is iterated over, an array is a value', async () => {
  const iterable = (pieces) => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ value: pieces.shift(), done: pieces.length === 0 }),
    }),
  })
  const first = inboxOf(() => iterable(['a', 'b', undefined]))
  const second = inboxOf(() => ['a', 'b'])

  const streamed = await ask(first.client, first.inbox)
  const whole = await ask(second.client, second.inbox)

  assert.deepEqual(deltas(first.client), ['a', 'b'])
  assert.deepEqual(streamed.payload.output, { response: 'ab' })
  assert.deepEqual(whole.payload.output, { value: ['a', 'b'] })
})

for (const isAsync of [true, false]) {
  test(`100,000 pieces of ${isAsync ? 'an async' : 'a plain'} generator do not starve the loop`, async () => {
    const plain = function* () {
      for (let n = 0; n < 100_000; n++) yield 'x'
    }
    const neuronFn = isAsync
      ? async function* () {
          yield* plain()
        }
      : plain
    const { client, inbox } = inboxOf(neuronFn)
    let sent = 0
    let mostBetweenTurns = 0
    client.sendReply = (...all) => {
      sent++
      if (all[6]) isOver = true
      return 'SENT'
    }
    let isOver = false

    give(inbox, taskOf())
    for (let before = 0; !isOver; before = sent) {
      await turn()
      mostBetweenTurns = Math.max(mostBetweenTurns, sent - before)
    }

    assert.equal(sent, 100_001)
    assert.ok(mostBetweenTurns <= 33, String(mostBetweenTurns))
  })
}

test('a generator is not stepped while there is no room, and nothing is lost', async () => {
  let steps = 0
  const { client, inbox } = inboxOf(async function* () {
    for (; steps < 5; steps++) yield String(steps)
  })
  client.answers = ['SENT', 'WAITING', 'BUSY']
  const task = give(inbox, taskOf())
  await turn()

  assert.equal(steps, 1, 'the second one waits')
  assert.equal(client.makeRoom(), 1)
  await turn()
  assert.equal(steps, 2, 'the third one found no room')
  assert.equal(client.makeRoom(), 1)
  await client.outcome(task)

  assert.deepEqual(
    client.sent.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5],
  )
  assert.deepEqual(client.sent.at(-1).signal.payload.output, { response: '01234' })
})

test('what nobody awaits waits in order, and the last reply behind it', async () => {
  const { client, inbox } = inboxOf(async (_, context) => {
    for (const text of ['a', 'b', 'c']) context.think(text)
    return {}
  })
  client.answers = ['BUSY', 'BUSY', 'SENT']
  const task = give(inbox, taskOf())
  await turn()
  assert.equal(client.sent.length, 0)
  client.makeRoom()
  await turn()
  client.makeRoom()
  await client.outcome(task)

  assert.deepEqual(
    client.sent.map(({ signal }) => signal.payload.delta ?? signal.type),
    ['a', 'b', 'c', 'AGENT_OUTPUT'],
  )
})

test('a function that never awaits is stopped by words when 1,024 Signals wait', async () => {
  const { client, inbox } = inboxOf(async (_, context) => {
    for (let n = 0; n < 5000; n++) context.think('x')
  })
  client.answers = Array(5000).fill('BUSY')
  const task = give(inbox, taskOf())
  await turn()
  client.answers = []
  client.makeRoom()

  const { signal, index } = await client.outcome(task)
  assert.equal(signal.payload.code, 'NEURON_EXCEPTION')
  assert.match(signal.payload.message, /1024 Signals of the task wait for room: await think\(\)/)
  assert.equal(index, 1024)
})

test('a task that waits for room is cancelled at once', async () => {
  const { client, inbox } = inboxOf(async function* () {
    yield 'a'
    yield 'b'
  })
  client.answers = ['BUSY']
  const task = give(inbox, taskOf())
  await turn()

  inbox.onCancel(CALLER, idBytes(task.id))

  assert.equal((await client.outcome(task)).signal.payload.code, 'CANCELLED')
  assert.equal(inbox.counts['drop.said_late'], 1)
})

test('every call of a context sends its Signal', async () => {
  const { client, inbox } = inboxOf(async (_, context) => {
    const call = await context.toolCall('search', { q: 1 })
    await context.toolResult(call, ['r'])
    await context.toolResult('search', undefined, { error: 'e', callId: 'c' })
    await context.plan(new Set(['s']), 'why')
    await context.emit('CRITIQUE', { target_event_id: 'e', issues: [], verdict: 'ok' })
    await context.emit('THOUGHT_DELTA', { delta: 't' })
    return { trace: context.traceId === context.task.traceId }
  })
  await ask(client, inbox)

  const [call, result, failed, ...others] = client.replies.map(({ signal }) => signal)
  assert.deepEqual(result.payload, {
    tool_name: 'search',
    tool: 'search',
    call_id: call.payload.call_id,
    result: ['r'],
  })
  assert.deepEqual(failed.payload, {
    tool_name: 'search',
    tool: 'search',
    call_id: 'c',
    error: 'e',
  })
  assert.deepEqual(
    others.map(({ type, payload }) => [type, payload]),
    [
      ['PLAN', { steps: ['s'], rationale: 'why' }],
      ['CRITIQUE', { target_event_id: 'e', issues: [], verdict: 'ok' }],
      ['THOUGHT_DELTA', { delta: 't', seq: 0 }],
      ['AGENT_OUTPUT', { output: { trace: true } }],
    ],
  )
})

test('a call with wrong arguments throws where it was made', async () => {
  const texts = []
  const { client, inbox } = inboxOf(async (_, context) => {
    const wrong = [
      () => context.think(1),
      () => context.toolResult(undefined),
      () => context.toolCall('t', { f: () => 1 }),
      () => context.emit('FINAL', {}),
      () => context.think('x'.repeat(2_000_000)),
    ]
    for (const each of wrong) assert.throws(each, (error) => texts.push(error.message) > 0)
    return {}
  })
  const { type } = await ask(client, inbox)

  assert.equal(type, 'AGENT_OUTPUT')
  assert.match(texts[0], /a thought must be a string, not 1/)
  assert.match(texts[1], /toolResult takes the name of a tool or its TOOL_CALL, not undefined/)
  assert.match(texts[2], /payload\.args\.f cannot be sent/)
  assert.match(texts[3], /return it, or throw it/)
  assert.match(texts[4], /the limit is 1,000,000/)
})

test('a child task has the trace, the parent and the time of its task, and ends with it', async () => {
  const calls = []
  const never = deferred()
  const caller = {
    dispatchAndWait: (options) => {
      calls.push(options)
      return never.promise
    },
    ask: async (options) => {
      calls.push(options)
      return { answer: 1 }
    },
  }
  const { client, inbox } = inboxOf(
    async (_, context) => {
      context.dispatchAndWait({ neuron: 'n', input: 1, timeoutMs: 1000 })
      return context.ask({ capabilities: ['c'], input: 2, traceId: 'mine', parentId: 'mine' })
    },
    { caller },
  )
  const task = give(inbox, taskOf(), { ttlMs: 20_000 })
  const { signal } = await client.outcome(task)

  assert.deepEqual(signal.payload.output, { answer: 1 })
  const [first, second] = calls
  for (const each of calls) {
    assert.equal(each.traceId, task.traceId)
    assert.equal(each.parentId, task.id)
  }
  assert.equal(first.timeoutMs, 1000)
  assert.ok(second.timeoutMs <= 20_000 && second.timeoutMs > 10_000)
  assert.equal(first.signal.aborted, true, 'it was still open when its parent ended')
  assert.match(first.signal.reason.message, /the task that it is a part of has ended/)
})

test('a cancelled task cancels its children, by a signal of their own too', async () => {
  const signals = []
  const own = new AbortController()
  const caller = {
    ask: (options) =>
      new Promise((_, reject) => {
        signals.push(options.signal)
        options.signal.addEventListener('abort', () => reject(options.signal.reason))
      }),
  }
  const neuronFn = (_, context) => context.ask({ neuron: 'n', input: 1, signal: own.signal })
  const { client, inbox } = inboxOf(neuronFn, { caller })
  const task = give(inbox, taskOf())

  inbox.onCancel(CALLER, idBytes(task.id))
  await client.outcome(task)

  assert.equal(signals[0].aborted, true)
})

test('a worker claims what runs, has ended or is forgotten, and sends replies again', async () => {
  const gate = deferred()
  const { client, inbox } = inboxOf(async function* (input) {
    yield 'x'.repeat(input.size ?? 1)
    yield 'x'.repeat(input.size ?? 1)
    if (input.waits) await gate.promise
  })
  const { jobs, replyCache } = inbox
  const held = new HeldTasks({ client, jobs, replyCache })
  const running = give(inbox, taskOf({ waits: true, size: 600_000 }), { ttlMs: 5000 })
  const ended = give(inbox, taskOf())
  await client.outcome(ended)
  const of = (task) => client.replies.filter((each) => each.task.equals(idBytes(task.id)))
  await client.until(() => of(running).length === 2)
  await turn()
  const claim = (task) => held.claimOf(CALLER, idBytes(task.id))
  const again = (task, index) => {
    client.replies = []
    held.sendAgain(CALLER, idBytes(task.id), index)
    return client.replies.map((each) => [each.index, each.settles, each.skips])
  }

  const [row] = held.heldTasks()
  assert.deepEqual(row, { ...claim(running), leftMs: row.leftMs }) // time runs on in between
  assert.equal(row.claim, 0)
  assert.equal(row.neuronId, 'worker')
  assert.ok(row.trace.equals(idBytes(running.traceId)))
  assert.ok(row.leftMs > 0 && row.leftMs <= 5000)
  assert.deepEqual(again(running, 0), [[1, false, true]], 'the first is over 1 MiB')
  assert.equal(claim(ended).claim, 1)
  assert.equal(claim(ended).neuronId, 'worker', 'a key may serve it alone')
  assert.equal(claim(taskOf()), null)
  assert.deepEqual(again(ended, 0), [
    [0, false, false],
    [1, false, false],
    [2, true, false],
  ])
  assert.deepEqual(again(ended, 2), [[2, true, false]])
  replyCache.expire(performance.now() + 60_000)
  assert.deepEqual([claim(ended).claim, claim(ended).neuronId], [2, '-'])
  assert.deepEqual(again(ended, 0), [])
  gate.resolve()
})
