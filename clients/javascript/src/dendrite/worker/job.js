// One TASK at its worker, from its arrival to its last reply.
import { Signal, CODE } from '../../signals/signals.js'
import { SETTLES, KEEP, VERB } from '../../wire/wire.js'
import { item } from '../../client/client.js'
import { NeuronError } from '../../errors.js'

const STREAM_BYTES = 2 ** 20

export class Run {
  constructor(host, axon, it, caller, signal) {
    this.host = host
    this.axon = axon
    this.caller = caller
    this.signal = signal
    this.task = it.task
    this.trace = it.trace
    this.keep = (it.flags & KEEP) !== 0
    this.until = Date.now() + it.number
    this.seq = 0
    this.index = 0
    this.sent = []
    this.bytes = 0
    this.ended = 0
    this.reason = null
    this.controller = null
  }
  /** Made when it is first asked for: an AbortController costs more than all the rest of a call. */
  get aborter() {
    if (this.controller === null) {
      this.controller = new AbortController()
      if (this.reason) this.controller.abort(this.reason)
    }
    return this.controller
  }
  abort(reason) {
    if (this.reason !== null || this.ended) return
    this.reason = reason
    this.controller?.abort(reason)
  }
  throwIfAborted() {
    if (this.reason !== null) throw this.reason
  }
  stream(type, payload) {
    if (!this.ended) this.#send(type, payload, 0)
  }
  settle(type, payload, meta) {
    if (this.ended) return
    this.#send(type, payload, SETTLES, meta)
    this.ended = Date.now()
    this.host.onEnded(this)
  }
  #send(type, payload, flags, meta = {}) {
    const signal = new Signal({
      type,
      traceId: this.signal.traceId,
      parentId: this.signal.id,
      directed: this.axon.directed,
      payload,
      meta,
    })
    const body = signal.encode()
    if (body.length > this.host.client.maxBody)
      throw new NeuronError('BAD_OUTPUT', `the reply has ${body.length} bytes`)
    const it = item(VERB.REPLY, {
      flags,
      kind: CODE[type],
      number: this.index++,
      task: this.task,
      trace: this.trace,
      body,
    })
    this.sent.push(it)
    this.bytes += body.length
    while (this.bytes > STREAM_BYTES && this.sent.length > 1) {
      this.bytes -= this.sent.shift().body.length
    }
    this.host.client.send(it, '', this.caller)
    this.host.dendrite.shown(signal)
  }
}
