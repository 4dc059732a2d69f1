// What a dispatch says of wrong arguments, and the TASK that it makes of right ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../../src/options.js'
import { VERBS, taskFor } from '../../../src/dendrite/caller/tasks.js'
import { InvalidArgument, InvalidName } from '../../../src/errors.js'
import { newEventId, newTraceId } from '../../../src/signals/ids.js'

const refusal = (options, verb = VERBS.dispatch) => {
  try {
    taskFor(options, verb)
  } catch (error) {
    assert.ok(error instanceof InvalidArgument, String(error))
    return error.message
  }
  throw new Error('it was accepted')
}
const WITH = { neuron: 'worker', input: 1 }

test('a typo in the name of an option names the nearest one', () => {
  for (const [typo, meant] of [
    ['timeout_ms', 'timeoutMs'],
    ['timeout', 'timeoutMs'],
    ['nueron', 'neuron'],
    ['capability', 'capabilities'],
    ['trace_id', 'traceId'],
    ['abortSignal', 'signal'],
  ])
    assert.equal(
      refusal({ ...WITH, [typo]: 1 }),
      `dispatch has no option '${typo}': did you mean '${meant}'?`,
    )
})

test('an option that is like none lists all of them', () => {
  assert.match(refusal({ ...WITH, xyz: 1 }), /^dispatch has no option 'xyz'; it takes neuron, cap/)
})

test('an option of another verb is unknown', () => {
  assert.match(refusal({ ...WITH, scope: 'all' }, VERBS.ask), /^ask has no option 'scope'/)
  assert.match(
    refusal({ ...WITH, signal: AbortSignal.abort() }, VERBS.dispatchTask),
    /^dispatchTask has no option 'signal'/,
  )
})

test('exactly one of neuron and capabilities is needed', () => {
  assert.match(refusal({ ...WITH, capabilities: ['chat'] }), /either neuron or capabilities/)
  for (const options of [{}, { capabilities: [] }, { neuron: null }, { capabilities: null }])
    assert.match(refusal({ input: 1, ...options }), /needs neuron, the id of one, or capabilities/)
})

test('a timeout is a number of milliseconds over 0 that the wire can carry', () => {
  for (const timeoutMs of [NaN, '5000', null, 5n, {}])
    assert.match(refusal({ ...WITH, timeoutMs }), /timeoutMs must be a number of milliseconds, not/)
  for (const timeoutMs of [0, -1, 2 ** 32, Infinity])
    assert.match(refusal({ ...WITH, timeoutMs }), /timeoutMs must be over 0 and at most 4294967295/)
  for (const timeoutMs of [0.5, 1, 2 ** 32 - 1])
    assert.equal(taskFor({ ...WITH, timeoutMs }, VERBS.dispatch).timeoutMs, timeoutMs)
})

test('names, ids, meta and signal are checked', () => {
  assert.throws(() => taskFor({ neuron: 'a b' }, VERBS.ask), InvalidName)
  assert.throws(() => taskFor({ capabilities: ['ok', ''] }, VERBS.ask), InvalidName)
  assert.match(refusal({ capabilities: 5 }), /capabilities must be a list of names, not 5/)
  assert.match(refusal({ ...WITH, traceId: 'trc_1' }), /traceId must be an id/)
  assert.match(refusal({ ...WITH, parentId: 7 }), /parentId must be an id/)
  assert.match(refusal({ ...WITH, meta: [] }), /meta must be a plain object/)
  assert.match(refusal({ ...WITH, signal: new AbortController() }), /signal must be an AbortSignal/)
  assert.match(refusal(undefined), /dispatch takes an object of options, not undefined/)
})

test('a TASK carries what was given, under the keys of the specification', () => {
  const traceId = newTraceId()
  const parentId = newEventId()
  const { signal, trace, timeoutMs } = taskFor(
    {
      capabilities: new Set(['b', 'a', 'b']),
      input: { x: 1 },
      traceId,
      parentId,
      contextRef: ['c'],
      finalize: true,
      meta: { m: 1 },
    },
    VERBS.dispatchAndWait,
  )
  assert.equal(timeoutMs, 30_000)
  assert.deepEqual(
    { ...signal, id: 0, ts: 0, directed: { ...signal.directed } },
    {
      v: '1',
      id: 0,
      traceId,
      parentId,
      type: 'TASK',
      directed: { id: null, type: 'neuron', capabilities: ['b', 'a'] },
      ts: 0,
      payload: {
        input: { x: 1 },
        capabilities: ['b', 'a'],
        context_ref: ['c'],
        finalize: true,
      },
      meta: { m: 1 },
    },
  )
  assert.equal(trace.length, 16)
})

test('an input that is undefined travels as null', () => {
  assert.deepEqual(taskFor({ neuron: 'worker' }, VERBS.ask).signal.payload, { input: null })
})

test('one capability may be given as a text', () => {
  const { signal } = taskFor({ capabilities: 'chat' }, VERBS.ask)
  assert.deepEqual(signal.directed.capabilities, ['chat'])
})

test('no word is near to a text that is like none', () => {
  assert.equal(nearest('zzzz', ['neuron', 'input']), null)
})
