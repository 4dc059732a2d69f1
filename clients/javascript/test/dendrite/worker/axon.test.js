import assert from 'node:assert/strict'
import test from 'node:test'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { streamedPayload } from '../../../src/dendrite/worker/streamed.js'
import { InvalidArgument } from '../../../src/errors.js'

const neuronFn = async () => null

test('an Axon has 64 places and room for 1,024 tasks by default', () => {
  const axon = new Axon({ neuronId: 'a', neuronFn })

  assert.equal(axon.concurrency, 64)
  assert.equal(axon.maxQueued, 1024)
  assert.deepEqual([...axon.capabilities], [])
  assert.equal(axon.version, null)
  assert.deepEqual({ ...axon.producer }, { id: 'a', type: 'neuron', capabilities: [] })
})

class Chat {}
const WRONG = [
  ['nothing', undefined, /new Axon takes an object of options, not undefined/],
  [
    'an unknown option',
    { neuronId: 'a', neuronFn, neuronID: 'b' },
    /new Axon has no option 'neuronID': did you mean 'neuronId'\?/,
  ],
  ['no name', { neuronFn }, /neuronId must be 1 to 128 characters/],
  ['an invalid name', { neuronId: 'a b', neuronFn }, /neuronId must be .* not 'a b'/],
  ['no function', { neuronId: 'a' }, /neuronFn must be a function, not undefined/],
  ['a class', { neuronId: 'a', neuronFn: Chat }, /not the class Chat: pass a method/],
  ['a text as capabilities', { neuronId: 'a', neuronFn, capabilities: 'x' }, /capabilities/],
  ['an invalid capability', { neuronId: 'a', neuronFn, capabilities: ['?'] }, /capability/],
  [
    'no place',
    { neuronId: 'a', neuronFn, concurrency: 0 },
    /concurrency must be .* at least 1, not 0/,
  ],
  ['half a place', { neuronId: 'a', neuronFn, concurrency: 1.5 }, /concurrency/],
  [
    'a negative queue',
    { neuronId: 'a', neuronFn, maxQueued: -1 },
    /maxQueued .* at least 0, not -1/,
  ],
  ['a number as version', { neuronId: 'a', neuronFn, version: 1 }, /version must be a text, not 1/],
  ['a list as fetcher', { neuronId: 'a', neuronFn, contextFetcher: [] }, /contextFetcher/],
]
for (const [what, options, text] of WRONG) {
  test(`an Axon with ${what} is refused with words that help`, () => {
    assert.throws(
      () => new Axon(options),
      (error) => error instanceof InvalidArgument && text.test(error.message),
    )
  })
}

test('an Axon cannot be changed after it was made', () => {
  const axon = new Axon({ neuronId: 'a', neuronFn, capabilities: ['x', 'x'] })

  assert.throws(() => {
    axon.concurrency = 1
  }, TypeError)
  assert.throws(() => axon.capabilities.push('y'), TypeError)
  assert.deepEqual([...axon.capabilities], ['x'])
})

test('a streamed payload has its defaults and no empty keys', () => {
  const call = streamedPayload('TOOL_CALL', { tool_name: 't', call_id: undefined })
  assert.match(call.call_id, /^evt_/)
  assert.deepEqual({ ...call, call_id: '' }, { tool_name: 't', tool: 't', args: {}, call_id: '' })
  assert.deepEqual(streamedPayload('TOOL_RESULT', { tool_name: 't', call_id: 'c', error: 'e' }), {
    tool_name: 't',
    tool: 't',
    call_id: 'c',
    error: 'e',
  })
  assert.deepEqual(streamedPayload('CONTEXT_SYNC', { snapshot: null }), { snapshot: null })
})

test('a streamed payload is refused with all that is wrong with it', () => {
  assert.throws(
    () => streamedPayload('CRITIQUE', { issues: [], verdikt: 'x' }),
    /a CRITIQUE takes { target_event_id, issues, verdict }: target_event_id is missing; verdict is missing; verdikt is unknown/,
  )
  assert.throws(() => streamedPayload('AGENT_OUTPUT', {}), /return it, or throw it/)
  assert.throws(() => streamedPayload('toString', {}), /cannot emit toString/)
})
