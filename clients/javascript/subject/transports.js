// Transports of this process for a driver: the calls of docs/spec/08-port.md, each event an event.

/** The events of the transport port. */
export const EVENTS = [
  'onTask',
  'onReply',
  'onCancel',
  'onBounce',
  'onLost',
  'onHeard',
  'onMissed',
  'onPublished',
  'onRegistered',
  'onWelcomed',
  'onAway',
]

/** Asks the driver for the tasks of a Dendrite that is not in this process. */
class FarSource {
  #channel
  #handle
  constructor(channel, handle) {
    this.#channel = channel
    this.#handle = handle
  }
  openTasks() {
    return this.#channel.ask(this.#handle, 'openTasks')
  }
  heldTasks() {
    return this.#channel.ask(this.#handle, 'heldTasks')
  }
  claimOf(caller, task) {
    return this.#channel.ask(this.#handle, 'claimOf', caller, task)
  }
  sendAgain(caller, task, index) {
    this.#channel.tell(this.#handle, 'sendAgain', caller, task, index)
  }
}

export class TransportSubject {
  #channel
  #handle
  #client

  constructor(channel, handle, synapse, options) {
    this.#channel = channel
    this.#handle = handle
    const receiver = Object.fromEntries(
      EVENTS.map((name) => [name, (...args) => channel.tell(handle, name, ...args)]),
    )
    this.#client = synapse.transport(options, receiver)
  }

  get(name) {
    return this.#client[name]
  }
  resync() {
    this.#client.resyncFrom(new FarSource(this.#channel, this.#handle))
  }
  open(timeoutMs, topics) {
    return this.#client.open(timeoutMs, topics)
  }
  async close(timeoutMs) {
    return this.#client.close(timeoutMs)
  }
  call(name, ...args) {
    return this.#client[name](...args)
  }
}
