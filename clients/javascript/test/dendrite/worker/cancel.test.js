// How a task ends that nobody wants any more: docs/spec/03-routing.md, "CANCEL"; 07-signals.md,
// "Stopping a trace".
import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { StopReceiver } from '../../../src/dendrite/worker/stop-receiver.js'
import { idBytes } from '../../../src/signals/ids.js'
import { Signal } from '../../../src/signals/signals.js'
import { CALLER, deferred, give, inboxOf, taskOf } from './fakes.js'

const cancel = (inbox, task) => inbox.onCancel(CALLER, idBytes(task.id))

/** A function that ends when its AbortSignal says so, and tells why. */
const heeding =
  (reasons = []) =>
  (_, context) =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        reasons.push(context.signal.reason)
        reject(context.signal.reason)
      })
    })

test('a cancelled function gets the reason by its AbortSignal, and its task is CANCELLED', async () => {
  const reasons = []
  const { client, inbox, subscriptions, warnings } = inboxOf(heeding(reasons))
  const task = give(inbox, taskOf())

  cancel(inbox, task)
  cancel(inbox, task)

  const { signal } = await client.outcome(task)
  assert.equal(signal.payload.code, 'CANCELLED')
  assert.deepEqual(
    reasons.map((reason) => reason.code),
    ['CANCELLED'],
  )
  assert.equal(inbox.jobs.size, 0)
  assert.deepEqual(warnings.said, [])
  const shown = subscriptions.shown.map(({ type }) => type)
  assert.deepEqual(shown, ['TASK'], 'its caller has published how it ended')
})

test('an AbortSignal that is first read after the cancellation is aborted', async () => {
  const gate = deferred()
  let signal
  const { client, inbox } = inboxOf(async (_, context) => {
    await gate.promise
    signal = context.signal
    return {}
  })
  const task = give(inbox, taskOf())

  cancel(inbox, task)
  gate.resolve()
  await client.outcome(task)

  assert.equal(signal.aborted, true)
  assert.equal(signal.reason.code, 'CANCELLED')
})

const ENDS = [
  ['returns a value', (gate) => gate.promise],
  [
    'throws something else',
    async (gate) => {
      await gate.promise
      throw new TypeError('x')
    },
  ],
]
for (const [what, end] of ENDS) {
  test(`a cancelled function that ${what} is CANCELLED all the same`, async () => {
    const gate = deferred()
    const { client, inbox } = inboxOf(() => end(gate))
    const task = give(inbox, taskOf())

    cancel(inbox, task)
    gate.resolve({})

    assert.equal((await client.outcome(task)).signal.payload.code, 'CANCELLED')
  })
}

test('a task that is cancelled before it begins never runs, and frees no place', async () => {
  let runs = 0
  const gate = deferred()
  const neuronFn = () => {
    runs++
    return gate.promise
  }
  const { client, inbox } = inboxOf(neuronFn, { concurrency: 1 })
  give(inbox, taskOf())
  const waiting = give(inbox, taskOf())

  cancel(inbox, waiting)

  assert.equal((await client.outcome(waiting)).signal.payload.code, 'CANCELLED')
  assert.deepEqual(inbox.load('worker'), { running: 1, queued: 0 })
  assert.equal(runs, 1)
})

test('a CANCEL of another caller, or for an unknown task, has no effect', () => {
  const { client, inbox } = inboxOf(heeding())
  const task = give(inbox, taskOf())

  inbox.onCancel(Buffer.alloc(16, 9), idBytes(task.id))
  cancel(inbox, taskOf())

  assert.deepEqual(client.replies, [])
  assert.equal(inbox.jobs.size, 1)
})

test('a function that ignores its cancellation is CANCEL_TIMEOUT after 1 s, and keeps its place', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gates = []
  const neuronFn = () => {
    gates.push(deferred())
    return gates.at(-1).promise
  }
  const { client, inbox, warnings } = inboxOf(neuronFn, { concurrency: 1 })
  const task = give(inbox, taskOf())
  const next = give(inbox, taskOf())

  cancel(inbox, task)
  t.mock.timers.tick(999)
  assert.deepEqual(client.replies, [])
  t.mock.timers.tick(1)

  const { signal } = await client.outcome(task)
  assert.equal(signal.payload.code, 'CANCEL_TIMEOUT')
  assert.match(signal.payload.message, /within 1 s after its cancellation: give the signal/)
  assert.deepEqual(inbox.load('worker'), { running: 1, queued: 1 })
  assert.equal(inbox.counts.leaked_places, 1)
  assert.match(warnings.said[0].text, /^neuron worker: its function did not end/)
  gates[0].resolve()
  while (gates.length < 2) await turn()
  gates[1].resolve({})
  await client.outcome(next)
  assert.equal(client.replies.length, 2, 'the first one was answered once')
  assert.deepEqual(inbox.load('worker'), { running: 0, queued: 0 })
})

test('a task that its caller has forgotten is EXPIRED at its deadline, also in the queue', async () => {
  const { client, inbox } = inboxOf(heeding(), { concurrency: 1 })

  const tasks = [1, 2].map(() => give(inbox, taskOf(), { ttlMs: 1 }))

  const codes = await Promise.all(
    tasks.map(async (task) => (await client.outcome(task)).signal.payload.code),
  )
  assert.deepEqual(codes, ['EXPIRED', 'EXPIRED'])
  assert.deepEqual(inbox.load('worker'), { running: 0, queued: 0 })
})

test('a generator that waits is closed when it is cancelled, and its finally runs', async () => {
  const order = []
  const { client, inbox } = inboxOf(async function* (_, context) {
    try {
      yield 'a'
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
      yield 'b'
      order.push('never')
    } finally {
      order.push('finally')
    }
  })
  const task = give(inbox, taskOf())
  await client.until(() => client.replies.length === 1)
  await turn()

  cancel(inbox, task)
  const { signal } = await client.outcome(task)

  assert.equal(signal.payload.code, 'CANCELLED')
  assert.deepEqual(order, ['finally'])
  assert.equal(client.replies.length, 2)
})

test('what a cancelled function says is dropped and counted, and only one that awaits it hears', async () => {
  const heard = []
  const { client, inbox } = inboxOf(async (_, context) => {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
    context.think('nobody awaits this')
    await context.think('x').catch((error) => heard.push(error.code))
    await context.ask({ neuron: 'other', input: {} }).catch((error) => heard.push(error.code))
  })
  const task = give(inbox, taskOf())
  await turn()

  cancel(inbox, task)
  await client.outcome(task)

  assert.deepEqual(heard, ['CANCELLED', 'CANCELLED'])
  assert.equal(client.replies.length, 1)
  assert.equal(inbox.counts['drop.said_late'], 2)
})

test('what a function says after its end is dropped and counted', async () => {
  let late
  const { client, inbox } = inboxOf(async (_, context) => {
    late = context
    return {}
  })
  await client.outcome(give(inbox, taskOf()))

  late.think('x')

  await assert.rejects(late.think('y'), /the task has ended: nothing is sent for it any more/)
  assert.equal(late.cancelled, true)
  assert.equal(inbox.counts['drop.said_late'], 2)
  assert.equal(client.replies.length, 1)
})

// ---- STOP

function stopping(neuronFn) {
  const parts = inboxOf(neuronFn)
  const { client, inbox } = parts
  const stopped = []
  const publisher = {
    isHeard: true,
    publish: (signal, to) => {
      stopped.push(signal)
      stopped.to = to
      return publisher.isHeard ? 1 : 0
    },
    publishAgain: (signal) => {
      stopped.push(signal)
      return 1
    },
  }
  const receiver = new StopReceiver({ client, publisher, inbox, dendriteId: 'd' })
  return { ...parts, publisher, receiver, stopped }
}
const stopOf = (traceId, meta = {}) =>
  new Signal({ type: 'STOP', traceId, payload: { rollback: false }, meta })

test('a STOP cancels the tasks of its trace and is answered once they have ended', async () => {
  const { client, inbox, receiver, stopped } = stopping(heeding())
  const first = give(inbox, taskOf())
  const second = give(inbox, taskOf({}, { traceId: first.traceId }))
  give(inbox, taskOf())
  const stop = stopOf(first.traceId)

  receiver.onStop(stop, null, true)
  await Promise.all([client.outcome(first), client.outcome(second)])
  while (stopped.length === 0) await turn()

  assert.deepEqual(
    client.replies.map(({ signal }) => signal.payload.code),
    ['CANCELLED', 'CANCELLED'],
  )
  assert.equal(inbox.jobs.size, 1)
  const [answer] = stopped
  assert.equal(answer.type, 'STOPPED')
  assert.equal(answer.parentId, stop.id)
  assert.deepEqual(answer.payload, { cancelled: 2, rolled_back: 0, node: 'd' })
  assert.deepEqual(answer.meta, { instance: client.instance.toString('hex') })
})

test('a second STOP of a trace that is being stopped cancels nothing again', async () => {
  const reasons = []
  const gate = deferred()
  const { inbox, receiver, stopped } = stopping(async (_, context) => {
    context.signal.addEventListener('abort', () => reasons.push(1))
    await gate.promise
  })
  const task = give(inbox, taskOf())

  receiver.onStop(stopOf(task.traceId))
  receiver.onStop(stopOf(task.traceId))
  cancel(inbox, task)
  await turn()
  gate.resolve()
  while (stopped.length < 2) await turn()

  assert.deepEqual(reasons, [1])
  assert.deepEqual(
    stopped.map(({ payload }) => payload.cancelled),
    [1, 0],
  )
})

test('a STOP for a trace without tasks is answered, again until somebody hears it', async () => {
  const { publisher, receiver, stopped } = stopping(heeding())
  publisher.isHeard = false

  receiver.onStop(stopOf(taskOf().traceId, { acks: true }))
  while (stopped.length < 2) await turn()

  assert.equal(stopped[0], stopped[1])
  assert.equal(stopped[0].payload.cancelled, 0)
})

test('a STOP that comes both ways is obeyed and answered once, to the one that waits for it', async () => {
  const { client, receiver, stopped } = stopping(heeding())
  const sender = Buffer.alloc(16, 3)
  const stop = stopOf(taskOf().traceId, { acks: true })
  client.barrier = () => assert.fail('what was sent before it has come')

  receiver.onStop(stop, sender, true)
  receiver.onStop(stop, sender, false)
  while (stopped.length === 0) await turn()

  assert.deepEqual(stopped.to, { recipients: 4, peer: sender })
  assert.equal(stopped.length, 1)
})

test('a STOP with a trace id that is none is dropped', () => {
  const { receiver } = stopping(heeding())

  receiver.onStop({ traceId: 'trc_nonsense' })

  assert.deepEqual(receiver.counts, { 'drop.bad_stop': 1 })
})
