// A carrier in this process, with a tiny proxy behind it that a test plays: docs/spec/08-port.md,
// "The carrier port". It obeys the rules of the port: no event comes from within a call.
import {
  NO_BODY,
  SENTINEL,
  VERB,
  ZERO,
  item,
  packHeader,
  packMap,
  packMessage,
  parseMessage,
  readHello,
} from '../../src/wire/wire.js'

export const HEARTBEAT_MS = 1234
const nameOf = Object.fromEntries(Object.entries(VERB).map(([name, code]) => [code, name]))

export class FakeCarrier {
  /** Everything that the client sent: `{ verb, kind, items, address, peer }` of each message. */
  sent = []
  topics = []
  published = []
  joined = []
  isOpen = false
  isClosed = false
  flushes = 0
  /** What a send says, and how many it still takes. */
  room = Infinity
  reason = 'no process listens there'
  #events
  #waiting = new Set()

  constructor({
    epoch = Buffer.alloc(16, 9),
    maxBodyBytes = 2 ** 20,
    answers = true,
    ...says
  } = {}) {
    this.epoch = epoch
    this.maxBodyBytes = maxBodyBytes
    /** What WELCOME says of `publish`, `older` and `runs`. */
    this.says = { publish: true, older: false, runs: true, ...says }
    /** Whether what publishes was opened. */
    this.isPublishing = false
    /** Whether HELLO shall say so, and the URLs at each time that it was told to try another proxy. */
    this.isAlone = false
    this.passedOver = []
    this.address = 'cosmo://fake'
    /** Whether it greets, confirms subscriptions and answers GOODBYE by itself. */
    this.answers = answers
  }

  // -- the port --------------------------------------------------------------------------------
  open(events) {
    this.#events = events
    this.isOpen = true
    this.#later(() => this.answers && this.receive(VERB.WHO, { body: packMap({ speaks: [1, 1] }) }))
  }
  diagnosis() {
    return { cause: 'NOBODY', reason: this.reason, hint: 'start one' }
  }
  send(head, body) {
    if (this.room <= 0) return 'BUSY'
    this.room--
    const message = parseMessage(Buffer.from(head), Buffer.from(body))
    if (typeof message === 'string') throw new Error(`a bad message left: ${message}`)
    const verb = nameOf[message.items[0].verb]
    this.sent.push({ ...message, verb, kind: message.items[0].kind })
    if (this.answers) this.#later(() => this.#answer(verb, message))
    this.#stir()
    return 'OK'
  }
  flush() {
    this.flushes++
  }
  passOver(fabric) {
    this.passedOver.push(fabric)
  }
  join(listenPort, publishPort) {
    this.joined.push([listenPort, publishPort])
    return this.joined.length === 1
  }
  openPublisher() {
    if (this.isPublishing) return
    this.isPublishing = true
    if (this.answers) this.#later(() => this.listener(SENTINEL, true))
  }
  subscribe(topic) {
    this.topics.push(topic)
    if (topic.includes('/_sync/') && this.answers) this.#later(() => this.hear(topic))
    this.#stir()
  }
  unsubscribe(topic) {
    this.topics.splice(this.topics.indexOf(topic), 1)
  }
  publish(topic, header, body) {
    this.published.push([topic, header, body])
  }
  close() {
    this.isClosed = true
    this.isOpen = false
  }

  // -- the far end -----------------------------------------------------------------------------
  /** Let a broadcast message arrive. */
  hear(topic, header = packHeader(this.epoch, 0), body = NO_BODY) {
    this.#events.onPublication(topic, header, body)
  }
  /** Let a message of one item arrive. */
  receive(verb, fields = {}, address = '', peer = ZERO) {
    this.receiveItems([item(verb, fields)], address, peer)
  }
  receiveItems(items, address = '', peer = ZERO) {
    this.#events.onMessage(...packMessage(items, address, peer))
  }
  receiveRaw(head, body = NO_BODY) {
    this.#events.onMessage(head, body)
  }
  welcome() {
    const body = packMap({
      epoch: this.epoch,
      listen_port: 2,
      publish_port: 3,
      heartbeat_ms: HEARTBEAT_MS,
      max_body_bytes: this.maxBodyBytes,
      ...this.says,
    })
    this.receive(VERB.WELCOME, { body })
  }
  refuse(reason) {
    this.receive(VERB.REFUSED, { body: packMap({ reason, speaks: [1, 1] }) })
  }
  standBy(fabric = []) {
    const fields = { reason: 'it stands by', code: 'standby', fabric, speaks: [1, 1] }
    this.receive(VERB.REFUSED, { body: packMap(fields) })
  }
  refusedByKeys(refusal) {
    this.#events.onRefused(refusal)
  }
  who() {
    this.receive(VERB.WHO, { body: packMap({ speaks: [1, 1] }) })
  }
  disconnect(why = 'gone') {
    this.#events.onDisconnected(why)
  }
  writable() {
    this.room = Infinity
    this.#events.onWritable()
  }
  listener(topic, isHere) {
    this.#events.onSubscription(topic, isHere)
  }
  dropped(reason) {
    this.#events.onDropped(reason)
  }

  /** The messages of a verb so far. */
  of(verb) {
    return this.sent.filter((each) => each.verb === verb)
  }
  get hello() {
    return readHello(this.of('HELLO').at(-1).items[0].body)
  }
  /** Wait until something holds of this carrier. */
  until(holds) {
    if (holds(this)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.add(() => holds(this) && (resolve(), true))
    })
  }

  #stir() {
    for (const look of this.#waiting) if (look()) this.#waiting.delete(look)
  }
  #later(act) {
    setImmediate(() => this.isOpen && act())
  }
  #answer(verb, { items }) {
    if (verb === 'HELLO') this.welcome()
    else if (verb === 'GOODBYE') this.receive(VERB.GOODBYE)
    else if (verb === 'REGISTER') this.receive(VERB.REGISTER, {}, 'seat')
    else if (verb === 'ROSTER') this.onQuery?.(items[0])
  }
}
