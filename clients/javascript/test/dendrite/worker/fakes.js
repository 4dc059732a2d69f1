// A transport, handlers and TASKs for the tests of the worker: in this process, without sockets.
import { after } from 'node:test'
import { Axon } from '../../../src/dendrite/worker/axon.js'
import { Inbox } from '../../../src/dendrite/worker/inbox.js'
import { idBytes, newTraceId } from '../../../src/signals/ids.js'
import { Directed, Signal } from '../../../src/signals/signals.js'
import { RUN, SETTLES, SKIPS } from '../../../src/wire/heads.js'

export const CALLER = Buffer.alloc(16, 7)

/**
 * Records what is sent through it; `answers` holds the outcomes of the next replies, SENT by
 * default.
 */
export class FakeClient {
  instance = Buffer.alloc(16, 1)
  maxSignalBytes = 1_000_000
  heartbeatMs = 60_000
  answers = []
  replies = []
  presence = []
  published = []
  #waiters = []
  #room = []

  originOf = () => null

  sendReply(caller, task, trace, kind, body, index, flags) {
    const outcome = this.answers.shift() ?? 'SENT'
    this.replies.push({
      caller,
      task,
      trace,
      kind,
      body,
      index,
      settles: (flags & SETTLES) !== 0,
      skips: (flags & SKIPS) !== 0,
      isRun: (flags & RUN) !== 0,
      outcome,
      signal: Signal.decode(body),
    })
    for (const look of [...this.#waiters]) look()
    return outcome
  }

  /** Those that a caller would have got. */
  get sent() {
    return this.replies.filter(({ outcome }) => outcome === 'SENT' || outcome === 'WAITING')
  }

  /** Resolve to the reply that settles a TASK, as soon as it is sent. */
  outcome(task) {
    return this.until(() =>
      this.replies.find((each) => each.settles && each.task.equals(idBytes(task.id))),
    )
  }

  /** Resolve to what `look` returns, looked at after every reply, once it is not falsy. */
  until(look) {
    return new Promise((resolve) => {
      const again = () => {
        const found = look()
        if (!found) return
        this.#waiters = this.#waiters.filter((each) => each !== again)
        resolve(found)
      }
      this.#waiters.push(again)
      again()
    })
  }

  drained() {
    return new Promise((resolve) => this.#room.push(resolve))
  }

  /** Let every call of `drained` return. */
  makeRoom() {
    const waiting = this.#room
    this.#room = []
    for (const each of waiting) each()
    return waiting.length
  }

  sendPresence(verb, neuronId, facts, kind, body) {
    this.presence.push({ verb, neuronId, facts, kind, signal: Signal.decode(body) })
    return 'SENT'
  }

  async barrier() {
    return true
  }

  isHeard() {
    return true
  }

  publish(kind, trace, body) {
    this.published.push(Signal.decode(body))
    return 1
  }
}

/** Handlers that want everything. */
export class FakeSubscriptions {
  watchesTasks = true // and so no thought travels in a run
  shown = []
  mayWant() {
    return true
  }
  feed(signal) {
    this.shown.push(signal)
  }
}

/** Records warnings. */
export class FakeWarnings {
  said = []
  warn(kind, text, options) {
    this.said.push({ kind, text, ...options })
  }
}

const inboxes = []
after(() => {
  for (const each of inboxes) each.close() // tasks that never end would keep the process alive
})

/** An inbox with one Axon `worker`, and all that it stands on. */
export function inboxOf(neuronFn, { caller = {}, clock, ...options } = {}) {
  const client = new FakeClient()
  const subscriptions = new FakeSubscriptions()
  const warnings = new FakeWarnings()
  const inbox = new Inbox({ client, dendriteId: 'd', subscriptions, caller, warnings, clock })
  inboxes.push(inbox)
  if (neuronFn !== undefined) inbox.add(new Axon({ neuronId: 'worker', neuronFn, ...options }))
  return { client, inbox, subscriptions, warnings }
}

/** Make a TASK. */
export const taskOf = (input = {}, { traceId = newTraceId(), parentId = null, ...more } = {}) =>
  new Signal({
    type: 'TASK',
    traceId,
    parentId,
    directed: new Directed('worker', 'neuron'),
    payload: { input, ...more },
  })

/** Hand a TASK to an inbox, as the transport does. */
export function give(
  inbox,
  task,
  { ttlMs = 60_000, flags = 0, to = 'worker', from = CALLER } = {},
) {
  inbox.onTask(from, to, idBytes(task.id), idBytes(task.traceId), 1, ttlMs, flags, task.encode())
  return task
}

/** Hand a TASK to an inbox; resolve to the Signal that settles it. */
export async function ask(client, inbox, input, options) {
  const task = give(inbox, taskOf(input, options), options)
  return (await client.outcome(task)).signal
}

/** A promise with its functions. */
export function deferred() {
  let resolve, reject
  const promise = new Promise((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}
