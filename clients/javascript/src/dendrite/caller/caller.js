// The room of the caller: its parts, and the verbs that send a TASK or answer a question.
import { sumOf } from '../../runtime/counter.js'
import { AnswerArbiter } from './answer-arbiter.js'
import { CardCache } from './card-cache.js'
import { checkOptions } from '../../options.js'
import { checkedTimeout } from './checks.js'
import { Permits } from '../permits.js'
import { Dispatcher } from './dispatcher.js'
import { Pathways } from './pathways.js'
import { clarificationAnswer, escalationAnswer, permissionDecision } from './questions.js'
import { VERBS, taskFor } from './tasks.js'
import { Waiter } from './waiter.js'
import { DendriteProtocolError, InvalidArgument, shown } from '../../errors.js'
import { QUESTIONS } from '../../signals/signal-types.js'

const ANSWER_MS = 300_000
const CARD_MS = 5000
const EXTRA = new Set(['extra'])
const DECISION = new Set(['reason', 'ttlMs'])
const ESCALATED = new Set(['input', 'neuron'])
const LIMITS = new Set(['timeoutMs'])

/**
 * The caller's side of a Dendrite, without a check of its role.
 *
 * A Neuron dispatches its child tasks with `dispatch`, `dispatchAndWait` and `ask`, whatever the
 * role of its Dendrite.
 */
export class Caller {
  #pathways
  #arbiter
  #cards

  /**
   * @param {object} parts
   * @param {object} parts.client The transport.
   * @param {object} parts.subscriptions The handlers of this Dendrite.
   * @param {object} parts.publisher Publishes answers.
   * @param {object} parts.published Receives answers of other Dendrites.
   * @param {string} parts.url The URL of the Synapse, for error texts.
   * @param {object} parts.logger Is told what a person should know.
   * @param {object} [parts.permits] The rights of our key.
   * @param {boolean} [parts.floats] Whether whole floats are kept apart from integers.
   * @param {(opened: object) => string} [parts.whyLate] Returns what is known of a late task.
   * @param {(query: object, timeoutMs: number) => Promise<object[]>} [parts.find] Finds live Axons.
   * @param {() => number} [parts.now] A monotonic clock of milliseconds.
   */
  constructor({ client, subscriptions, publisher, published, url, logger, ...options }) {
    const { find, floats = false, whyLate, now, permits = new Permits(client, url) } = options
    this.dispatcher = new Dispatcher(client, subscriptions, {
      url,
      keepFloats: floats,
      whyLate,
      logger,
      now,
      permits,
    })
    this.#cards = new CardCache(this.dispatcher, find, logger)
    this.#pathways = new Pathways(this.dispatcher, subscriptions, logger, permits)
    const parts = {
      permits,
      publisher,
      published,
      subscriptions,
      dispatcher: this.dispatcher,
      logger,
    }
    this.#arbiter = new AnswerArbiter(parts)
  }

  /** What was dropped, lost and asked again, by name. */
  get counts() {
    return sumOf([this.dispatcher.counts, this.#arbiter.counts, this.#cards.counts])
  }

  /** See `Dendrite.dispatchAndWait`. */
  dispatchAndWait(options) {
    return this.#wait(options, VERBS.dispatchAndWait, false)
  }

  /** See `Dendrite.ask`. */
  ask(options) {
    return this.#wait(options, VERBS.ask, true)
  }

  #wait(options, verb, wantsOutput) {
    return new Promise((resolve, reject) => {
      const opened = taskFor(options, verb) // what is thrown here rejects the promise
      const waiter = new Waiter(resolve, reject, wantsOutput)
      opened.waiter = waiter
      const signal = options.signal ?? null
      signal?.throwIfAborted()
      this.dispatcher.launch(opened)
      if (signal !== null && !waiter.isDone)
        waiter.listen(signal, () => this.dispatcher.abandon(opened))
    })
  }

  /** See `Dendrite.dispatch`. */
  dispatch(options) {
    const opened = taskFor(options, VERBS.dispatch)
    const { scope = 'all', signal = null } = options
    signal?.throwIfAborted()
    return this.#pathways.dispatch(opened, scope, signal)
  }

  /** See `Dendrite.dispatchTask`. */
  dispatchTask(options) {
    const opened = taskFor(options, VERBS.dispatchTask)
    opened.keep = true
    this.dispatcher.launch(opened)
    return opened.signal
  }

  /** See `Dendrite.observePathway`. */
  observePathway(traceId) {
    return this.#pathways.observe(traceId)
  }

  /** See `Dendrite.respondToClarification`. */
  async respondToClarification(question, answer, more = {}) {
    checkOptions(more, EXTRA, 'respondToClarification')
    return this.#arbiter.respond(question, clarificationAnswer(question, answer, more))
  }

  /** See `Dendrite.respondToPermission`. */
  async respondToPermission(question, granted, more = {}) {
    checkOptions(more, DECISION, 'respondToPermission')
    return this.#arbiter.respond(question, permissionDecision(question, granted, more))
  }

  /** See `Dendrite.respondToEscalation`. */
  async respondToEscalation(question, more = {}) {
    checkOptions(more, ESCALATED, 'respondToEscalation')
    return this.#arbiter.respond(question, escalationAnswer(question, more))
  }

  /** See `Dendrite.awaitDecision`. */
  async awaitDecision(question, more = {}) {
    checkOptions(more, LIMITS, 'awaitDecision')
    if (!QUESTIONS.has(question?.type))
      throw new DendriteProtocolError(`expected a question, got ${shown(question?.type)}`)
    return this.#arbiter.decision(question, checkedTimeout(more.timeoutMs ?? ANSWER_MS))
  }

  /** See `Dendrite.card`. */
  card(neuronId, options = {}) {
    checkOptions(options, LIMITS, 'card')
    return this.#cards.card(neuronId, checkedTimeout(options.timeoutMs ?? CARD_MS))
  }

  /** See `Dendrite.cards`. */
  cards(pattern, options = {}) {
    checkOptions(options, LIMITS, 'cards')
    if (typeof pattern !== 'string')
      throw new InvalidArgument(`a pattern must be a text such as 'fs.*', not ${shown(pattern)}`)
    return this.#cards.cards(pattern, checkedTimeout(options.timeoutMs ?? CARD_MS))
  }

  /** Return every open task, oldest first, for a resync. */
  openTasks() {
    return this.dispatcher.rows()
  }

  /** End every open task, question and Pathway. */
  close() {
    this.dispatcher.close()
    this.#arbiter.close()
    this.#pathways.close()
  }
}
