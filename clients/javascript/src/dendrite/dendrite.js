// The Dendrite: the client that hosts Axons, dispatches TASKs and receives Signals. A facade over
// three rooms: caller, worker and watch.
import { inspect } from 'node:util'
import { DendriteProtocolError } from '../errors.js'
import { sumOf } from '../runtime/counter.js'
import { Caller } from './caller/caller.js'
import { checkOptions } from '../options.js'
import { checkedDrain, checkedTimeout } from './caller/checks.js'
import { Life } from './life.js'
import { Permits } from './permits.js'
import { checkedSettings } from './settings.js'
import { HANDLER_VERBS, Watch } from './watch/watch.js'
import { stopSignal } from './worker/os-signals.js'
import { tracingFor } from '../tracing/tracing.js'
import { Worker } from './worker/worker.js'

const START_OPTIONS = new Set(['timeoutMs'])
const STOP_OPTIONS = new Set(['reason', 'drainMs'])
const DETACH_OPTIONS = new Set(['drainMs'])
const DRAIN_MS = 10_000

/**
 * A client of a Synapse. One for each process is enough; it serves any number of calls at once.
 *
 *     const dendrite = new Dendrite({ synapse: await connectSynapse(), dendriteId: 'api' })
 *     await dendrite.start()
 *     const output = await dendrite.ask({ neuron: 'worker', input: { prompt } })
 *     await dendrite.stop()
 */
export class Dendrite {
  #role
  #client
  #caller
  #worker
  #watch
  #life
  #tracing
  #logger

  /**
   * @param {object} options
   * @param {object} options.synapse The Synapse to connect to, from `connectSynapse`.
   * @param {string} [options.namespace] Signals never cross from one to another. By default the
   *   variable COSMO_NAMESPACE, else that of the context, else `default`.
   * @param {string} [options.dendriteId] A name for people; need not be unique.
   * @param {'orchestrator' | 'worker'} [options.role] A `worker` may not dispatch by itself.
   * @param {number} [options.maxSignalBytes] Size limit of an encoded Signal, 16 MiB by default;
   *   the Synapse may set a lower one.
   * @param {{ warn: (text: string, error?: unknown) => void } | null} [options.logger] Such as
   *   `console`; null for silence; by default `process.emitWarning`.
   * @param {boolean} [options.floats] Whether whole floats arrive as `Float`, and so go on as
   *   floats; by default they arrive as numbers.
   * @param {object | null} [options.tracing] The API of OpenTelemetry, or `inject(meta)` and
   *   `run(meta, fn)` of another tool; null for none. By default OpenTelemetry, if the program has
   *   registered a TracerProvider before `start`. See docs/tracing.md.
   * @throws {InvalidArgument} One is missing, unknown or invalid.
   */
  constructor(options) {
    const settings = checkedSettings(options)
    const { synapse, namespace, dendriteId, role, maxSignalBytes, logger, floats } = settings
    this.synapse = synapse
    this.namespace = namespace
    this.dendriteId = dendriteId
    this.#role = role
    const { url } = synapse
    const receiver = {}
    const client = synapse.transport(
      { namespace, name: dendriteId, maxSignalBytes, logger },
      receiver,
    )
    this.#client = client
    const permits = new Permits(client, url)
    this.#watch = new Watch({ client, dendriteId, url, logger, permits, floats })
    const { subscriptions, publisher, published, roster } = this.#watch
    this.#caller = new Caller({
      client,
      subscriptions,
      publisher,
      published,
      url,
      logger,
      permits,
      floats,
      find: (query, timeoutMs) => roster.find(query, timeoutMs),
      whyLate: (opened) => this.#worker.whyLate(opened),
    })
    const caller = this.#caller
    const worker = new Worker({
      client,
      subscriptions,
      publisher,
      published,
      caller,
      dendriteId,
      url,
      logger,
      permits,
      floats,
    })
    this.#worker = worker
    const rooms = { client, caller, worker, watch: this.#watch }
    this.#tracing = settings.tracing
    this.#logger = logger
    this.#life = new Life(rooms, { dendriteId, url, logger })
    this.#life.connect(receiver)
  }

  get role() {
    return this.#role
  }

  // ---- life

  /**
   * `new`, `starting`, `running`, `away` (it runs, and looks for the Synapse), `stopping` or
   * `stopped`.
   */
  get state() {
    return this.#life.state
  }

  /** For how long the Synapse has been away, in milliseconds; null while it is there. */
  get awayMs() {
    return this.#client.awayMs
  }

  /** The name of our key at the Synapse; empty without one. */
  get user() {
    return this.#client.user
  }

  /**
   * What our key may do, in words such as `serve=invoice-*`; null for everything, and before `start`.
   */
  get may() {
    return this.#client.may
  }

  /** What was dropped, lost, missed and sent again so far, by name; a copy. */
  get counts() {
    const { counts } = this.#client
    return sumOf([counts, this.#caller.counts, this.#worker.counts, this.#watch.counts])
  }

  /**
   * Connect and register the Axons; resolve to this Dendrite when it can send and hear everything.
   *
   * @param {{ timeoutMs?: number | null }} [options] How long it may take, 5000 by default; null to
   *   wait for the Synapse for ever.
   * @throws {SynapseUnreachable} Not within `timeoutMs` milliseconds.
   * @throws {SynapseRefused} The Synapse does not serve this namespace, or is full.
   * @throws {AccessRefused} Our key may not enter the namespace, serve an Axon, or listen to what a
   *   handler wants.
   * @throws {DendriteProtocolError} It was started before.
   */
  async start(options = {}) {
    checkOptions(options, START_OPTIONS, 'start')
    const { timeoutMs = 5000 } = options
    if (this.state === 'new') this.#trace()
    await this.#life.start(timeoutMs === null ? null : checkedTimeout(timeoutMs))
    return this
  }

  #trace() {
    const { namespace, dendriteId } = this
    const facts = { namespace, dendriteId }
    const warn = (text, error) => this.#logger?.warn(text, error)
    const tracing = tracingFor(this.#tracing, facts, this.#worker.ownCounts, warn)
    this.#caller.dispatcher.tracing = tracing
    this.#worker.trace(tracing)
  }

  /**
   * Deregister, finish the running tasks, send all replies, close. Idempotent.
   *
   * A Neuron of this Dendrite must not await it: it would wait for itself, until `drainMs` is over.
   *
   * @param {{ reason?: string, drainMs?: number }} [options] The reason in the DEREGISTER; how long
   *   running tasks may take, 10,000 by default: then they are cancelled.
   */
  async stop(options = {}) {
    checkOptions(options, STOP_OPTIONS, 'stop')
    const { reason = null, drainMs = DRAIN_MS } = options
    await this.#life.stop(reason, checkedDrain(drainMs))
  }

  /** Show it as `Dendrite(id, namespace, state)` in logs and in the console. */
  [inspect.custom]() {
    return `Dendrite(${this.dendriteId}, ${this.namespace}, ${this.state})`
  }

  /** Stop, at the end of an `await using`. */
  async [Symbol.asyncDispose]() {
    await this.stop()
  }

  /** Wait for SIGINT or SIGTERM, then stop; resolve to its name. Starts a Dendrite that is new. */
  async serve() {
    if (this.state === 'new') await this.start()
    this.#checkRunning()
    const name = await stopSignal()
    await this.stop({ reason: 'signal' })
    return name
  }

  /** Call a function when the Synapse goes out of reach; return how to stop that. */
  onAway(fn) {
    return this.#life.onAway(fn)
  }

  /** Call a function when the Synapse is back, after an outage; return how to stop that. */
  onBack(fn) {
    return this.#life.onBack(fn)
  }

  // ---- Axons

  /** Host an Axon; call it before `start`. Returns this Dendrite. */
  attachAxon(axon) {
    this.#checkNotOver()
    if (this.state !== 'new')
      throw new DendriteProtocolError(
        `attachAxon works before start() only, and this Dendrite is ${this.state}: use 'await ` +
          "dendrite.addAxon(axon)' on a running Dendrite",
      )
    this.#worker.attach(axon)
    return this
  }

  /** Host an Axon at any time; on a running Dendrite resolve when the Synapse routes to it. */
  async addAxon(axon) {
    this.#checkNotOver()
    await this.#worker.add(axon)
  }

  /** Remove an Axon: it gets no new TASKs, and its jobs may run for `drainMs` milliseconds. */
  async detachAxon(neuronId, options = {}) {
    checkOptions(options, DETACH_OPTIONS, 'detachAxon')
    await this.#worker.detach(neuronId, checkedDrain(options.drainMs ?? DRAIN_MS))
  }

  // ---- dispatching

  /**
   * Send a TASK; resolve to the Signal that settles it: an output, an ERROR or a question.
   *
   * A question (CLARIFICATION, PERMISSION, ESCALATION) settles it only without an answer: the call
   * waits while a handler of ours for the question runs, and after a `respondTo...` for the output
   * that follows.
   *
   * @param {object} options
   * @param {string} [options.neuron] The neuron id; replicas share the load. Or:
   * @param {Iterable<string>} [options.capabilities] One Axon that offers all of them runs it.
   * @param {unknown} options.input The input of the Neuron.
   * @param {number} [options.timeoutMs] The overall limit, 30,000 by default, answers included.
   * @param {AbortSignal} [options.signal] Cancels the task, at its worker too.
   * @param {string} [options.traceId] The workflow; a new one by default.
   * @param {string} [options.parentId] The Signal that it follows.
   * @param {unknown} [options.contextRef] The context items, or what the Axon finds them by.
   * @param {boolean} [options.finalize] Whether the output ends the workflow: it arrives as FINAL.
   * @param {object} [options.meta] Further values beside the payload.
   * @param {boolean} [options.keep] Whether the task runs on when this process goes away.
   * @param {boolean} [options.answerElsewhere] Whether to wait for answers to its questions from
   *   another Dendrite or `cosmo answer`.
   * @returns {Promise<Signal>}
   * @throws {TimeoutError} Nothing settled it in time; a CANCEL was sent. SynapseAway, if it never
   *   left.
   * @throws {InvalidArgument} An option is unknown or has an invalid value.
   * @throws {UnencodableValue} The input holds a value that no Signal can carry.
   * @throws {SignalTooLarge} The TASK is over the limit.
   * @throws {DendriteProtocolError} Not running, stopped meanwhile, or in the role of a worker.
   * @throws {AccessRefused} Our key may not send it; nothing has left.
   */
  dispatchAndWait(options) {
    const fault = this.#faultOfDispatch() // no `async` here: it would cost a promise a call
    return fault === null ? this.#caller.dispatchAndWait(options) : Promise.reject(fault)
  }

  /**
   * Send a TASK; resolve to its output. Options and errors as for `dispatchAndWait`.
   *
   * @throws {NeuronError} The outcome is an ERROR.
   * @throws {NeedsAnswer} The outcome is a question.
   */
  ask(options) {
    const fault = this.#faultOfDispatch()
    return fault === null ? this.#caller.ask(options) : Promise.reject(fault)
  }

  /**
   * Send a TASK and return a Pathway, which receives all of its Signals.
   *
   * Options and errors as for `dispatchAndWait`, but thrown at once, and with 300,000 as the
   * default of `timeoutMs`.
   *
   * @param {object} options And `scope`: `all`, the default, follows this TASK and ends with it;
   *   `terminal` follows the whole trace, of all Dendrites, and ends at a FINAL or an ERROR.
   */
  dispatch(options) {
    this.#checkMayDispatch()
    return this.#caller.dispatch(options)
  }

  /**
   * Send a TASK and return it; its outcome goes to the handlers. It runs on when this process goes.
   *
   * Options and errors as for `dispatch`, without `signal`, `keep` and `scope`.
   */
  dispatchTask(options) {
    this.#checkMayDispatch()
    return this.#caller.dispatchTask(options)
  }

  /**
   * Resolve to a Pathway on a trace of other Dendrites, when it is in force.
   *
   * It receives copies of the Signals from now on, and ends at a FINAL or when it is closed.
   */
  async observePathway(traceId) {
    this.#checkRunning()
    return this.#caller.observePathway(traceId)
  }

  // ---- answering

  /**
   * Answer a CLARIFICATION: the neuron gets its input again, and `clarification` in it.
   *
   * Each `respondTo...` leads to a new TASK on the same trace and resolves to it. The caller of the
   * first TASK, here or in another process, waits for the new one. A question has one answer: a
   * later call resolves to null, and nothing runs.
   *
   * @param {Signal} question The CLARIFICATION.
   * @param {unknown} answer The answer.
   * @param {{ extra?: object }} [more] More keys for the input.
   * @throws {DendriteProtocolError} It is no CLARIFICATION; its caller is gone and left no input;
   *   not running.
   */
  async respondToClarification(question, answer, more) {
    this.#checkRunning()
    return this.#caller.respondToClarification(question, answer, more)
  }

  /**
   * Decide a PERMISSION: the neuron gets its input again, and `permission` in it.
   *
   * @param {Signal} question The PERMISSION.
   * @param {boolean} granted The decision.
   * @param {{ reason?: string, ttlMs?: number }} [more] Why; how long the decision holds.
   */
  async respondToPermission(question, granted, more) {
    this.#checkRunning()
    return this.#caller.respondToPermission(question, granted, more)
  }

  /** Grant a PERMISSION; see `respondToPermission`. */
  async grantPermission(question, more) {
    return this.respondToPermission(question, true, more)
  }

  /** Deny a PERMISSION; see `respondToPermission`. */
  async denyPermission(question, more) {
    return this.respondToPermission(question, false, more)
  }

  /**
   * Answer an ESCALATION: the task continues, by default at the neuron that escalated.
   *
   * @param {Signal} question The ESCALATION.
   * @param {{ input?: unknown, neuron?: string }} [more] The input of the new TASK, by default that
   *   of the first one; the neuron that continues, by default the `target` in the ESCALATION.
   */
  async respondToEscalation(question, more) {
    this.#checkRunning()
    return this.#caller.respondToEscalation(question, more)
  }

  /**
   * Resolve to the CLARIFICATION_ANSWER or PERMISSION_DECISION to a question, from any Dendrite.
   *
   * @param {Signal} question The question.
   * @param {{ timeoutMs?: number }} [more] How long to wait, 300,000 by default.
   * @throws {TimeoutError} There is none in that time.
   */
  async awaitDecision(question, more) {
    this.#checkRunning()
    return this.#caller.awaitDecision(question, more)
  }

  // ---- watching and publishing

  /**
   * Call a function for every matching Signal of the namespace; return how to stop that.
   *
   *     const off = dendrite.onSignal('PLAN', { neuron: 'planner' }, (signal) => ...)
   *
   * `onPlan`, `onAgentOutput` and the like are the same for one type. A function gets its Signals in
   * order, one at a time: one that returns a promise gets the next when the promise settles. 32,768
   * of them may wait for it, further ones are dropped and counted. What it throws goes to the
   * logger. It may be added before `start`, and while this Dendrite runs: then it is in force before
   * the next dispatch sends anything, or after `sync`.
   *
   * @param {string | string[]} type One type of Signal or several.
   * @param {object} [filter]
   * @param {string} [filter.neuron] Only of this producer, or for a TASK to this target.
   * @param {string} [filter.capability] Only of producers that offer it, or for a TASK that asks for it.
   * @param {string} [filter.traceId] Only of this workflow; it ends by itself as that of `onTrace`.
   * @param {(signal: Signal) => unknown} fn
   * @returns {() => void}
   * @throws {InvalidArgument} A type or a filter is unknown or invalid; `fn` is no function.
   * @throws {AccessRefused} Our key may not listen to it; ahead of `start`, that throws it.
   */
  onSignal(type, filter, fn) {
    return this.#watch.onSignal(type, filter, fn)
  }

  /**
   * Call a function for every Signal of a trace; return how to stop that.
   *
   * In causal order, as the Synapse saw them: a TASK, the Signals about it, its outcome, the next
   * TASK. It ends by itself 30 s after the last TASK of its trace has ended and nothing more came; a
   * question without an answer keeps it.
   *
   * @param {string} traceId
   * @param {{ types?: string | string[] }} [filter] Only these types.
   * @param {(signal: Signal) => unknown} fn
   * @returns {() => void}
   */
  onTrace(traceId, filter, fn) {
    return this.#watch.onTrace(traceId, filter, fn)
  }

  /** Remove a function that was given to any `on...`; return how often it was. */
  off(fn) {
    return this.#watch.off(fn)
  }

  /**
   * Return an async iterator over the matching Signals from now on; filters as for `onSignal`.
   *
   *     for await (const signal of dendrite.signals('THOUGHT_DELTA', { traceId })) ...
   *
   * It ends when this Dendrite stops, after what has arrived; with `traceId` some time after its
   * trace; and with the loop that reads it. 32,768 Signals may wait to be read, further ones are
   * dropped, and counted in `dropped` of the iterator.
   */
  signals(type, filter) {
    return this.#watch.signals(type, filter)
  }

  /**
   * Publish a Signal to every subscriber of its type or its trace, in this process too; return it.
   *
   *     dendrite.emit('PLAN', { steps }, { about: task })
   *
   * It travels on the broadcast plane, which drops it for a subscriber that is too slow; without a
   * subscriber it does not leave the process. A Neuron at work has `emit` of its context, which
   * reaches the caller of its task as well, without loss.
   *
   * @param {string | Signal} type A type; or a whole Signal, and nothing else.
   * @param {object} [payload] The keys of the type; `seq` of a THOUGHT_DELTA is a running number by
   *   default.
   * @param {object} [options]
   * @param {Signal} [options.about] The Signal that it belongs to: gives traceId and parentId.
   * @param {string} [options.traceId] The workflow; a new one by default.
   * @param {string} [options.parentId] The Signal that it follows.
   * @param {Directed} [options.directed] The producer; this Dendrite by default.
   * @param {object} [options.meta] Further values beside the payload.
   * @returns {Signal}
   * @throws {InvalidArgument} A key of the payload is missing or unknown, or an option invalid.
   * @throws {UnencodableValue} The payload holds a value that no Signal can carry.
   * @throws {SignalTooLarge} It is over the limit.
   * @throws {DendriteProtocolError} It is a TASK or a Signal of presence; not running.
   * @throws {AccessRefused} Our key may not publish the type.
   */
  emit(type, payload, options) {
    this.#checkRunning()
    return this.#watch.emit(type, payload, options)
  }

  /** Resolve when every handler is in force. */
  async sync() {
    this.#checkRunning()
    await this.#watch.subscriptions.settle()
  }

  // ---- roster

  /**
   * Resolve to the live Axons that offer a capability, or to all of them; each replica is one.
   *
   * @param {string} [capability]
   * @throws {SynapseUnreachable} The Synapse does not answer within 5 s.
   */
  async findNeurons(capability) {
    this.#checkRunning()
    return this.#watch.findNeurons(capability)
  }

  /** Resolve to every live Axon of the namespace; see `findNeurons`. */
  async registrySnapshot() {
    return this.findNeurons()
  }

  /**
   * Resolve to the first live Axon that serves an address, as soon as one is registered.
   *
   * @param {object} options
   * @param {string} [options.neuron] A neuron id; or:
   * @param {Iterable<string>} [options.capabilities] What it must offer.
   * @param {number} [options.timeoutMs] 30,000 by default.
   * @param {AbortSignal} [options.signal] Ends the wait.
   * @throws {TimeoutError} There is none in that time.
   */
  async waitForNeuron(options) {
    this.#checkRunning()
    return this.#watch.waitForNeuron(options)
  }

  /**
   * Resolve to the card of a live Neuron: what it is for, takes and gives.
   *
   * It is fetched once from any replica, and kept by its digest. A Neuron that tells nothing has one
   * with its id, its capabilities and its version.
   *
   * @param {string} neuron Its id.
   * @param {{ timeoutMs?: number }} [options] 5000 by default.
   * @returns {Promise<import('./caller/cards.js').Card>}
   * @throws {InvalidName} It is no id.
   * @throws {NeuronError} NO_SUCH_NEURON, no live Axon has this id; BAD_OUTPUT, it sent no card;
   *   BAD_SIGNAL, its replica is of an older version.
   * @throws {TimeoutError} It did not come in that time.
   * @throws {AccessRefused} Our key may not send TASKs to it.
   * @throws {SynapseUnreachable} The Synapse does not answer in that time.
   */
  async card(neuron, options) {
    this.#checkRunning()
    return this.#caller.card(neuron, options)
  }

  /**
   * Resolve to the cards of the live Neurons that have one and match a pattern, by id.
   *
   * One that does not come in time, or is none, is left out, logged, and counted as `card_missing`.
   * Those that our key may not send tasks to are left out too, and counted as `card_forbidden`.
   *
   * @param {string} [pattern] Such as `fs.*`: `*` is any text, `?` one character, `[ab]` one of these.
   * @param {{ timeoutMs?: number }} [options] 5000 by default.
   * @returns {Promise<Map<string, import('./caller/cards.js').Card>>}
   * @throws {SynapseUnreachable} The Synapse does not answer in that time.
   */
  async cards(pattern = '*', options) {
    this.#checkRunning()
    return this.#caller.cards(pattern, options)
  }

  /** Resolve to every Dendrite of the namespace; an empty list from a Synapse that cannot tell. */
  async dendritesSnapshot() {
    this.#checkRunning()
    return this.#watch.dendritesSnapshot()
  }

  /**
   * Resolve to the open tasks of the namespace, those of a caller together, its oldest first. With keys
   * that are all of them for a key with the right `watch`, else those that its key sent.
   * @throws {SynapseRefused} It is of an older version, which cannot tell.
   */
  async openTasks() {
    this.#checkRunning()
    return this.#watch.openTasks()
  }

  /** Resolve to the state of the Synapse: its load, and its counters since its start. */
  async synapseState() {
    this.#checkRunning()
    return this.#watch.synapseState()
  }

  #checkRunning() {
    if (!this.#life.isRunning) throw new DendriteProtocolError(this.#life.whyNot())
  }

  #checkNotOver() {
    if (this.#life.isOver) throw new DendriteProtocolError(this.#life.whyNot())
  }

  #checkMayDispatch() {
    const fault = this.#faultOfDispatch()
    if (fault !== null) throw fault
  }

  #faultOfDispatch() {
    if (!this.#life.isRunning) return new DendriteProtocolError(this.#life.whyNot())
    if (this.#role !== 'worker') return null
    return new DendriteProtocolError(
      "a Dendrite with role: 'worker' does not dispatch: use role: 'orchestrator', or the context " +
        'of a Neuron for a child task',
    )
  }
}

for (const [name, type] of Object.entries(HANDLER_VERBS))
  Object.defineProperty(Dendrite.prototype, name, {
    configurable: true,
    writable: true,
    value: function on(filter, fn) {
      return this.onSignal(type, filter, fn)
    },
  })
