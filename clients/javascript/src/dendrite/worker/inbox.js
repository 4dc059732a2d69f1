// The worker's side: runs a Neuron for each TASK, keeps its replies for a resync (docs/spec/09-resync.md "What each keeps").
import { Signal, CODE } from '../../signals/signals.js'
import { SETTLES } from '../../wire/wire.js'
import { NeuronError } from '../../errors.js'
import { bytesId } from '../../signals/ids.js'
import { Context } from './context.js'
import { streamed } from './invoke.js'
import { Run } from './job.js'

const MARKERS = {
  __clarification__: 'CLARIFICATION',
  __permission__: 'PERMISSION',
  __escalation__: 'ESCALATION',
  __error__: 'ERROR',
}
const KEPT_BYTES = 64 * 2 ** 20,
  KEPT_MS = 30000,
  IDS = 200000

export class Host {
  constructor(dendrite) {
    this.dendrite = dendrite
    this.axons = new Map()
    this.runs = new Map()
    this.kept = []
    this.keptBytes = 0
    this.gone = new Set()
  }
  get client() {
    return this.dendrite.client
  }
  say(run, { flags, kind, number, body }, skips) {
    const settles = (flags & SETTLES) !== 0
    this.client.sendReply(run.caller, run.task, run.trace, kind, body, number, settles, skips)
  }
  onTask(caller, address, task, trace, _kind, ttlMs, flags, body) {
    const key = caller.latin1Slice(0, 16) + task.latin1Slice(0, 16)
    const known = this.runs.get(key)
    if (known !== undefined || this.gone.has(key)) {
      this.dendrite.count('repeated_task')
      if (known?.ended) this.#again(known, 0)
      else if (known === undefined)
        this.#refuse(
          { task, trace },
          caller,
          'REPLY_LOST',
          'it ran, and its replies are kept no longer',
        )
      return
    }
    const axon = this.axons.get(address)
    if (axon === undefined)
      return this.#refuse({ task, trace }, caller, 'NO_SUCH_NEURON', `${address} is not here`)
    let signal
    try {
      signal = Signal.decode(body)
    } catch (error) {
      return this.#refuse({ task, trace }, caller, 'BAD_SIGNAL', error.message)
    }
    const run = new Run(this, axon, caller, task, trace, ttlMs, flags, signal)
    run.key = key
    this.runs.set(key, run)
    if (!caller.equals(this.client.instance)) this.dendrite.shown(signal)
    if (axon.running < axon.concurrency) this.#start(run)
    else if (axon.queue.length < axon.maxQueued) axon.queue.push(run)
    else
      run.settle('ERROR', {
        code: 'OVERLOADED',
        message: `${axon.neuronId} is full`,
        recoverable: true,
      })
  }
  #refuse(it, caller, code, message) {
    const signal = new Signal({
      type: 'ERROR',
      traceId: traceOf(it),
      payload: { code, message, recoverable: false },
    })
    this.client.sendReply(caller, it.task, it.trace, CODE.ERROR, signal.encode(), 0, true, false)
  }
  async #start(run) {
    const axon = run.axon
    axon.running++
    if (axon.running === axon.concurrency) this.heartbeat()
    const timer = setTimeout(
      () => run.abort(new NeuronError('EXPIRED', 'its time was over')),
      Math.max(0, run.until - Date.now()),
    )
    try {
      const made = axon.neuronFn(run.signal.payload.input, new Context(run))
      const value =
        made && typeof made[Symbol.asyncIterator] === 'function'
          ? await streamed(run, made)
          : await made
      run.throwIfAborted()
      this.#output(run, value)
    } catch (error) {
      const failure = run.reason ?? error
      const known = failure instanceof NeuronError
      try {
        run.settle('ERROR', {
          code: known ? failure.code : 'NEURON_EXCEPTION',
          message: String(failure?.message ?? failure),
          recoverable: known ? failure.recoverable : false,
        })
      } catch {
        /* closed */
      }
    } finally {
      clearTimeout(timer)
      axon.running--
      const next = axon.queue.shift()
      if (next) this.#start(next)
    }
  }
  #output(run, value) {
    try {
      const [type, payload] = replyOf(value, run.signal.payload.finalize)
      const meta = ['CLARIFICATION', 'PERMISSION', 'ESCALATION'].includes(type)
        ? { task: run.signal.payload }
        : {}
      run.settle(type, payload, meta)
    } catch (error) {
      run.settle('ERROR', { code: 'BAD_OUTPUT', message: error.message, recoverable: false })
    }
  }
  onEnded(run) {
    const kept = {
      key: run.key,
      caller: run.caller,
      task: run.task,
      trace: run.trace,
      keep: run.keep,
      until: run.until,
      ended: run.ended,
      bytes: run.bytes,
      sent: run.sent,
      axon: run.axon,
    }
    this.runs.set(run.key, kept)
    this.kept.push(kept)
    this.keptBytes += run.bytes
    if (this.keptBytes > KEPT_BYTES || this.kept.length % 1024 === 0) this.sweep()
  }
  sweep() {
    const old = this.dendrite.client.awayMs === null ? Date.now() - KEPT_MS : 0
    let n = 0
    for (const run of this.kept) {
      if (run.ended > old && this.keptBytes <= KEPT_BYTES) break
      n++
      this.keptBytes -= run.bytes
      this.runs.delete(run.key)
      this.gone.add(run.key)
    }
    this.kept.splice(0, n)
    while (this.gone.size > IDS) this.gone.delete(this.gone.values().next().value)
  }
  onCancel(caller, task) {
    const run = this.runs.get(caller.latin1Slice(0, 16) + task.latin1Slice(0, 16))
    if (run === undefined || run.ended) return
    run.abort(new NeuronError('CANCELLED', 'its caller took it back'))
    const at = run.axon.queue.indexOf(run)
    if (at >= 0) {
      run.axon.queue.splice(at, 1)
      run.settle('ERROR', {
        code: 'CANCELLED',
        message: 'taken back before it began',
        recoverable: false,
      })
    }
    setTimeout(
      () =>
        run.settle('ERROR', {
          code: 'CANCEL_TIMEOUT',
          message: 'the function did not heed its AbortSignal within 5 s',
          recoverable: false,
        }),
      5000,
    ).unref()
  }
  // ---- resync
  #held(run, claim) {
    const { caller, task, trace, keep } = run
    const leftMs = Math.max(0, run.until - Date.now())
    return { caller, task, trace, neuronId: run.axon.neuronId, claim, leftMs, keep }
  }
  heldTasks() {
    return [...this.runs.values()].filter((run) => !run.ended).map((run) => this.#held(run, 0))
  } // the ended ones are claimed when asked
  claimOf(caller, task) {
    const key = caller.latin1Slice(0, 16) + task.latin1Slice(0, 16)
    const run = this.runs.get(key)
    if (run !== undefined) return this.#held(run, run.ended ? 1 : 0)
    if (!this.gone.has(key)) return null
    return {
      caller,
      task,
      trace: Buffer.alloc(16),
      neuronId: 'unknown',
      claim: 2,
      leftMs: 0,
      keep: false,
    }
  }
  sendAgain(caller, task, index) {
    const run = this.runs.get(caller.latin1Slice(0, 16) + task.latin1Slice(0, 16))
    if (run !== undefined) this.#again(run, index)
  }
  #again(run, from) {
    let first = true
    for (const it of run.sent)
      if (it.number >= from) {
        this.say(run, it, first && it.number > from)
        first = false
      }
  }
  // ---- presence
  presence(type, axon, payload) {
    return new Signal({
      type,
      traceId: this.dendrite.traceId,
      directed: axon.directed,
      payload,
      meta: { dendrite: this.dendrite.dendriteId, instance: this.client.instance.toString('hex') },
    }).encode()
  }
  heartbeat() {
    for (const axon of this.axons.values())
      this.dendrite.say('HEARTBEAT', axon, {
        status: axon.running >= axon.concurrency ? 'busy' : 'ready',
        running: axon.running,
        queued: axon.queue.length,
        loop_lag_ms: 0,
      })
  }
}
function replyOf(value, finalize) {
  const plain =
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  const marker = plain && Object.keys(MARKERS).find((each) => value[each] === true)
  if (marker) {
    const payload = { ...value }
    delete payload[marker]
    return [
      MARKERS[marker],
      marker === '__error__' ? { recoverable: false, message: '', ...payload } : payload,
    ]
  }
  const output = plain ? value : { value: value === undefined ? null : value }
  return finalize ? ['FINAL', { result: output }] : ['AGENT_OUTPUT', { output }]
}
const traceOf = (it) => bytesId('trc_', it.trace)
