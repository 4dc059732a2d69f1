// Questions, answers, and the TASK that follows: docs/spec/07-signals.md, "Questions".
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenTask } from '../../../src/dendrite/caller/open-tasks.js'
import { MAX_QUESTIONS, QuestionBook } from '../../../src/dendrite/caller/question-book.js'
import {
  clarificationAnswer,
  escalationAnswer,
  followUp,
  permissionDecision,
} from '../../../src/dendrite/caller/questions.js'
import { DendriteProtocolError, InvalidArgument, InvalidName } from '../../../src/errors.js'
import { Directed, Signal } from '../../../src/signals/signals.js'

const taskOf = (input, more = {}) =>
  new Signal({
    type: 'TASK',
    payload: { input, capabilities: ['chat'], finalize: true },
    directed: new Directed(null, 'neuron', ['chat']),
    meta: { m: 1 },
    ...more,
  })
const asked = (task, type, payload) =>
  task.reply(type, payload, { directed: new Directed('worker', 'neuron', ['chat']) })

test('the TASK behind an answer has the trace, the question as its parent, and the rest as before', () => {
  const task = taskOf({ x: 1 })
  const question = asked(task, 'CLARIFICATION', { question: 'which?' })
  const answer = clarificationAnswer(question, 'this', { extra: { y: 2 } })
  const next = followUp(task, question, answer)
  assert.equal(next.type, 'TASK')
  assert.equal(next.traceId, task.traceId)
  assert.equal(next.parentId, question.id)
  assert.deepEqual({ ...next.directed }, { id: 'worker', type: 'neuron', capabilities: [] })
  assert.deepEqual(next.meta, { m: 1, answer: answer.id })
  assert.deepEqual(next.payload, {
    input: { x: 1, y: 2, clarification: { question: 'which?', answer: 'this' } },
    finalize: true,
  })
  assert.equal(answer.parentId, question.id)
})

test('from the second round on all clarifications go along, oldest first', () => {
  let task = taskOf('plain text')
  for (const round of ['1', '2', '3']) {
    const question = asked(task, 'CLARIFICATION', { question: `q${round}` })
    task = followUp(task, question, clarificationAnswer(question, `a${round}`))
  }
  const said = (n) => ({ question: `q${n}`, answer: `a${n}` })
  assert.deepEqual(task.payload.input, {
    value: 'plain text',
    clarification: said(3),
    clarifications: [said(1), said(2), said(3)],
  })
})

test('every kind of first input becomes a map', () => {
  const inputOf = (input) => {
    const task = taskOf(input)
    const question = asked(task, 'CLARIFICATION', { question: '?' })
    return followUp(task, question, clarificationAnswer(question, undefined)).payload.input
  }
  const clarification = { question: '?', answer: null }
  assert.deepEqual(inputOf(new Map([['k', 1]])), { k: 1, clarification })
  assert.deepEqual(inputOf([1]), { value: [1], clarification })
  assert.deepEqual(inputOf(null), { value: null, clarification })
  assert.deepEqual(inputOf(Buffer.from('b')), { value: Buffer.from('b'), clarification })
})

test('a decision about a PERMISSION carries what was decided and no more', () => {
  const task = taskOf({ x: 1 })
  const question = asked(task, 'PERMISSION', { action: 'delete', scope: 'all' })
  const plain = followUp(task, question, permissionDecision(question, false))
  const full = followUp(
    task,
    question,
    permissionDecision(question, true, { reason: 'ok', ttlMs: 5 }),
  )
  assert.deepEqual(plain.payload.input, {
    x: 1,
    permission: { action: 'delete', granted: false },
  })
  assert.deepEqual(full.payload.input.permission, {
    action: 'delete',
    granted: true,
    reason: 'ok',
    ttl_ms: 5,
  })
})

test('an ESCALATION goes to the neuron that is named, else to its target, else back', () => {
  const task = taskOf({ x: 1 })
  const plain = asked(task, 'ESCALATION', { reason: 'hard' })
  const aimed = asked(task, 'ESCALATION', { reason: 'hard', target: 'boss' })
  const to = (question, more) => followUp(task, question, escalationAnswer(question, more))
  assert.equal(to(plain, { input: null }).directed.id, 'worker')
  assert.equal(to(plain, { input: null }).payload.input, null)
  assert.equal(to(aimed).directed.id, 'boss')
  assert.deepEqual(to(aimed).payload.input, { x: 1 })
  assert.equal(to(aimed, { neuron: 'other' }).directed.id, 'other')
  assert.throws(() => escalationAnswer(plain), /needs input, neuron or a target/)
  assert.throws(() => escalationAnswer(plain, { neuron: 'a b' }), InvalidName)
})

test('an answer fits its question, or is refused', () => {
  const task = taskOf({})
  const question = asked(task, 'PERMISSION', { action: 'x' })
  const wrong = task.reply('CLARIFICATION_ANSWER', { answer: 1 })
  assert.throws(
    () => followUp(task, question, wrong),
    /a CLARIFICATION_ANSWER does not answer a PERM/,
  )
  const vague = question.reply('PERMISSION_DECISION', { granted: 'yes' })
  assert.throws(() => followUp(task, question, vague), /granted must be true or false, not 'yes'/)
  assert.throws(() => permissionDecision(question, 1), InvalidArgument)
  assert.throws(() => clarificationAnswer(question, 'x'), DendriteProtocolError)
  assert.throws(() => clarificationAnswer('a text', 'x'), /expected a CLARIFICATION to answer/)
  const asks = asked(task, 'CLARIFICATION', {})
  assert.throws(() => clarificationAnswer(asks, 'x', { extra: [1] }), InvalidArgument)
})

const opened = (expiresAtMs) => {
  const signal = taskOf({})
  const each = new OpenTask(signal, Buffer.alloc(16), Buffer.alloc(16), 1000)
  each.expiresAtMs = expiresAtMs
  return each
}
const questionOf = (task) => task.signal.reply('CLARIFICATION', { question: '?' })

test('a question waits for its answer until the deadline of its task', () => {
  const counts = {}
  const book = new QuestionBook(counts)
  const [first, second] = [opened(100), opened(200)]
  const [one, two] = [questionOf(first), questionOf(second)]
  book.add(first, one)
  book.add(second, two)
  assert.equal(book.waitingFor(one.id), first)
  assert.deepEqual(book.expire(110), [first])
  assert.equal(book.waitingFor(one.id), undefined)
  const answer = two.reply('CLARIFICATION_ANSWER', { answer: 1 })
  book.answer(second, answer)
  assert.equal(book.isOver(two.id), true)
  assert.equal(book.answerTo(two.id), answer)
  assert.equal(book.isOver(one.id), false)
  assert.equal(book.nextAtMs(), Infinity)
})

test('a question that is withdrawn is over, without an answer', () => {
  const book = new QuestionBook({})
  const task = opened(100)
  const question = questionOf(task)
  book.add(task, question)
  assert.equal(book.withdraw(question), true)
  assert.equal(book.withdraw(question), false)
  assert.equal(book.isOver(question.id), true)
  assert.equal(book.answerTo(question.id), null)
})

test('over 10,000 questions the oldest is removed and counted', () => {
  const counts = {}
  const book = new QuestionBook(counts)
  const oldest = opened(1e6)
  assert.equal(book.add(oldest, questionOf(oldest)), null)
  for (let at = 1; at < MAX_QUESTIONS; at++) {
    const each = opened(1e6)
    book.add(each, questionOf(each))
  }
  const last = opened(1e6)
  assert.equal(book.add(last, questionOf(last)), oldest)
  assert.deepEqual(counts, { 'drop.question': 1 })
  assert.equal(book.closeAll().length, MAX_QUESTIONS)
  assert.equal(book.nextAtMs(), Infinity)
})
