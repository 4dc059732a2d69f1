// One TASK at its worker, from its arrival to its last reply.
import { Signal, CODE } from '../../signals/signals.js'
import { SETTLES, KEEP } from '../../wire/wire.js'
import { NeuronError } from '../../errors.js'

const STREAM_BYTES = 2 ** 20

export class Run {
  constructor(host, axon, caller, task, trace, ttlMs, flags, signal) {
    this.host = host
    this.axon = axon
    this.caller = caller
    this.signal = signal
    this.task = task
    this.trace = trace
    this.keep = (flags & KEEP) !== 0
    this.until = Date.now() + ttlMs
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
    if (body.length > this.host.client.maxSignalBytes)
      throw new NeuronError('BAD_OUTPUT', `the reply has ${body.length} bytes`)
    const it = { flags, kind: CODE[type], number: this.index++, body }
    this.sent.push(it)
    this.bytes += body.length
    while (this.bytes > STREAM_BYTES && this.sent.length > 1) {
      this.bytes -= this.sent.shift().body.length
    }
    this.host.say(this, it, false)
    this.host.dendrite.shown(signal)
  }
}
