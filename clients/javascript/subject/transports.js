// Transports of this process for a driver: the calls of docs/spec/08-port.md, each event an event.
import { Client } from '../src/client/client.js'

const EVENTS = [
  'onTask',
  'onReply',
  'onCancel',
  'onBounce',
  'onLost',
  'onHeard',
  'onMissed',
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
  #carrier

  constructor(channel, handle, carrier, { url, namespace, name, maxSignalBytes }) {
    this.#channel = channel
    this.#handle = handle
    this.#carrier = carrier
    const receiver = Object.fromEntries(
      EVENTS.map((name_) => [name_, (...args) => channel.tell(handle, name_, ...args)]),
    )
    this.#client = new Client({ carrier, url, namespace, name, maxSignalBytes }, receiver)
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
    const isClean = await this.#client.close(timeoutMs)
    this.#channel.drop(this.#handle)
    this.#channel.give(this.#handle, this) // closed: its calls go on saying so
    return isClean
  }
  call(name, ...args) {
    return this.#client[name](...args)
  }

  /** End it as the death of its process does. */
  crash() {
    this.#carrier.close()
  }
  /** Lose what it publishes. */
  lose(isLosing) {
    if (isLosing) this.#carrier.publish = () => {}
    else delete this.#carrier.publish
  }
}
