// Thoughts of one turn as one run (docs/spec/03-routing.md, "Runs"): what a caller reads is the same with and without.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { idBytes } from '../../../src/signals/ids.js'
import { MAX_RUN_BYTES, MAX_TEXTS, readHeard } from '../../../src/signals/runs.js'
import { RUN } from '../../../src/wire/heads.js'
import { HeldTasks } from '../../../src/dendrite/worker/held-tasks.js'
import { CALLER, give, inboxOf, taskOf } from './fakes.js'

/** An inbox whose thoughts nobody in this process watches. */
function quiet(neuronFn, options) {
  const parts = inboxOf(neuronFn, options)
  parts.subscriptions.watchesTasks = false
  return parts
}
/** Stop the clock that ends a run within its turn, so that a slow machine ends none. */
const inOneMoment = (t) => t.mock.method(performance, 'now', () => 0)
const sizes = (client) => client.sent.map(({ body }) => readHeard(body).length)
const read = (client) =>
  client.sent.flatMap(({ body, index }) => readHeard(body).map((signal, k) => [index + k, signal]))
async function run(neuronFn, { flags = RUN, answers = [], ...options } = {}) {
  const { client, inbox } = quiet(neuronFn, options)
  client.answers = answers
  const task = give(inbox, taskOf(), { flags })
  await client.outcome(task)
  return { client, inbox, task }
}

test('the texts of one turn are one run, numbered and each under its id, ahead of the reply', async (t) => {
  inOneMoment(t)
  const said = []
  const { client, task } = await run(async (_, context) => {
    await context.think('at once') // nothing was said before it
    for (const text of ['a', 'b', 'ü']) said.push(await context.think(text))
    await turn()
    said.push(await context.think('later'))
    return {}
  })

  assert.deepEqual(sizes(client), [1, 3, 1, 1])
  assert.deepEqual(client.sent.map(({ isRun }) => isRun), [false, true, false, false]) // prettier-ignore
  const all = read(client)
  assert.deepEqual(all.map(([index]) => index), [0, 1, 2, 3, 4, 5]) // prettier-ignore
  assert.deepEqual(all.slice(1, 5).map(([, signal]) => signal), said) // prettier-ignore
  assert.deepEqual(
    all.slice(0, 5).map(([, { payload, parentId }]) => [payload.delta, payload.seq, parentId]),
    ['at once', 'a', 'b', 'ü', 'later'].map((text, seq) => [text, seq, task.id]),
  )
})

test('without the flag, or with a handler of ours, each text travels alone', async () => {
  async function* texts() {
    yield* ['a', 'b', 'c']
  }
  assert.deepEqual(sizes((await run(texts, { flags: 0 })).client), [1, 1, 1, 1])
  const { client, inbox, subscriptions } = inboxOf(texts)
  const task = give(inbox, taskOf(), { flags: RUN })
  await client.outcome(task)

  assert.deepEqual(sizes(client), [1, 1, 1, 1])
  assert.equal(subscriptions.shown.filter(({ type }) => type === 'THOUGHT_DELTA').length, 3)
})

test('a child task goes behind what was said before it', async (t) => {
  inOneMoment(t)
  let sentBefore
  const parts = quiet(
    async (_, context) => {
      for (const text of ['a', 'b', 'c']) await context.think(text)
      await context.ask({ neuron: 'n', input: 1 })
      return {}
    },
    {
      caller: {
        ask: async () => {
          sentBefore = sizes(parts.client)
        },
      },
    },
  )
  await parts.client.outcome(give(parts.inbox, taskOf(), { flags: RUN }))

  assert.deepEqual(sentBefore, [1, 2])
})

test('anything else of the task goes behind what was said before it', async (t) => {
  inOneMoment(t)
  const { client } = await run(async (_, context) => {
    for (const text of ['a', 'b', 'c']) context.think(text)
    context.think('why', { kind: 'reasoning' })
    context.think('d')
    context.plan(['x'])
    context.think('e')
    context.think('f')
    return {}
  })

  assert.deepEqual(
    read(client).map(([, { type, payload }]) => payload.delta ?? type),
    ['a', 'b', 'c', 'why', 'd', 'PLAN', 'e', 'f', 'AGENT_OUTPUT'],
  )
  assert.deepEqual(sizes(client), [1, 2, 1, 1, 1, 2, 1])
})

test('a run has at most 128 texts and 16 KiB, and a long or invalid text travels alone', async (t) => {
  inOneMoment(t)
  const { client } = await run(async function* texts() {
    for (let at = 0; at < 3000; at++) yield 'x'
    for (let at = 0; at < 6; at++) yield 'y'.repeat(4000)
    yield 'z'.repeat(5000)
  })

  assert.ok(Math.max(...sizes(client)) <= MAX_TEXTS)
  assert.ok(sizes(client).includes(MAX_TEXTS))
  for (const { body, isRun } of client.sent) if (isRun) assert.ok(body.length <= MAX_RUN_BYTES)
  assert.equal(read(client).length, 3008)
  await run(async (_, context) => {
    context.think('a')
    assert.throws(() => context.think('\ud800'), { name: 'UnencodableValue' })
    return {}
  })
})

test('a Neuron that never waits lets the loop run after each full run', async () => {
  let turns = 0
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      await turn()
      turns++
    }
  })()
  await run(async function* texts() {
    for (let at = 0; at < 1280; at++) yield 'x'
  })
  isOver = true
  await counting

  assert.ok(turns >= 9, `${turns} turns`)
})

test('without room a run waits, its Neuron too, and everything keeps its order', async () => {
  const { client, inbox } = quiet(async function* texts() {
    for (let at = 0; at < 10; at++) yield String(at)
  })
  client.answers = ['SENT', 'BUSY', 'BUSY', 'WAITING']
  const task = give(inbox, taskOf(), { flags: RUN })
  const over = client.outcome(task)
  for (let left = 50; left > 0; left--) {
    await turn()
    client.makeRoom()
  }
  await over

  assert.deepEqual(
    read(client).map(([index, { payload }]) => [index, payload.delta]),
    [...Array.from({ length: 10 }, (_, at) => [at, String(at)]), [10, undefined]],
  )
})

test('a resync sends a run again whole, from the one on that holds what is asked for', async (t) => {
  inOneMoment(t)
  const { client, inbox, task } = await run(async (_, context) => {
    for (const text of ['a', 'b', 'c', 'd']) context.think(text)
    return {}
  })
  const { jobs, replyCache } = inbox
  const held = new HeldTasks({ client, jobs, replyCache })
  client.replies = []

  held.sendAgain(CALLER, idBytes(task.id), 3)

  assert.deepEqual(client.replies.map(({ index, isRun, settles }) => [index, isRun, settles]), [
    [1, true, false],
    [4, false, true],
  ]) // prettier-ignore
  assert.equal(readHeard(client.replies[0].body).length, 3)
})

test('a task that is cancelled keeps what it has said, and says nothing more', async () => {
  const { client, inbox } = quiet(async (_, context) => {
    for (const text of ['a', 'b', 'c']) context.think(text)
    await pause(60_000, undefined, { signal: context.signal }).catch(() => {})
    await context.think('late').catch(() => {})
  })
  const task = give(inbox, taskOf(), { flags: RUN })
  await turn()
  inbox.onCancel(CALLER, idBytes(task.id))
  await client.outcome(task)

  assert.deepEqual(read(client).map(([, { payload }]) => payload.delta ?? payload.code), ['a', 'b', 'c', 'CANCELLED']) // prettier-ignore
})

const step = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 8 }).map((text) => ({ text: text.replaceAll(/[\ud800-\udfff]/g, '') })) }, // prettier-ignore
  { weight: 1, arbitrary: fc.constant({ text: 'why', kind: 'reasoning' }) },
  { weight: 1, arbitrary: fc.constant({ plan: true }) },
  { weight: 2, arbitrary: fc.constant({ turn: true }) },
)

test('what a caller reads is the same with and without runs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (script) => {
      const neuronFn = async (_, context) => {
        for (const { text, kind, plan, turn: ends } of script) {
          if (ends) await turn()
          else if (plan) await context.plan(['x'])
          else await context.think(text, { kind })
        }
        return {}
      }
      const [plain, runs] = await Promise.all([run(neuronFn, { flags: 0 }), run(neuronFn)])
      const seen = ({ client }) => read(client).map(([index, { type, payload }]) => [index, type, payload]) // prettier-ignore

      assert.deepEqual(seen(runs), seen(plain))
      const ids = read(runs.client).map(([, { id }]) => id)
      assert.equal(new Set(ids).size, ids.length)
    }),
    { numRuns: 60 },
  )
})
