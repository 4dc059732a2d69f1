// The check of an output: what it is called with, and what a caller is told.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { NeuronError } from '../../../src/errors.js'
import { ask, inboxOf } from './fakes.js'

const answered = async (neuronFn, checkOutput, extra = {}) => {
  const { client, inbox, warnings } = inboxOf(neuronFn, { checkOutput })
  const { type, payload } = await ask(client, inbox, {}, extra)
  return { type, payload, warnings }
}

test('a check of an output is a function or a Standard Schema', () => {
  for (const checkOutput of [1, {}, { '~standard': {} }])
    assert.throws(
      () => new Axon({ neuronId: 'a', neuronFn: () => null, checkOutput }),
      /checkOutput must be a function or a Standard Schema/,
    )
  assert.equal(new Axon({ neuronId: 'a', neuronFn: () => null }).outputFindingsOf, null)
})

const FITS = [
  ['at once', () => []],
  ['later', async () => null],
]
for (const [when, checkOutput] of FITS) {
  test(`an output that fits is sent as it is, told ${when}`, async () => {
    const { type, payload } = await answered(() => ({ text: 'a' }), checkOutput)

    assert.equal(type, 'AGENT_OUTPUT')
    assert.deepEqual(payload, { output: { text: 'a' } })
  })
}

async function* streamed() {
  yield 'Rosebud'
}
const KINDS = [
  ['a plain function', () => ({ response: 'Rosebud' })],
  ['an async function', async () => ({ response: 'Rosebud' })],
  ['a generator', streamed],
]
for (const [what, neuronFn] of KINDS) {
  for (const isAsync of [false, true]) {
    test(`an output of ${what} that does not fit is BAD_OUTPUT without its values (async: ${isAsync})`, async () => {
      const find = ({ response }) => [`response: ${response} is too long`, ...'123456']
      const { type, payload } = await answered(neuronFn, isAsync ? async (o) => find(o) : find)

      assert.equal(type, 'ERROR')
      assert.equal(payload.code, 'BAD_OUTPUT')
      assert.equal(
        payload.message,
        'the output does not fit: response: … is too long; 1; 2; 3; 4; and 2 more',
      )
      assert.equal(payload.recoverable, false)
    })
  }
}

test('an object of Standard Schema is asked, and its paths are told', async () => {
  const issues = [{ message: 'must be a text', path: ['text'] }, { message: 'is wrong' }]
  const schema = { '~standard': { version: 1, validate: () => ({ issues }) } }

  const { payload } = await answered(() => ({ text: 1 }), schema)

  assert.equal(payload.message, 'the output does not fit: text: must be a text; output: is wrong')
})

test('a check receives what the caller would, also for a FINAL', async () => {
  const seen = []
  const check = (output) => seen.push(output) && []

  await answered(() => 7, check)
  await answered(() => undefined, check)
  const { type } = await answered(() => ({ a: 1 }), check, { finalize: true })

  assert.deepEqual(seen, [{ value: 7 }, { value: null }, { a: 1 }])
  assert.equal(type, 'FINAL')
})

test('a question and an ERROR are not checked', async () => {
  const never = () => assert.fail('it is asked')
  const question = await answered(() => ({ __clarification__: true, question: 'q' }), never)
  const returned = await answered(() => ({ __error__: true, code: 'NO_FILE', message: 'm' }), never)
  const thrown = await answered(() => {
    throw new NeuronError('NO_FILE', 'm')
  }, never)

  assert.deepEqual(
    [question.type, returned.payload.code, thrown.payload.code],
    ['CLARIFICATION', 'NO_FILE', 'NO_FILE'],
  )
})

const broken = () => {
  throw new TypeError('Rosebud has no length')
}
for (const check of [broken, async () => broken(), () => 7]) {
  test(`a check that fails refuses the output and is told in a warning: ${check}`, async () => {
    const { payload, warnings } = await answered(() => ({ text: 'Rosebud' }), check)

    assert.deepEqual(
      [payload.code, payload.message],
      ['BAD_OUTPUT', 'the output does not fit: output: its check has failed'],
    )
    assert.equal(warnings.said.length, 1)
    assert.match(warnings.said[0].text, /neuron worker: the check of its output threw TypeError/)
  })
}
