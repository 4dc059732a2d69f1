// The directed plane of a client: messages in, calls of its handlers out. Spec: docs/spec/02-session.md.
// Pure: no socket, no clock. It has the session, and says HELLO and GOODBYE.
import {
  NO_BODY,
  VERB,
  item,
  packHello,
  parseMessage,
  readReason,
  readRefusal,
  readUsers,
  readWelcome,
  readWorkers,
  returnedWhole,
} from '../wire/wire.js'
import { WireError } from '../wire/wire-error.js'
import { Session } from './session.js'

const UNEXPECTED = Object.freeze({
  DISCONNECTED: 'unexpected.disconnected',
  GOING_AWAY: 'unexpected.going_away',
  GOODBYE: 'unexpected.goodbye',
  REFUSED: 'unexpected.refused',
  WHO: 'unexpected.who',
})

/**
 * Where a link reports to.
 * @typedef {object} LinkHandlers
 * @property {object} receiver onTask, onReply, onCancel, onBounce, onLost, onPublished, onRegistered; it never throws
 * @property {(items: object[]) => void} onGreeting send this at once, ahead of everything that waits
 * @property {(isReady: boolean) => void} onReady application messages may leave from now on, or no longer
 * @property {(message: object) => void} onReturned it came back unaccepted, and goes out again, in front
 * @property {(welcome: object, isFresh: boolean) => void} onWelcomed
 * @property {(refusal: { reason: string, fix: string, isAccess: boolean }) => void} onRefused
 * @property {(fabric: string[]) => void} onStandby the proxy does not lead: leave it for another one, such as these
 * @property {() => boolean} isAlone whether each proxy that is known was tried, and none leads
 * @property {(page: number, names: string[]) => void} onUsers a page of those who may be in the namespace
 * @property {(why: string) => void} onAway
 * @property {(isRead: boolean) => void} onLeft the session has ended
 * @property {(task: Buffer, body: Buffer) => void} onRoster
 * @property {(bits: number, instances: Buffer[]) => void} onWorkers
 * @property {(caller: Buffer, asked: object[], name: string) => void} onAsked
 */

/** The state of one client on the directed plane. */
export class Link {
  #session = new Session()
  #hello
  #counts
  #on
  #receiver

  /**
   * @param {{ secret: Buffer, instance: Buffer, namespace: string, name: string }} identity
   * @param {import('./counts.js').Counts} counts
   * @param {LinkHandlers} handlers
   */
  constructor(identity, counts, handlers) {
    this.#hello = {
      ...identity,
      epoch: NO_BODY,
      calls: false,
      publish: true,
      runs: true,
      access: true,
    }
    this.#counts = counts
    this.#on = handlers
    this.#receiver = handlers.receiver
  }

  /** The state of the session, see session.js. */
  get state() {
    return this.#session.state
  }

  /** Say in every further HELLO that this client sends tasks. */
  markAsCaller() {
    this.#hello.calls = true
  }

  /** Begin to connect. @throws {import('./session.js').IllegalTransition} It has begun before. */
  start() {
    this.#session.on('START')
  }

  /** Say HELLO again, if the session waits for a WELCOME; call it once a second. */
  repeatHello() {
    // 02, Greeting 4. It ends every standstill: a WHO lost with a connection that broke, or the end
    // of a connection that is reported after the WHO of the next.
    if (['CONNECTING', 'GREETING', 'REFUSED'].includes(this.#session.state)) this.#sayHello()
  }

  /** Say GOODBYE; without a connection the client has left at once (02, Leaving 5). */
  leave() {
    if (!this.#session.expects('LEAVE')) return
    const wasReady = this.#session.isReady
    this.#session.on('LEAVE')
    this.#on.onReady(false)
    if (wasReady) this.#on.onGreeting([item(VERB.GOODBYE)])
    else this.#on.onLeft(true)
  }

  /** Drop everything now. */
  close() {
    this.#session.on('CLOSE')
    this.#on.onReady(false)
  }

  /** Handle the end of the connection. @param {string} why */
  onDisconnected(why) {
    this.#apply('DISCONNECTED', why)
  }

  /**
   * Handle a directed message; count an invalid one.
   * @param {Buffer} head
   * @param {Buffer} body
   */
  onMessage(head, body) {
    const message = parseMessage(head, body)
    if (typeof message === 'string') {
      this.#counts.drop(message)
      return
    }
    const { items, peer, address } = message
    if (items.length > 1) this.#several(message)
    else this.#guarded(items[0], peer, address)
  }

  #several(message) {
    const { items, peer, address } = message
    // 02, Messages ahead of HELLO: a BOUNCE in front of others means that all of it came back.
    const returned = returnedWhole(message)
    if (returned !== null) {
      this.#counts.add('returned')
      this.#on.onReturned({ items: returned.items, address, peer })
    } else if (items[0].verb === VERB.RESEND) {
      // 09, Messages: the tasks of one query belong together, as its answer names all of them.
      this.#on.onAsked(peer, items, address)
    } else {
      // 01, Rules 3: each item counts as if it came alone; an invalid one harms no other.
      for (const each of items) this.#guarded(each, peer, address)
    }
  }

  #guarded(each, peer, address) {
    try {
      this.#take(each, peer, address)
    } catch (error) {
      if (error instanceof WireError) this.#counts.drop(error.reason)
      else throw error
    }
  }

  #take(each, peer, address) {
    const { verb, flags, kind, number, task, trace, body } = each
    switch (verb) {
      case VERB.REPLY:
        this.#receiver.onReply(peer, task, trace, kind, number, flags, body)
        return
      case VERB.TASK:
        this.#receiver.onTask(peer, address, task, trace, kind, number, flags, body)
        return
      case VERB.CANCEL:
        this.#receiver.onCancel(peer, task)
        return
      case VERB.BOUNCE:
        this.#receiver.onBounce(task, readReason(body))
        return
      case VERB.LOST:
        this.#receiver.onLost(task, readReason(body))
        return
      default:
        this.#takeRare(each, peer, address)
    }
  }

  #takeRare(each, peer, address) {
    switch (each.verb) {
      case VERB.PING: // it has arrived, and asks for nothing more
        return
      case VERB.REGISTER:
        this.#receiver.onRegistered(address, each.body.toString('utf8'))
        return
      case VERB.PUBLISH:
        this.#receiver.onPublished(peer, each.kind, each.trace, each.body)
        return
      case VERB.ROSTER:
        this.#on.onRoster(each.task, each.body)
        return
      case VERB.WORKERS:
        this.#on.onWorkers(each.kind, readWorkers(each.body))
        return
      case VERB.RESEND:
        this.#on.onAsked(peer, [each], address)
        return
      default:
        this.#greet(each)
    }
  }

  #greet({ verb, number, body }) {
    switch (verb) {
      case VERB.WHO:
        if (this.#apply('WHO', 'asked again') === 'GREETING') this.#sayHello()
        return
      case VERB.WELCOME:
        this.#onWelcome(readWelcome(body))
        return
      case VERB.REFUSED:
        this.#onRefused(readRefusal(body))
        return
      case VERB.USERS:
        this.#on.onUsers(number, readUsers(body))
        return
      case VERB.GOING_AWAY:
        this.#onGoingAway()
        return
      case VERB.GOODBYE:
        this.#apply('GOODBYE', 'goodbye')
        return
      default:
        this.#counts.drop('verb')
    }
  }

  #onWelcome(welcome) {
    if (!this.#session.expects('WELCOME')) {
      this.#counts.drop('unexpected_welcome')
      return
    }
    this.#session.on('WELCOME')
    // 02, Ids 3: another epoch means that the proxy has lost everything it knew.
    const isFresh = !welcome.epoch.equals(this.#hello.epoch)
    this.#hello.epoch = welcome.epoch
    this.#on.onReady(true)
    this.#on.onWelcomed(welcome, isFresh)
  }

  #onRefused(refusal) {
    if (refusal.isStandby) {
      // 12, What clients do 2: it hangs up, so this is the end of the connection.
      this.#apply('DISCONNECTED', refusal.reason)
      if (this.state !== 'CLOSED') this.#on.onStandby(refusal.fabric)
      return
    }
    this.#apply('REFUSED', `refused: ${refusal.reason}`)
    this.#on.onRefused(refusal)
  }

  // 02, Leaving 3: answer with GOODBYE and wait for the next proxy.
  #onGoingAway() {
    const wasReady = this.#session.isReady
    this.#apply('GOING_AWAY', 'the Synapse stops')
    if (wasReady) this.#on.onGreeting([item(VERB.GOODBYE)])
  }

  #sayHello() {
    // 12, What clients do 4.
    const hello = { ...this.#hello, alone: this.#on.isAlone() }
    this.#on.onGreeting([item(VERB.HELLO, { body: packHello(hello) })])
  }

  /** Apply an event of the far end; count one that the state does not expect. */
  #apply(event, why) {
    const session = this.#session
    if (!session.expects(event)) {
      this.#counts.add(UNEXPECTED[event])
      return null
    }
    const wasReady = session.isReady
    const wasLeaving = session.state === 'LEAVING'
    const state = session.on(event)
    if (wasReady && state !== 'READY') {
      this.#on.onReady(false)
      this.#on.onAway(why)
    }
    // The answer to our GOODBYE proves that all before it was read; nothing else does.
    if (wasLeaving && state === 'CLOSED') this.#on.onLeft(event === 'GOODBYE')
    return state
  }
}
