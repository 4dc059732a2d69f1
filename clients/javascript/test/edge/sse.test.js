// Signals as server-sent events, without a socket. Over HTTP: streams.test.js.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Signal } from '../../src/index.js'
import { CUT_OFF, event, eventOf, isOver, KEEP_ALIVE, settles } from '../../src/edge/sse.js'
import { textPieces } from '../../src/edge/streaming.js'

const TRACE = 'trc_' + '0a'.repeat(13)
const signal = (type, payload) => new Signal({ type, traceId: TRACE, payload })

for (const [type, payload, text] of [
  ['THOUGHT_DELTA', { delta: 'a\nb', seq: 0 }, 'thought\ndata: {"delta": "a\\nb", "seq": 0}\n\n'],
  ['AGENT_OUTPUT', { output: { n: 1 } }, `output\ndata: {"n": 1}\nid: end-${TRACE}\n\n`],
  ['FINAL', { result: { n: 1 } }, `output\ndata: {"n": 1}\nid: end-${TRACE}\n\n`],
  ['TOOL_CALL', { tool_name: 't' }, 'tool_call\ndata: {"tool_name": "t"}\n\n'],
  ['PLAN', { steps: ['a'] }, 'plan\ndata: {"steps": ["a"]}\n\n'],
  [
    'ERROR',
    { code: 'NO_GOOD', message: 'why', recoverable: false },
    `error\ndata: {"error": "why", "code": "NO_GOOD", "retry": false, "trace_id": "${TRACE}"}\nid: end-${TRACE}\n\n`,
  ],
]) {
  test(`a ${type} has its event`, () => {
    assert.equal(eventOf(signal(type, payload)), `event: ${text}`)
    assert.equal(settles(signal(type, payload)), text.includes('id: '))
  })
}

for (const type of ['CLARIFICATION', 'PERMISSION', 'ESCALATION']) {
  test(`a ${type} is the event question, and may be the last`, () => {
    const said = eventOf(signal(type, { reason: 'why' }))

    assert.match(said, /^event: question\ndata: \{"error": "the Neuron sent/)
    assert.match(said, /"reason": "why"\}\nid: end-/)
  })
}

test('a gap is an event before the one that follows it', () => {
  const said = eventOf(signal('THOUGHT_DELTA', { delta: 'a' }), 7)

  assert.equal(said, 'event: gap\ndata: {"missed": 7}\n\nevent: thought\ndata: {"delta": "a"}\n\n')
})

test('a comment keeps the connection alive, and a stream that is cut off ends with an id', () => {
  assert.match(KEEP_ALIVE, /^:.*\n\n$/)
  assert.match(CUT_OFF, /^event: error\ndata: .*"NOT_READY".*\nid: end-stopped\n\n$/)
})

for (const [id, over] of [
  [undefined, false],
  ['', false],
  ['7', false],
  [`end-${TRACE}`, true],
  ['end-stopped', true],
]) {
  test(`the Last-Event-ID ${id} ${over ? 'ends' : 'begins'} a stream`, () => {
    assert.equal(isOver(id), over)
  })
}

for (const [name, id] of [
  ['', ''],
  ['a\nb', ''],
  ['a\rb', ''],
  ['a', 'a\nb'],
  ['a', 'a\rb'],
  ['a', 'a\0b'],
]) {
  test(`the name ${JSON.stringify(name)} and the id ${JSON.stringify(id)} would break an event`, () => {
    assert.throws(() => event(name, {}, id), /must be one line of text/)
  })
}

test('bare texts are the thoughts, without reasoning and without the response that repeats them', () => {
  const textOf = textPieces()
  const said = [
    signal('THOUGHT_DELTA', { delta: 'hmm', kind: 'reasoning' }),
    signal('THOUGHT_DELTA', { delta: 'one' }),
    signal('PLAN', {}),
    signal('AGENT_OUTPUT', { output: { response: 'one' } }),
  ].map(textOf)

  assert.deepEqual(said, ['', 'one', '', ''])
})

test('bare texts without a thought are the response of the output', () => {
  const outputs = [{ response: 'all' }, { other: 1 }, { response: 7 }]
  const said = outputs.map((output) => textPieces()(signal('AGENT_OUTPUT', { output })))

  assert.deepEqual(said, ['all', '', ''])
  assert.equal(textPieces()(signal('FINAL', { result: { response: 'all' } })), 'all')
  assert.equal(textPieces()(signal('ERROR', { code: 'X', message: 'y' })), '')
})
