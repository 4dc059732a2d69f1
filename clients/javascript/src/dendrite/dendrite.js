// The Dendrite: docs/spec/07-signals.md and 09-resync.md "At the caller"; the promises of API.md under the names a Node user expects.
import { Client } from '../client/client.js'
import { Worker } from './worker/worker.js'
import { stopSignal } from './worker/os-signals.js'
import { Pathway, callQuietly } from './pathway.js'
import { Directed, Signal, CODE } from '../signals/signals.js'
import { idBytes, newTail, newTraceId } from '../signals/ids.js'
import { SETTLES, SKIPS, ZERO, addressOf } from '../wire/wire.js'
import { factsOf, DendriteProtocolError, SignalTooLarge, TimeoutError } from '../errors.js'

const BOUNCED = {
  no_route: ['NO_SUCH_NEURON', 'NO_CAPABLE_NEURON'],
  bad_address: ['NO_SUCH_NEURON', 'NO_CAPABLE_NEURON'],
  busy: ['OVERLOADED'],
  expired: ['EXPIRED'],
  worker_lost: ['WORKER_LOST'],
  reply_lost: ['REPLY_LOST'],
}
const HANDLERS = {
  onAgentOutput: 'AGENT_OUTPUT',
  onClarification: 'CLARIFICATION',
  onPermission: 'PERMISSION',
  onErrorSignal: 'ERROR',
  onEscalation: 'ESCALATION',
  onThoughtDelta: 'THOUGHT_DELTA',
  onToolCall: 'TOOL_CALL',
  onToolResult: 'TOOL_RESULT',
  onPlan: 'PLAN',
  onFinal: 'FINAL',
  onRegisterSignal: 'REGISTER',
  onHeartbeatSignal: 'HEARTBEAT',
  onDeregisterSignal: 'DEREGISTER',
  onTaskSignal: 'TASK',
  onCritique: 'CRITIQUE',
  onConsensus: 'CONSENSUS',
  onContextSync: 'CONTEXT_SYNC',
  onMemoryAppend: 'MEMORY_APPEND',
}

export class Dendrite {
  constructor({
    synapse,
    namespace = 'default',
    dendriteId = 'dendrite',
    role = 'orchestrator',
    floats = false,
  }) {
    this.synapse = synapse
    this.namespace = namespace
    this.dendriteId = dendriteId
    this.role = role
    this.floats = floats
    this.client = new Client(
      { carrier: synapse.carrier(), url: synapse.url.text, namespace, name: dendriteId },
      this,
    )
    this.client.resyncFrom(this)
    this.counts = {}
    this.started = false
    this.worker = new Worker({
      client: this.client,
      url: synapse.url.text,
      dendriteId,
      floats,
      subscriptions: {
        watchesTasks: true,
        mayWant: (type) => this.handlers.has(type),
        feed: (signal) => this.shown(signal),
        add: ({ fn }) => this.onSignal('STOP', fn),
        discard: ({ fn }) => this.off(fn),
      },
      caller: {
        dispatch: (options) => this.dispatch({ ...options, child: true }),
        dispatchAndWait: (options) => this.dispatchAndWait({ ...options, child: true }),
        ask: (options) => this.ask({ ...options, child: true }),
      },
    })
    this.calls = new Map()
    this.handlers = new Map()
    this.traces = new Map()
    this.seen = new Set()
    this.capabilitiesOf = new Map()
    this.traceId = newTraceId()
    this.traceBytes = idBytes(this.traceId)
  }
  /** @internal */
  count(name, n = 1) {
    this.counts[name] = (this.counts[name] ?? 0) + n
  }
  attachAxon(axon) {
    this.worker.attach(axon)
    return this
  }
  async start({ timeoutMs = 5000 } = {}) {
    const topics = [...this.handlers.keys()].map((type) => ({ kind: CODE[type] }))
    await this.client.open(timeoutMs, topics)
    this.started = true
    await this.worker.start(timeoutMs)
    return this
  }
  async stop({ reason = 'stopped', timeoutMs = 1000, drainMs = 10_000 } = {}) {
    if (this.started) {
      await this.worker.stop(reason, drainMs)
      for (const call of [...this.calls.values()]) {
        this.client.sendCancel(call)
        this.#fail(call, 'CANCELLED', 'the Dendrite stopped')
      }
    }
    return this.client.close(timeoutMs)
  }
  async [Symbol.asyncDispose]() {
    await this.stop()
  }
  /** Until SIGINT or SIGTERM: then drains and stops. */
  async serve() {
    const signal = await stopSignal()
    await this.stop({ reason: signal })
    return signal
  }
  addAxon(axon) {
    return this.worker.add(axon)
  }
  detachAxon(id, { drainMs } = {}) {
    return this.worker.detach(id, drainMs)
  }

  // ---- asking
  #begin(options) {
    const {
      neuron,
      capabilities = [],
      input,
      timeoutMs = 30000,
      traceId,
      parentId = null,
      contextRef,
      finalize,
      meta = {},
      keep = false,
      child = false,
      signal,
    } = options
    if (this.role === 'worker' && !child)
      throw new DendriteProtocolError('a Dendrite of the role "worker" dispatches nothing')
    if (!this.started) throw new DendriteProtocolError('start() the Dendrite before it dispatches')
    signal?.throwIfAborted()
    const address = addressOf(neuron, capabilities)
    const tail = newTail()
    const id = 'evt_' + tail
    const payload = { input }
    if (neuron === undefined) payload.capabilities = address.slice(1).split(',')
    if (contextRef !== undefined) payload.context_ref = contextRef
    if (finalize) payload.finalize = true
    const task = new Signal({
      type: 'TASK',
      id,
      traceId: traceId ?? 'trc_' + tail,
      parentId,
      directed: new Directed(
        neuron ?? null,
        'neuron',
        neuron === undefined ? payload.capabilities : [],
      ),
      payload,
      meta,
    })
    const body = task.encode()
    if (body.length > this.client.maxSignalBytes)
      throw new SignalTooLarge(body.length, this.client.maxSignalBytes)
    const bytes = idBytes(id)
    const call = {
      signal: task,
      address,
      neuron,
      capabilities,
      keep,
      task: bytes,
      trace: traceId === undefined ? bytes : idBytes(traceId),
      body,
      until: Date.now() + timeoutMs,
      next: 0,
      asked: 0,
      key: bytes.latin1Slice(0, 16),
      timeoutMs,
    }
    return call
  }
  #send(call) {
    this.calls.set(call.key, call)
    const sent = this.client.sendTask(
      call.neuron,
      call.capabilities,
      call.task,
      call.trace,
      1,
      call.body,
      Math.max(0, call.until - Date.now()),
      call.keep,
    )
    if (sent === 'BUSY') this.#fail(call, 'OVERLOADED', 'the outbox is full')
    this.shown(call.signal)
  }
  /** The first AGENT_OUTPUT, FINAL, ERROR or question. Rejects with TimeoutError, or with the reason of `signal`. */
  dispatchAndWait(options) {
    return new Promise((resolve, reject) => {
      const call = this.#begin(options)
      const abort = options.signal
      const end = () => {
        clearTimeout(call.timer)
        abort?.removeEventListener('abort', aborted)
      }
      call.settle = (signal) => {
        end()
        resolve(signal)
      }
      const aborted = () => {
        this.#takeBack(call)
        end()
        reject(abort.reason)
      }
      abort?.addEventListener('abort', aborted, { once: true })
      call.timer = setTimeout(() => {
        this.#takeBack(call)
        end()
        reject(
          new TimeoutError(
            `${call.address} did not answer within ${call.timeoutMs} ms (trace ${call.signal.traceId})`,
          ),
        )
      }, call.timeoutMs)
      this.#send(call)
    })
  }
  /** The output itself; an ERROR is thrown as NeuronError, a question as NeedsAnswer. */
  async ask(options) {
    return (await this.dispatchAndWait(options)).output
  }
  /** Everything that the TASK brings, as it comes. */
  dispatch(options) {
    const call = this.#begin({ timeoutMs: 300000, ...options })
    const abort = options.signal
    const pathway = new Pathway(call.signal.traceId, call.signal, () => {
      this.#takeBack(call)
      end()
    })
    const end = () => {
      clearTimeout(call.timer)
      abort?.removeEventListener('abort', aborted)
    }
    const aborted = () => pathway.close()
    abort?.addEventListener('abort', aborted, { once: true })
    call.stream = (signal) => pathway.push(signal)
    call.settle = (signal) => {
      end()
      pathway.push(signal)
      pathway.end()
    }
    call.timer = setTimeout(() => {
      this.#takeBack(call)
      this.#error(call, 'EXPIRED', `no outcome within ${call.timeoutMs} ms`)
    }, call.timeoutMs)
    this.#send(call)
    return pathway
  }
  /** Fire and forget: the TASK Signal; runs on when this process goes. */
  dispatchTask(options) {
    const call = this.#begin({ timeoutMs: 300000, ...options, keep: true })
    call.settle = () => clearTimeout(call.timer)
    call.timer = setTimeout(() => this.calls.delete(call.key), call.timeoutMs)
    call.timer.unref()
    this.#send(call)
    return call.signal
  }
  #takeBack(call) {
    if (this.calls.delete(call.key)) this.client.sendCancel(call)
  }
  #fail(call, code, message) {
    if (this.calls.delete(call.key)) this.#error(call, code, message)
  }
  #error(call, code, message) {
    const signal = call.signal.reply(
      'ERROR',
      { code, message, recoverable: factsOf(code).recoverable },
      { directed: call.signal.directed, meta: { source: 'fabric' } },
    )
    this.shown(signal)
    call.settle(signal)
  }
  /** Answers a CLARIFICATION: one TASK to the neuron that asked, on the same trace. */
  respondToClarification(question, answer, { extra = {}, timeoutMs = 30000 } = {}) {
    const first = question.meta.task ?? {}
    const input =
      typeof first.input === 'object' && first.input !== null && !Array.isArray(first.input)
        ? first.input
        : { value: first.input ?? null }
    const said = { question: question.payload.question, answer }
    return this.dispatchAndWait({
      neuron: question.directed.id,
      input: { ...input, ...extra, clarification: said },
      traceId: question.traceId,
      parentId: question.id,
      timeoutMs,
    })
  }

  // ---- hearing
  #on(type, filter, fn) {
    if (typeof filter === 'function') {
      fn = filter
      filter = {}
    }
    let list = this.handlers.get(type)
    if (!list) {
      this.handlers.set(type, (list = []))
      if (this.started) this.client.listen({ kind: CODE[type] })
    }
    list.push({ filter, fn })
    return () => this.off(fn)
  }
  onSignal(type, filter, fn) {
    if (!CODE[type]) throw new RangeError(`${type} is no type of Signal`)
    return this.#on(type, filter, fn)
  }
  onTrace(traceId, fn) {
    const trace = idBytes(traceId)
    const topic = trace.latin1Slice(0, 16)
    this.client.listen({ trace })
    this.traces.set(topic, [...(this.traces.get(topic) ?? []), fn])
    return () => {
      this.traces.delete(topic)
      this.client.unlisten({ trace })
    }
  }
  off(fn) {
    for (const [type, list] of this.handlers) {
      const kept = list.filter((h) => h.fn !== fn)
      if (kept.length) this.handlers.set(type, kept)
      else {
        this.handlers.delete(type)
        this.client.unlisten({ kind: CODE[type] })
      }
    }
  }
  /** `for await (const signal of dendrite.signals('THOUGHT_DELTA'))` */
  async *signals(type, filter = {}) {
    const queue = []
    let wake
    const off = this.onSignal(type, filter, (s) => {
      queue.push(s)
      wake?.()
    })
    try {
      for (;;) {
        while (queue.length) yield queue.shift()
        await new Promise((r) => {
          wake = r
        })
      }
    } finally {
      off()
    }
  }
  /** Listening is in force when this returns. */
  sync() {
    return this.client.sync(5000)
  }
  /** @internal a Signal of ours, shown to our own handlers at once */
  shown(signal) {
    const list = this.handlers.get(signal.type)
    if (list === undefined) return
    for (const { filter, fn } of list) if (fits(filter, signal)) callQuietly(fn, signal)
  }
  emit(type, payload, { traceId = this.traceId, parentId = null, meta = {} } = {}) {
    const signal = new Signal({
      type,
      traceId,
      parentId,
      directed: new Directed(this.dendriteId, 'dendrite'),
      payload,
      meta,
    })
    this.#publish(signal, signal.encode())
    this.shown(signal)
    return signal
  }
  #publish(signal, body) {
    return this.client.publish(CODE[signal.type], idBytes(signal.traceId), ZERO, ZERO, body)
  }

  // ---- what the client tells
  onTask(...task) {
    this.worker.onTask(...task)
  }
  onCancel(caller, task) {
    this.worker.onCancel(caller, task)
  }
  openTasks() {
    return [...this.calls.values()].map(opened)
  }
  heldTasks() {
    return this.worker.heldTasks()
  }
  claimOf(caller, task) {
    return this.worker.claimOf(caller, task)
  }
  sendAgain(caller, task, index) {
    this.worker.sendAgain(caller, task, index)
  }
  onReply(worker, task, _trace, _kind, index, flags, body) {
    const call = this.calls.get(task.latin1Slice(0, 16))
    if (call === undefined) return this.count('drop.late_reply')
    if (index < call.next) return this.count('drop.repeated_reply')
    if (index > call.next && !(flags & SKIPS)) {
      this.count('drop.early_reply')
      const now = Date.now()
      if (now - call.asked > 250) {
        call.asked = now
        this.client.sendGap(opened(call))
      }
      return
    }
    if (index > call.next) this.count('gap.replies', index - call.next)
    call.next = index + 1
    let signal
    try {
      signal = Signal.decode(body, { keepFloats: this.floats })
    } catch (error) {
      return this.#fail(call, 'BAD_OUTPUT', error.message)
    }
    if (flags & SETTLES) {
      this.calls.delete(call.key)
      if (!worker.equals(this.client.instance)) this.shown(signal)
      call.settle(signal)
    } else {
      if (!worker.equals(this.client.instance)) this.shown(signal)
      call.stream?.(signal)
    }
  }
  onBounce(task, reason) {
    const call = this.calls.get(task.latin1Slice(0, 16))
    if (call) this.#ended(call, reason)
  }
  onLost(task, reason) {
    const call = this.calls.get(task.latin1Slice(0, 16))
    if (!call) return
    if (reason === 'reply_waits') return void this.client.sendGap(opened(call))
    if (reason === 'not_started' && call.next === 0) return this.#send(call)
    this.#ended(call, reason)
  }
  #ended(call, reason) {
    const codes = BOUNCED[reason] ?? ['TASK_LOST']
    const code = call.address[0] === '?' && codes[1] ? codes[1] : codes[0]
    this.#fail(call, code, `${call.address}: ${reason}`)
  }
  onRegistered(address, refusal) {
    this.worker.onRegistered(address, refusal)
  }
  onWelcomed() {
    this.worker.onWelcomed()
  }
  onAway() {
    this.worker.onAway()
  }
  onMissed() {}
  onHeard(kind, trace, caller, worker, body) {
    let signal
    const me = this.client.instance
    const onTrace = kind < 0 ? this.traces.get(trace.latin1Slice(0, 16)) : undefined
    if (!onTrace && (caller.equals(me) || (worker.equals(me) && !caller.equals(ZERO)))) return // shown already
    try {
      signal = Signal.decode(body, { keepFloats: this.floats })
    } catch {
      return this.count('drop.bad_signal')
    }
    if (signal.type === 'REGISTER' && signal.directed)
      this.capabilitiesOf.set(signal.directed.id, signal.payload.capabilities)
    if (onTrace) for (const fn of onTrace) callQuietly(fn, signal)
    else this.shown(signal)
  }
}
const opened = ({ task, trace, next, until, keep }) => ({
  task,
  trace,
  nextIndex: next,
  leftMs: Math.max(0, until - Date.now()),
  keep,
})
function fits({ neuron, capability, traceId }, signal) {
  return (
    (neuron === undefined || signal.directed?.id === neuron) &&
    (traceId === undefined || signal.traceId === traceId) &&
    (capability === undefined || signal.directed?.capabilities.includes(capability))
  )
}
for (const [name, type] of Object.entries(HANDLERS))
  Dendrite.prototype[name] = function (filter, fn) {
    return this.onSignal(type, filter, fn)
  }
