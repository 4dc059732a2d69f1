// The carrier port over the npm package `zeromq`: libzmq answers the Synapse from a thread of its own, however
// long the event loop is blocked. Spec: docs/spec/08-port.md, The carrier port.
import { checkedLogger } from '../runtime/logger.js'
import { diagnosisOf } from './broadcast-diagnosis.js'
import { BroadcastPlan } from './broadcast-plan.js'
import { dealerEvents } from './dealer-events.js'
import { LibzmqBroadcast } from './libzmq-broadcast.js'
import { LibzmqDealer } from './libzmq-dealer.js'
import { publisher, receiveAll, subscriber } from './libzmq-sockets.js'

const SENTINEL = '~live/'

/** Moves frames to and from a Synapse; see `ZmtpCarrier`, whose calls and events these are. */
export class LibzmqCarrier {
  #endpoint
  #library
  #openOnes
  #keys
  #logger
  #events
  #dealer
  #plan = new BroadcastPlan({
    listen: (place) => this.#listenAt(place),
    publish: (place) => this.#publishAt(place),
  })
  #sub = null
  #publisher = null
  #listening = null
  #publishing = null
  /** See `ZmtpCarrier`. */
  address = null

  /**
   * @param {object} endpoint As of a `ZmtpCarrier`.
   * @param {{ library: object, openOnes?: Set<object>, logger?: { warn: (text: string) => void }, keys?: object | null }} options
   *   `library`: what `loadLibrary` returned; `keys`: of `curveOf`, for TCP alone, by default none; the others as there.
   */
  constructor(endpoint, { library, openOnes = new Set(), logger = checkedLogger(), keys = null }) {
    this.#endpoint = endpoint
    this.#logger = logger
    this.#library = library
    this.#keys = keys
    this.#openOnes = openOnes
  }

  get #isOpen() {
    return this.#openOnes.has(this)
  }

  get endpoint() {
    return String(this.#endpoint)
  }

  open(events) {
    this.#openOnes.add(this)
    this.#events = events
    this.#dealer = new LibzmqDealer(
      this.#library,
      this.#endpoint,
      dealerEvents(events),
      this.#logger,
      this.#keys,
    )
  }

  diagnosis() {
    const lines = [this.#listening, this.#publishing].filter((each) => each !== null)
    return diagnosisOf(this.#endpoint, this.#dealer, lines)
  }

  send(head, body) {
    return this.#dealer.send(head, body) ? 'OK' : 'BUSY'
  }

  /** Do nothing: libzmq writes by itself. */
  flush() {}

  get isAlone() {
    return this.#dealer.isAlone
  }

  passOver(fabric) {
    this.#dealer.passOver(fabric)
  }

  join(listenPort, publishPort) {
    this.#dealer.onWelcomed()
    this.address = this.#dealer.address
    return this.#plan.join(this.#dealer.address.broadcast(listenPort, publishPort))
  }

  openPublisher() {
    this.#plan.openPublisher()
  }

  subscribe(topic) {
    if (this.#plan.subscribe(topic) && this.#isOpen) this.#sub.subscribe(topic)
  }

  unsubscribe(topic) {
    if (this.#plan.unsubscribe(topic) && this.#isOpen) this.#sub.unsubscribe(topic)
  }

  publish(topic, header, body) {
    if (!this.#isOpen || this.#publisher === null) return
    this.#publisher.send([Buffer.from(topic, 'latin1'), header, body]).catch(() => {
      if (this.#isOpen) this.#events.onDropped('publisher_full')
    })
  }

  close() {
    if (!this.#openOnes.delete(this)) return
    this.#dealer.close()
    this.#listening?.close()
    this.#publishing?.close()
  }

  #listenAt(place) {
    if (!this.#isOpen) return
    if (this.#sub === null) this.#openSub()
    if (!this.#listening.connect(place)) this.#listening.hurry()
  }

  #openSub() {
    const events = this.#events
    this.#sub = subscriber(this.#library, this.#keys)
    this.#sub.subscribe(...this.#plan.topics)
    this.#listening = new LibzmqBroadcast(this.#sub, 'XPUB', this.#logger, this.#known())
    void receiveAll(this.#sub, (frames) => {
      if (frames.length === 3) events.onPublication(frames[0].latin1Slice(), frames[1], frames[2])
      else events.onDropped('frame_count')
    })
  }

  #known() {
    return { keys: this.#keys, proxyOf: () => this.#dealer.proxy }
  }

  #publishAt(place) {
    if (!this.#isOpen) return
    if (this.#publisher === null) this.#openXpub()
    this.#publishing.connect(place)
  }

  #openXpub() {
    const events = this.#events
    this.#publisher = publisher(this.#library, this.#keys)
    this.#publishing = new LibzmqBroadcast(this.#publisher, 'XSUB', this.#logger, {
      ...this.#known(),
      onLost: () => events.onSubscription(SENTINEL, false),
    })
    void receiveAll(this.#publisher, ([frame]) => {
      if (frame.length > 0) events.onSubscription(frame.latin1Slice(1), frame[0] === 1)
    })
  }
}
