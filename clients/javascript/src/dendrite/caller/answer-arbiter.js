// Decides which answer to a question counts, and continues the task with it.
//
// Spec: docs/spec/07-signals.md, "Questions"; docs/design/decisions/0006-the-caller-answers.md. The
// Dendrite that dispatched a TASK decides alone, so that a second answer is recognised. An answer
// from another Dendrite goes to that caller, repeatedly until the caller accepts or declines it.
import { CosmonapseError, DendriteProtocolError, TimeoutError } from '../../errors.js'
import { count } from '../../runtime/counter.js'
import { idBytes } from '../../signals/ids.js'
import { Signal } from '../../signals/signals.js'
import { passedOn } from '../../tracing/trace-context.js'
import { makeHandler } from '../watch/handlers.js'
import { LISTENERS, toPeer } from '../watch/publisher.js'
import { RecentIds } from '../watch/recent-ids.js'
import { OpenTask } from './open-tasks.js'
import { MAX_QUESTIONS, bound } from './question-book.js'
import { ANSWERS, followUp } from './questions.js'
import { Reaction } from './reaction.js'

// Rule 6: the answer is published at once and after each of the first four; the caller counts as
// gone when the last one is over, a second after the first.
const WAITS_MS = [50, 100, 200, 300, 350]
const RIVAL_MS = 500
const TAKEOVER_TIMEOUT_MS = 300_000
const REACTIONS = ['TASK', 'TASK_DECLINED', ...ANSWERS]

/** Answers the questions about our own TASKs and about those of other Dendrites. */
export class AnswerArbiter {
  #publisher
  #published
  #subscriptions
  #dispatcher
  #logger
  #permits
  #takesAnswers = false
  #isListening = false
  #declined = new RecentIds(MAX_QUESTIONS)
  #remoteAnswers = new Map()
  #ownAnswer = ''
  #reactions = new Set()

  /**
   * @param {object} parts
   * @param {object} parts.permits The rights of our key: whether it may answer for others.
   * @param {object} parts.publisher Publishes answers.
   * @param {object} parts.published Receives answers.
   * @param {object} parts.subscriptions Receives answers to questions of others and the reactions to ours.
   * @param {object} parts.dispatcher Holds the questions about our own TASKs.
   * @param {object} parts.logger Is told of answers that fit no question.
   */
  constructor({ permits, publisher, published, subscriptions, dispatcher, logger }) {
    this.counts = {}
    this.#publisher = publisher
    this.#published = published
    this.#subscriptions = subscriptions
    this.#dispatcher = dispatcher
    this.#logger = logger
    this.#permits = permits
    dispatcher.onQuestion = () => this.#takeAnswers()
  }

  /**
   * Answer a question; resolve to the TASK that continues with the answer, or to null if the
   * question had an answer before.
   *
   * @param {Signal} question The question.
   * @param {Signal} answer The answer.
   * @throws {DendriteProtocolError} The caller of the question is gone, and the question does not
   *   carry its input.
   * @throws {AccessRefused} It is the question of another Dendrite, and our key may not decide.
   */
  async respond(question, answer) {
    await this.#subscriptions.settle()
    const { questions } = this.#dispatcher
    const opened = questions.waitingFor(question.id)
    if (opened !== undefined) return this.#continue(opened, question, answer)
    return questions.isOver(question.id) ? this.#second() : this.#answerRemote(question, answer)
  }

  #continue(opened, question, answer) {
    const signal = followUp(opened.signal, question, answer)
    const body = this.#dispatcher.prepared(signal, opened)
    this.#ownAnswer = answer.id
    this.#publisher.publish(answer, LISTENERS)
    this.#dispatcher.follow(opened, answer, signal, body)
    return signal
  }

  /** Count an answer that came too late. */
  #second() {
    count(this.counts, 'drop.second_answer')
    return null
  }

  // ---- answers of other Dendrites to our questions

  /** Take the answers that are meant for us from our first question on. */
  #takeAnswers() {
    if (this.#takesAnswers) return
    this.#takesAnswers = true
    this.#published.on(ANSWERS, (answer, sender) => this.#onAnswer(answer, sender))
  }

  /** Listen to every answer from our first one to another Dendrite's question on. */
  #listen() {
    if (this.#isListening) return
    this.#isListening = true
    const onAnswer = (answer) => this.#onAnswer(answer, this.#subscriptions.senderOf(answer))
    this.#subscriptions.add(makeHandler(onAnswer, ANSWERS, { direct: true }))
  }

  /** Handle an answer of another Dendrite; it may come twice. */
  #onAnswer(answer, sender) {
    if (answer.parentId === null || answer.id === this.#ownAnswer) return
    const { questions } = this.#dispatcher
    const opened = questions.waitingFor(answer.parentId)
    if (opened !== undefined) this.#accept(opened, answer)
    else if (!questions.isOver(answer.parentId)) this.#recordRemote(answer)
    else if (questions.answerTo(answer.parentId)?.id !== answer.id) this.#decline(answer, sender)
    // else it is the accepted one, published again
  }

  #accept(opened, answer) {
    try {
      const signal = followUp(opened.signal, opened.question, answer)
      const body = this.#dispatcher.prepared(signal, opened)
      this.#dispatcher.follow(opened, answer, signal, body)
    } catch (error) {
      if (!(error instanceof CosmonapseError)) throw error
      count(this.counts, 'drop.bad_answer')
      this.#logger.warn(`an answer on trace ${answer.traceId} is dropped: ${error.message}`)
    }
  }

  #decline(answer, sender) {
    if (this.#declined.add(answer.id)) this.#second()
    const reason = 'the question has an answer, or needs none any more'
    const declined = answer.reply('TASK_DECLINED', { reason })
    this.#publisher.publishAgain(declined, declined.encode(), toPeer(sender) ?? LISTENERS)
  }

  /** Record that another Dendrite has answered a question which is not ours. */
  #recordRemote(answer) {
    this.#remoteAnswers.set(answer.parentId, answer.id)
    bound(this.#remoteAnswers, MAX_QUESTIONS)
  }

  // ---- our answers to questions of other Dendrites

  async #answerRemote(question, answer) {
    this.#permits.checkPublish(answer.type)
    this.#listen()
    const hasRemoteAnswer = this.#remoteAnswers.has(question.id)
    const rivals = new Set()
    const reaction = this.#reaction()
    const onReaction = (signal) => {
      if (ANSWERS.has(signal.type)) {
        if (signal.parentId === question.id && signal.id !== answer.id) rivals.add(signal.id)
      } else if (signal.parentId === question.id || signal.parentId === answer.id)
        reaction.set(signal)
    }
    const { traceId } = question
    this.#subscriptions.add(makeHandler(onReaction, REACTIONS, { traceId, direct: true }))
    try {
      await this.#subscriptions.settle()
      const to = toPeer(this.#subscriptions.senderOf(question))
      const isAnswered = await this.#publishUntil(answer, to, reaction, rivals)
      if (isAnswered) return this.#followUpOf(answer, reaction.signal)
    } finally {
      this.#subscriptions.remove(onReaction)
      this.#reactions.delete(reaction)
    }
    // The Dendrite that gave that other answer continues the task.
    return hasRemoteAnswer ? this.#second() : this.#takeOver(question, answer)
  }

  /** Publish an answer until there is a reaction to it; resolve to whether there is. */
  async #publishUntil(answer, to, reaction, rivals) {
    const body = answer.encode()
    this.#ownAnswer = answer.id
    this.#publisher.publish(answer, to)
    for (const waitMs of WAITS_MS) {
      if (await reaction.within(waitMs)) return true
      this.#publisher.publishAgain(answer, body, to)
    }
    // The caller is gone, so nobody decides between several answers: the one with the least id
    // continues, the others wait for its TASK.
    const isLeast = [...rivals].every((each) => answer.id < each)
    return isLeast ? false : reaction.within(RIVAL_MS)
  }

  #followUpOf(answer, reaction) {
    if (reaction.type === 'TASK' && reaction.meta.answer === answer.id) return reaction
    return this.#second()
  }

  /** Send the TASK in place of a caller that is gone; decline later answers from then on. */
  #takeOver(question, answer) {
    const { questions } = this.#dispatcher
    if (questions.isOver(question.id)) return this.#second() // another handler of ours was faster
    const payload = question.meta.task
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw new DendriteProtocolError(
        `the caller of ${question.id} is gone, and the question does not carry the input of its ` +
          'TASK: dispatch a new TASK',
      )
    const first = new Signal({
      type: 'TASK',
      payload,
      directed: question.directed,
      traceId: question.traceId,
      meta: { caller: 'gone', ...passedOn(question.meta) },
    })
    const signal = followUp(first, question, answer)
    const task = idBytes(signal.id)
    const opened = new OpenTask(signal, task, idBytes(signal.traceId), TAKEOVER_TIMEOUT_MS)
    opened.keep = true
    this.#dispatcher.encoded(signal)
    questions.end(question, answer)
    this.#takeAnswers()
    this.#dispatcher.launch(opened)
    return signal
  }

  // ---- waiting for an answer

  /**
   * Resolve to the answer to a question, from any Dendrite.
   *
   * @param {Signal} question The question.
   * @param {number} timeoutMs How long to wait.
   * @throws {TimeoutError} There is none within `timeoutMs` milliseconds.
   */
  async decision(question, timeoutMs) {
    const reaction = this.#reaction()
    const onDecision = (signal) => {
      if (signal.parentId === question.id) reaction.set(signal)
    }
    const { traceId } = question
    this.#subscriptions.add(makeHandler(onDecision, ANSWERS, { traceId, direct: true }))
    try {
      await this.#subscriptions.settle()
      const known = this.#dispatcher.questions.answerTo(question.id)
      if (known !== null) return known
      if (await reaction.within(timeoutMs)) return reaction.signal
    } finally {
      this.#subscriptions.remove(onDecision)
      this.#reactions.delete(reaction)
    }
    throw new TimeoutError(
      `nobody answered the ${question.type} ${question.id} within ${timeoutMs} ms`,
    )
  }

  #reaction() {
    const reaction = new Reaction()
    this.#reactions.add(reaction)
    return reaction
  }

  /** End every wait for a reaction or an answer. */
  close() {
    for (const each of this.#reactions)
      each.fail(new DendriteProtocolError('this Dendrite stopped while it waited for an answer'))
  }
}
