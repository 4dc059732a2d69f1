// The room of the watchers: handlers, iterators over Signals, what a Dendrite publishes, the roster.
import { InvalidArgument, SynapseRefused, shown } from '../../errors.js'
import { checkedName } from '../../names.js'
import { sumOf } from '../../runtime/counter.js'
import { checkedEmission, payloadOf } from '../../signals/payloads.js'
import { Directed, Signal } from '../../signals/signals.js'
import { checkOptions } from '../../options.js'
import { checkAbortSignal, checkedTimeout, checkedType } from '../caller/checks.js'
import { checkedId, destination } from '../caller/tasks.js'
import { Permits } from '../permits.js'
import { makeHandler } from './handlers.js'
import { Published } from './published.js'
import { Publisher } from './publisher.js'
import { Roster } from './roster.js'
import { SignalIterator } from './signal-iterator.js'
import { Subscriptions } from './subscriptions.js'

const WAIT_MS = 30_000
const QUERY_MS = 5000
const OLDER_SYNAPSE =
  'it is of an older version, which cannot list open tasks; start it with the version that is installed here'
const FILTERS = new Set(['neuron', 'capability', 'traceId'])
const TRACE_FILTERS = new Set(['types'])
const EMIT_OPTIONS = new Set(['about', 'traceId', 'parentId', 'directed', 'meta'])
const WAIT_OPTIONS = new Set(['neuron', 'capabilities', 'timeoutMs', 'signal'])

/** The verbs that add a handler for one type of Signal. */
export const HANDLER_VERBS = Object.freeze({
  onAgentOutput: 'AGENT_OUTPUT',
  onBid: 'BID',
  onClarification: 'CLARIFICATION',
  onClarificationAnswer: 'CLARIFICATION_ANSWER',
  onConsensus: 'CONSENSUS',
  onContextSync: 'CONTEXT_SYNC',
  onCritique: 'CRITIQUE',
  onDeregisterSignal: 'DEREGISTER',
  onErrorSignal: 'ERROR',
  onEscalation: 'ESCALATION',
  onFinal: 'FINAL',
  onHeartbeatSignal: 'HEARTBEAT',
  onMemoryAppend: 'MEMORY_APPEND',
  onPermission: 'PERMISSION',
  onPermissionDecision: 'PERMISSION_DECISION',
  onPlan: 'PLAN',
  onRegisterSignal: 'REGISTER',
  onTaskAwarded: 'TASK_AWARDED',
  onTaskDeclined: 'TASK_DECLINED',
  onTaskOffer: 'TASK_OFFER',
  onTaskSignal: 'TASK',
  onThoughtDelta: 'THOUGHT_DELTA',
  onToolCall: 'TOOL_CALL',
  onToolResult: 'TOOL_RESULT',
})

/** What the facade of a Dendrite asks of its watchers' side. */
export class Watch {
  #client
  #permits
  #producer
  #thoughts = 0
  #url

  /**
   * @param {object} parts
   * @param {object} parts.client The transport.
   * @param {string} parts.dendriteId The producer of what is published.
   * @param {string} [parts.url] The Synapse, for error texts.
   * @param {{ warn: (text: string, error?: unknown) => void }} parts.logger Is told of handlers that
   *   throw, and of Signals that were lost.
   * @param {object} [parts.permits] The rights of our key.
   * @param {boolean} [parts.floats] Whether whole floats arrive as Float.
   */
  constructor({ client, dendriteId, url = '', logger, permits, floats = false }) {
    this.#client = client
    this.#url = url
    this.#permits = permits ?? new Permits(client, '')
    this.#producer = Object.freeze(new Directed(dendriteId, 'dendrite'))
    this.subscriptions = new Subscriptions(client, { logger, floats })
    this.published = new Published(client, this.subscriptions, { floats })
    this.publisher = new Publisher(client, this.subscriptions, this.published)
    this.roster = new Roster(client, this.subscriptions)
  }

  get counts() {
    return sumOf([this.subscriptions.counts, this.published.counts])
  }

  // ---- handlers

  /** See `Dendrite.onSignal`. */
  onSignal(types, filter, fn) {
    const [filters, handler] = withFilter(filter, fn)
    return this.#add(makeHandler(checkedHandler(handler), checkedTypes(types), checked(filters)))
  }

  /** See `Dendrite.onTrace`. */
  onTrace(traceId, filter, fn) {
    checkedId('traceId', traceId)
    const [filters, handler] = withFilter(filter, fn)
    checkOptions(filters, TRACE_FILTERS, 'onTrace')
    const types = filters.types === undefined ? [] : checkedTypes(filters.types)
    return this.#add(makeHandler(checkedHandler(handler), types, { traceId, ordered: true }))
  }

  #add(handler) {
    if (this.subscriptions.isClosed) return () => {}
    this.#permits.checkHear(handler)
    this.subscriptions.addForUser(handler)
    return () => this.subscriptions.discard(handler)
  }

  /** Check the handlers that were added before the rights of our key were known. @throws {AccessRefused} */
  checkRights() {
    for (const each of this.subscriptions.ofProgram()) this.#permits.checkHear(each)
  }

  /** See `Dendrite.off`. */
  off(fn) {
    return this.subscriptions.remove(fn)
  }

  /** See `Dendrite.signals`. */
  signals(types, filter = {}) {
    const iterator = new SignalIterator(this.subscriptions.counts)
    const filters = { ...checked(filter), direct: true, onEnd: () => iterator.end() }
    const handler = makeHandler((signal) => iterator.put(signal), checkedTypes(types), filters)
    iterator.off = this.#add(handler)
    if (this.subscriptions.isClosed) iterator.end()
    return iterator
  }

  // ---- publishing

  /** See `Dendrite.emit`. */
  emit(type, payload, options) {
    const signal = type instanceof Signal ? type : this.#made(type, payload, options)
    checkedEmission(signal.type)
    this.#permits.checkPublish(signal.type)
    this.publisher.publish(signal)
    return signal
  }

  #made(type, payload = {}, options = {}) {
    checkedType(type)
    checkOptions(options, EMIT_OPTIONS, 'emit')
    const { directed = this.#producer, meta = {} } = options
    const values = type === 'THOUGHT_DELTA' ? this.#numbered(payload) : payload
    return new Signal({
      type,
      payload: payloadOf(type, values),
      directed,
      meta,
      ...placeOf(options),
    })
  }

  #numbered(payload) {
    return payload.seq === undefined ? { ...payload, seq: this.#thoughts++ } : payload
  }

  // ---- roster

  /** See `Dendrite.findNeurons`. */
  async findNeurons(capability) {
    const isAny = capability === undefined || capability === null
    return this.roster.find({ capability: isAny ? '' : checkedName('capability', capability) })
  }

  /** See `Dendrite.waitForNeuron`. */
  async waitForNeuron(options) {
    checkOptions(options, WAIT_OPTIONS, 'waitForNeuron')
    const wanted = destination(options, 'waitForNeuron')
    const { timeoutMs = WAIT_MS, signal } = options
    checkAbortSignal(signal ?? null)
    return this.roster.wait(wanted, checkedTimeout(timeoutMs), signal)
  }

  /** See `Dendrite.dendritesSnapshot`. */
  async dendritesSnapshot() {
    return this.#client.dendrites(QUERY_MS)
  }

  /** See `Dendrite.openTasks`. */
  async openTasks() {
    const tasks = await this.#client.openTasks(QUERY_MS)
    if (tasks === null) throw new SynapseRefused(this.#url, OLDER_SYNAPSE)
    return tasks
  }

  /** See `Dendrite.synapseState`. */
  async synapseState() {
    return { ...(await this.#client.state(QUERY_MS)), ...this.#client.fabric }
  }

  /** Call no handler any more, and end every iterator. */
  close() {
    this.subscriptions.close()
  }
}

/** Return the trace and the parent of a Signal that is emitted; no trace begins one. */
function placeOf({ about, traceId = about?.traceId, parentId = about?.id ?? null }) {
  if (traceId !== undefined) checkedId('traceId', traceId)
  if (parentId !== null) checkedId('parentId', parentId)
  return { traceId, parentId }
}

/** Return filter and function of a verb that may be called without a filter. */
const withFilter = (filter, fn) => (typeof filter === 'function' ? [{}, filter] : [filter, fn])

function checkedHandler(fn) {
  if (typeof fn === 'function') return fn
  throw new InvalidArgument(`a handler must be a function, not ${shown(fn)}`)
}

function checkedTypes(types) {
  const list = Array.isArray(types) ? types : [types]
  if (list.length === 0) throw new InvalidArgument('name at least one type of Signal')
  return list.map(checkedType)
}

function checked(filter) {
  checkOptions(filter, FILTERS, 'a handler')
  const { neuron, capability, traceId } = filter
  if (neuron !== undefined) checkedName('neuron', neuron)
  if (capability !== undefined) checkedName('capability', capability)
  if (traceId !== undefined) checkedId('traceId', traceId)
  return { neuron, capability, traceId }
}
