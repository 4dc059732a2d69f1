// The room of the watchers: handlers, iterators over Signals, and what a Dendrite publishes.
import { InvalidArgument, TimeoutError, shown } from '../../errors.js'
import { checkedType } from '../caller/checks.js'
import { checkedId, destination } from '../caller/tasks.js'
import { Directed, Signal } from '../../signals/signals.js'
import { newTraceId } from '../../signals/ids.js'
import { makeHandler } from './handlers.js'
import { Publisher } from './publisher.js'
import { Subscriptions } from './subscriptions.js'

const QUERY_MS = 5000
const QUERY_AGAIN_MS = 500

/** The verbs that add a handler for one type of Signal. */
export const HANDLER_VERBS = Object.freeze({
  onAgentOutput: 'AGENT_OUTPUT',
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
  onTaskSignal: 'TASK',
  onThoughtDelta: 'THOUGHT_DELTA',
  onToolCall: 'TOOL_CALL',
  onToolResult: 'TOOL_RESULT',
})

/** What the facade of a Dendrite asks of its watchers' side. */
export class Watch {
  #client
  #dendriteId
  #traceId = newTraceId()
  #iterators = new Set()

  /**
   * @param {object} parts
   * @param {object} parts.client The transport.
   * @param {string} parts.dendriteId The producer of what is published.
   * @param {object} parts.logger Is told of handlers that throw.
   */
  constructor({ client, dendriteId }) {
    this.#client = client
    this.#dendriteId = dendriteId
    this.subscriptions = new Subscriptions(client)
    this.publisher = new Publisher(client, this.subscriptions)
  }

  get counts() {
    return this.subscriptions.counts
  }

  onSignal(type, filter, fn) {
    const handler = typeof filter === 'function' ? filter : fn
    if (typeof handler !== 'function')
      throw new InvalidArgument(`a handler must be a function, not ${shown(handler)}`)
    const filters = typeof filter === 'function' ? {} : filter
    const added = makeHandler(handler, [checkedType(type)], filters)
    this.subscriptions.add(added)
    return () => this.subscriptions.discard(added)
  }

  onTrace(traceId, fn) {
    checkedId('traceId', traceId)
    const added = makeHandler(fn, [], { traceId })
    this.subscriptions.add(added)
    return () => this.subscriptions.discard(added)
  }

  off(fn) {
    return this.subscriptions.remove(fn)
  }

  /** Yield the Signals of a type, until the Dendrite stops. */
  async *signals(type, filter = {}) {
    const waiting = []
    let wake = () => {}
    let isOver = false
    const off = this.onSignal(type, filter, (signal) => {
      waiting.push(signal)
      wake()
    })
    const end = () => {
      isOver = true
      wake()
    }
    this.#iterators.add(end)
    try {
      for (;;) {
        while (waiting.length > 0) yield waiting.shift()
        if (isOver) return
        await new Promise((resolve) => {
          wake = resolve
        })
      }
    } finally {
      off()
      this.#iterators.delete(end)
    }
  }

  emit(type, payload, { traceId = this.#traceId, parentId = null, meta = {} } = {}) {
    const directed = new Directed(this.#dendriteId, 'dendrite')
    const signal = new Signal({
      type: checkedType(type),
      traceId,
      parentId,
      directed,
      payload,
      meta,
    })
    this.publisher.publish(signal)
    return signal
  }

  async findNeurons(capability = '') {
    return this.#client.roster({ neuronId: '', capability }, QUERY_MS)
  }

  async waitForNeuron({ timeoutMs = 30_000, ...address }) {
    const { id, capabilities } = destination(address, 'waitForNeuron')
    const until = performance.now() + timeoutMs
    for (;;) {
      const records = await this.#client.roster({ neuronId: id ?? '', capability: '' }, QUERY_MS)
      const found = records.find(
        (each) =>
          each.state === 'alive' && capabilities.every((name) => each.capabilities.includes(name)),
      )
      if (found !== undefined) return found
      const leftMs = until - performance.now()
      if (leftMs <= 0)
        throw new TimeoutError(`no live Axon serves ${id ?? capabilities} within ${timeoutMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, Math.min(QUERY_AGAIN_MS, leftMs)))
    }
  }

  async close() {
    for (const end of this.#iterators) end()
    await this.subscriptions.close()
  }
}
