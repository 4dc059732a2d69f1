// Questions over a real Synapse: our own, those of others, and those of callers that were killed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NeedsAnswer, TimeoutError } from '../../../src/index.js'
import { ROOT, startPython } from '../../support/child.js'
import { deferred, startDendrite, until } from '../../support/dendrites.js'
import { startSynapse } from '../../support/synapse.js'
import { startWorker } from '../../support/worker.js'

const ANSWERER = `${ROOT}tests/support/answerer.py`
const NAMESPACE = 'default'

const startAnswerer = (t, url, id, role) => startPython(t, [ANSWERER, url, NAMESPACE, id, role])

/** Resolve when a publisher knows that a Dendrite listens to a trace (08-port, P26). */
async function isHeardBy(listener, publisher, traceId) {
  let isHeard = false
  const off = listener.onTrace(traceId, ({ type }) => (isHeard ||= type === 'PLAN'))
  await until(() => {
    publisher.emit('PLAN', { steps: [] }, { traceId })
    return isHeard
  }, 'a Signal on the trace')
  off()
}

test('questions', async (t) => {
  const synapse = await startSynapse(t)
  await startWorker(t, synapse.url, { neurons: 'asks,echo,clarifies:asks' })
  const dendrite = await startDendrite(t, synapse.url, { dendriteId: 'caller' })
  const other = await startDendrite(t, synapse.url, { dendriteId: 'other' })

  await t.test('without a handler the question settles the call', async () => {
    const signal = await dendrite.dispatchAndWait({ neuron: 'asks', input: {} })
    assert.equal(signal.type, 'CLARIFICATION')
    await assert.rejects(dendrite.ask({ neuron: 'asks', input: {} }), (error) => {
      assert.ok(error instanceof NeedsAnswer)
      assert.equal(error.signal.payload.question, 'which one?')
      assert.equal(error.status, 409)
      return true
    })
  })

  await t.test('a handler answers, and the call goes on to the output', async () => {
    const answers = []
    const off = dendrite.onClarification(async (question) => {
      answers.push(await dendrite.respondToClarification(question, 'the red one'))
      answers.push(await dendrite.respondToClarification(question, 'the blue one'))
    })
    const output = await dendrite.ask({ neuron: 'asks', input: {} })
    await until(() => answers.length === 2, 'both answers')
    off()
    assert.deepEqual(output, { answered: 'the red one' })
    assert.equal(answers[0].type, 'TASK')
    assert.equal(answers[1], null)
  })

  await t.test('a handler that answers later than another one returns is waited for', async () => {
    const quick = dendrite.onClarification(() => {})
    const slow = dendrite.onClarification(async (question) => {
      await dendrite.findNeurons()
      await dendrite.respondToClarification(question, 'at last')
    })
    assert.deepEqual(await dendrite.ask({ neuron: 'asks', input: {} }), { answered: 'at last' })
    quick()
    slow()
  })

  await t.test('a handler that does not answer leaves the question to the call', async () => {
    const off = dendrite.onClarification(async () => {
      throw new Error('I do not know')
    })
    const signal = await dendrite.dispatchAndWait({ neuron: 'asks', input: {} })
    off()
    assert.equal(signal.type, 'CLARIFICATION')
  })

  await t.test(
    'a question that was returned may still be answered; the output goes to handlers',
    async () => {
      const question = await dendrite.dispatchAndWait({ neuron: 'asks', input: {} })
      const outputs = []
      const off = dendrite.onAgentOutput((signal) => outputs.push(signal))
      const task = await dendrite.respondToClarification(question, 'late')
      await until(() => outputs.length > 0, 'the output')
      off()
      assert.equal(outputs[0].parentId, task.id)
      assert.deepEqual(outputs[0].output, { answered: 'late' })
    },
  )

  await t.test('a loop over the Pathway answers', async () => {
    const types = []
    const pathway = dendrite.dispatch({ neuron: 'asks', input: {} })
    for await (const signal of pathway) {
      types.push(signal.type)
      if (signal.type === 'CLARIFICATION') await dendrite.respondToClarification(signal, 'this')
    }
    assert.deepEqual(types, ['CLARIFICATION', 'AGENT_OUTPUT'])
    assert.deepEqual((await pathway.outcome()).output, { answered: 'this' })
  })

  await t.test('a loop that does not answer ends with the question', async () => {
    const types = []
    const pathway = dendrite.dispatch({ neuron: 'asks', input: {} })
    for await (const { type } of pathway) types.push(type)
    assert.deepEqual(types, ['CLARIFICATION'])
    assert.equal((await pathway.outcome()).type, 'CLARIFICATION')
  })

  await t.test('a PERMISSION is decided, an ESCALATION goes on elsewhere', async () => {
    const decided = dendrite.onPermission((each) => dendrite.grantPermission(each, { ttlMs: 5 }))
    const moved = dendrite.onEscalation((each) => dendrite.respondToEscalation(each))
    const permitted = await dendrite.ask({ neuron: 'asks', input: { kind: 'permission' } })
    const escalated = await dendrite.ask({ neuron: 'asks', input: { kind: 'escalation' } })
    decided()
    moved()
    assert.deepEqual(permitted, { granted: true })
    assert.deepEqual(escalated, { kind: 'escalation' })
  })

  await t.test('another Dendrite answers, and a second answer there is null', async () => {
    const given = []
    const off = other.onClarification(async (question) => {
      given.push(await other.respondToClarification(question, 'from elsewhere'))
      given.push(await other.respondToClarification(question, 'again'))
    })
    await other.sync()
    const task = { neuron: 'asks', input: {}, answerElsewhere: true }
    assert.deepEqual(await dendrite.ask(task), { answered: 'from elsewhere' })
    await until(() => given.length === 2, 'both answers')
    off()
    assert.equal(given[0].type, 'TASK')
    assert.equal(given[1], null)
  })

  await t.test('of two Dendrites that answer one gets the TASK, the other null', async () => {
    const third = await startDendrite(t, synapse.url, { dendriteId: 'third' })
    const given = []
    const offs = [other, third].map((each) =>
      each.onClarification(async (question) =>
        given.push(await each.respondToClarification(question, each.dendriteId)),
      ),
    )
    await Promise.all([other.sync(), third.sync()])
    const task = { neuron: 'asks', input: {}, answerElsewhere: true }
    const { answered } = await dendrite.ask(task)
    await until(() => given.length === 2, 'both answers')
    for (const off of offs) off()
    assert.ok(['other', 'third'].includes(answered))
    assert.equal(given.filter((each) => each === null).length, 1)
  })

  await t.test('awaitDecision resolves to the answer of anybody', async () => {
    const decisions = []
    const isListening = deferred()
    const watching = other.onPermission(async (question) => {
      const deciding = other.awaitDecision(question)
      await other.sync()
      isListening.resolve()
      decisions.push(await deciding)
    })
    await other.sync()
    const deciding = dendrite.onPermission(async (question) => {
      await isListening.promise
      await isHeardBy(other, dendrite, question.traceId)
      await dendrite.denyPermission(question, { reason: 'no' })
    })
    const output = await dendrite.ask({ neuron: 'asks', input: { kind: 'permission' } })
    assert.deepEqual(output, { granted: false })
    await until(() => decisions.length === 1, 'the decision')
    watching()
    deciding()
    assert.deepEqual(decisions[0].payload, { granted: false, reason: 'no' })
  })

  await t.test('a question that nobody answers in time is a TimeoutError', async () => {
    const task = { neuron: 'asks', input: {}, answerElsewhere: true, timeoutMs: 300 }
    await assert.rejects(dendrite.ask(task), (error) => {
      assert.ok(error instanceof TimeoutError)
      assert.match(error.message, /^nobody answered the CLARIFICATION of neuron 'asks' on trace/)
      return true
    })
  })

  await t.test('a Python Dendrite answers for a JavaScript caller', async (inner) => {
    const answerer = startAnswerer(inner, synapse.url, 'python', 'answers')
    await answerer.line('ready')
    const task = { neuron: 'asks', input: {}, answerElsewhere: true }
    assert.deepEqual(await dendrite.ask(task), { answered: 'python' })
    await answerer.line('ran')
  })

  await t.test(
    'a JavaScript Dendrite answers for a Python caller, and for one that was killed',
    async (inner) => {
      const answers = []
      const questions = []
      const off = other.onClarification((question) => questions.push(question))
      await other.sync()
      const alive = startAnswerer(inner, synapse.url, 'alive', 'caller')
      await alive.line('asked')
      await until(() => questions.length === 1, 'its question')
      const task = await other.respondToClarification(questions[0], 'from js')
      assert.equal(task.meta.answer.slice(0, 4), 'evt_')
      assert.equal(await alive.ended, 0)

      const killed = startAnswerer(inner, synapse.url, 'killed', 'caller')
      await killed.line('asked')
      await until(() => questions.length === 2, 'its question')
      await killed.kill()
      const outputs = []
      const hearing = other.onAgentOutput((signal) => outputs.push(signal))
      answers.push(await other.respondToClarification(questions[1], 'in its place'))
      await until(() => outputs.length === 1, 'the output')
      off()
      hearing()
      assert.equal(answers[0].meta.caller, 'gone')
      assert.deepEqual(outputs[0].output, { answered: 'in its place' })
      assert.equal(await other.respondToClarification(questions[1], 'again'), null)
    },
  )
})
