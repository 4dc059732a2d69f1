// The child tasks of a Neuron: their Pathways, their AbortSignals, and those that it leaves behind.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { isSet } from 'node:util/types'
import { Pathway } from '../../../src/dendrite/caller/pathway.js'
import { InvalidArgument, NeuronError } from '../../../src/errors.js'
import { newTraceId } from '../../../src/signals/ids.js'
import { Signal } from '../../../src/signals/signals.js'
import { deferred, give, inboxOf, taskOf } from './fakes.js'

const signalOf = (type) => new Signal({ type, payload: { delta: 'x', seq: 0 } })

/** Return how much an AbortSignal holds on to: its listeners, and what AbortSignal.any made of it. */
function heldBy(signal) {
  const sets = Object.getOwnPropertySymbols(signal).map((each) => signal[each])
  const made = sets.filter((each) => isSet(each)).reduce((sum, { size }) => sum + size, 0)
  return getEventListeners(signal, 'abort').length + made
}

/** A caller whose `dispatch` returns a Pathway that the test feeds. */
function dispatching() {
  const calls = []
  const caller = {
    dispatch: (options) => {
      const pathway = new Pathway(newTraceId(), { task: signalOf('TASK') })
      options.signal.addEventListener('abort', () => pathway.close())
      calls.push({ options, pathway })
      return pathway
    },
  }
  return { calls, caller }
}

test('a Neuron reads the Pathway of its child task from the first Signal on', async () => {
  const { calls, caller } = dispatching()
  const read = []
  const { client, inbox } = inboxOf(
    async (_, context) => {
      const pathway = context.dispatch({ neuron: 'n', input: 1 })
      for (let at = 0; at < 2; at++) read.push((await pathway.wait()).type)
      return {}
    },
    { caller },
  )
  const task = give(inbox, taskOf())
  calls[0].pathway.take(signalOf('PLAN'))
  await turn()
  calls[0].pathway.take(signalOf('THOUGHT_DELTA'))
  await client.outcome(task)

  assert.deepEqual(read, ['PLAN', 'THOUGHT_DELTA'])
})

test('a child task that streams is cancelled when its parent ends', async () => {
  const { calls, caller } = dispatching()
  const gate = deferred()
  const { client, inbox } = inboxOf(
    async (_, context) => {
      context.dispatch({ neuron: 'n', input: 1 })
      await gate.promise
      return {}
    },
    { caller },
  )
  const task = give(inbox, taskOf())
  calls[0].pathway.take(signalOf('THOUGHT_DELTA'))
  await turn()
  gate.resolve()
  await client.outcome(task)

  assert.equal(calls[0].options.signal.aborted, true)
  assert.equal(calls[0].pathway.closed, true)
})

test('an AbortSignal that lives long keeps nothing of the children that had it', async () => {
  const long = new AbortController()
  const { calls, caller } = dispatching()
  const all = { ...caller, ask: async () => 1, dispatchAndWait: async () => Promise.reject(1) }
  const { client, inbox } = inboxOf(
    async (_, context) => {
      const options = { neuron: 'n', input: 1, signal: long.signal }
      await context.ask(options)
      await assert.rejects(context.dispatchAndWait(options))
      context.dispatch(options)
      calls[0].pathway.close()
      return { held: heldBy(long.signal) }
    },
    { caller: all },
  )
  const task = give(inbox, taskOf())

  const { signal } = await client.outcome(task)

  assert.deepEqual(signal.payload.output, { held: 0 })
})

test('an abort of either signal reaches the child with its reason', async () => {
  const own = new AbortController()
  const { calls, caller } = dispatching()
  const gate = deferred()
  const { client, inbox } = inboxOf(
    async (_, context) => {
      context.dispatch({ neuron: 'n', input: 1, signal: own.signal })
      await gate.promise
      return {}
    },
    { caller },
  )
  const task = give(inbox, taskOf())
  own.abort(null)

  assert.equal(calls[0].options.signal.aborted, true)
  assert.equal(calls[0].options.signal.reason, null)
  gate.resolve()
  await client.outcome(task)
})

test('what is no AbortSignal is refused, and a call that throws leaves nothing', async () => {
  const long = new AbortController()
  const caller = {
    dispatch: () => {
      throw new InvalidArgument('no')
    },
  }
  const faults = []
  const { client, inbox } = inboxOf(
    async (_, context) => {
      await context.ask({ neuron: 'n', signal: 5 }).catch((error) => faults.push(error))
      try {
        context.dispatch({ neuron: 'n', signal: long.signal })
      } catch (error) {
        faults.push(error)
      }
      return {}
    },
    { caller },
  )
  await client.outcome(give(inbox, taskOf()))

  assert.deepEqual(
    faults.map((each) => each.constructor),
    [InvalidArgument, InvalidArgument],
  )
  assert.equal(heldBy(long.signal), 0)
})

test('a child call that its Neuron has left is rejected, and ends no process', async (t) => {
  const unhandled = []
  const onUnhandled = (error) => unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  t.after(() => process.off('unhandledRejection', onUnhandled))
  const caller = {
    ask: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  let left
  const { client, inbox } = inboxOf(
    (_, context) => {
      left = context.ask({ neuron: 'n', input: 1 })
      return {}
    },
    { caller },
  )
  await client.outcome(give(inbox, taskOf()))
  await turn()
  await turn()

  assert.deepEqual(unhandled, [])
  await assert.rejects(left, NeuronError)
})
