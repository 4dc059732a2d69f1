// Session, outbox, bundles, broadcast plane: docs/spec/02-session.md, 01-wire.md "Bundles", 05-broadcast.md. Knows nothing of Signals.
import { randomBytes } from 'node:crypto'
import { pack, unpack } from '../signals/msgpack.js'
import { instanceOf } from '../signals/ids.js'
import {
  VERB,
  ZERO,
  NO_BODY,
  SENTINEL,
  packMessage,
  parseMessage,
  packHeader,
  parseBroadcast,
  kindTopic,
  traceTopic,
  syncTopic,
} from '../wire/wire.js'
import { SynapseRefused, SynapseUnreachable } from '../errors.js'

const OUTBOX_MESSAGES = 20000,
  OUTBOX_BYTES = 256 * 2 ** 20,
  BUNDLE_ITEMS = 63,
  BUNDLE_BYTES = 262144,
  ALONE = 16384
const {
  TASK,
  REPLY,
  LOST,
  HELLO,
  WHO,
  WELCOME,
  REFUSED,
  CANCEL,
  BOUNCE,
  REGISTER,
  RESEND,
  CLAIM,
  GOING_AWAY,
  GOODBYE,
  WORKERS,
} = VERB
export const item = (
  verb,
  { flags = 0, kind = 0, number = 0, task = ZERO, trace = ZERO, body = NO_BODY } = {},
) => ({ verb, flags, kind, number, task, trace, body })

/** `owner` hears: onTask onReply onCancel onBounce onLost onQuestion onRegistered onWorkers onHeard onMissed onWelcomed onAway, openTasks() runningTasks(). */
export class Client {
  constructor(carrier, { namespace, name, calls = true }, owner) {
    this.carrier = carrier
    this.namespace = namespace
    this.name = name
    this.calls = calls
    this.owner = owner
    this.secret = randomBytes(16)
    this.instance = instanceOf(this.secret)
    this.state = 'IDLE'
    this.epoch = NO_BODY
    this.maxBody = 16 * 2 ** 20
    this.heartbeatMs = 2000
    this.returned = []
    this.outbox = []
    this.outboxBytes = 0
    this.groups = new Map()
    this.turnOpen = false
    this.turnCount = 0
    this.lastTurn = 0
    this.endTurn = () => this.#endTurn()
    this.counts = {}
    this.heardBy = new Map()
    this.sequences = new Map()
    this.next = new Map()
    this.turn = 0
    this.syncs = new Map()
    this.live = false
    this.topics = new Map()
    this.waiters = []
  }
  count(name, n = 1) {
    this.counts[name] = (this.counts[name] ?? 0) + n
  }

  // ---- coming and leaving
  async open(timeoutMs = 5000) {
    this.state = 'CONNECTING'
    this.carrier.open(this)
    this.greeter = setInterval(() => {
      if (this.state !== 'READY' && this.state !== 'CLOSED' && this.state !== 'LEAVING')
        this.#hello()
    }, 1000)
    this.greeter.unref()
    const until = Date.now() + timeoutMs
    await this.#waitFor(() => this.state === 'READY', until)
    await this.#waitFor(() => this.live, until)
    await this.sync(until - Date.now())
  }
  #waitFor(done, until) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.refusal) {
          this.close()
          return (reject(new SynapseRefused(this.carrier.url.text, this.refusal)), true)
        }
        if (done()) return (resolve(), true)
      }
      if (check()) return
      const timer = setTimeout(
        () => {
          this.waiters = this.waiters.filter((w) => w !== waiter)
          const seen = this.carrier.story()
          this.close()
          reject(
            new SynapseUnreachable(
              this.carrier.url.text,
              seen,
              'start one with: cosmo synapse start memory',
            ),
          )
        },
        Math.max(0, until - Date.now()),
      )
      const waiter = () => {
        if (check()) {
          clearTimeout(timer)
          return true
        }
      }
      this.waiters.push(waiter)
    })
  }
  #changed() {
    this.waiters = this.waiters.filter((w) => !w())
  }
  async leave(timeoutMs = 1000) {
    if (this.state === 'CLOSED' || this.state === 'IDLE') return true
    let clean = false
    if (this.state === 'READY') {
      this.#endTurn()
      const until = Date.now() + timeoutMs
      while (this.#held() && Date.now() < until) {
        this.#drain()
        await new Promise((r) => setTimeout(r, 5))
      }
      clean = !this.#held()
      this.state = 'LEAVING'
      this.#now([item(GOODBYE)])
      clean &&= await new Promise((r) => {
        const timer = setTimeout(r, Math.max(50, until - Date.now()), false)
        this.onGoodbye = () => {
          clearTimeout(timer)
          r(true)
        }
      })
    }
    this.close()
    return clean
  }
  close() {
    if (this.state === 'CLOSED') return
    this.state = 'CLOSED'
    clearInterval(this.greeter)
    this.carrier.close()
  }
  #held() {
    return this.returned.length + this.outbox.length
  }
  #hello() {
    this.#now([
      item(HELLO, {
        body: pack({
          secret: this.secret,
          instance: this.instance,
          namespace: this.namespace,
          name: this.name,
          epoch: this.epoch,
          calls: this.calls,
        }),
      }),
    ])
  }
  #now(items, address = '', peer = ZERO) {
    const [head, body] = packMessage(items, address, peer)
    const sent = this.carrier.send(head, body)
    this.carrier.flush()
    return sent
  }

  // ---- sending
  /** SENT, WAITING or BUSY; never throws for the state of the network. */
  send(it, address = '', peer = ZERO) {
    if (this.state !== 'READY' || this.#held()) return this.#keep(it, address, peer)
    const bundled = it.verb === TASK || it.verb === REPLY
    if (!bundled || it.body.length > ALONE) {
      this.#flushGroups()
      if (!this.#one(it, address, peer)) return this.#keep(it, address, peer)
      this.#openTurn()
      return 'SENT'
    }
    const first = !this.turnOpen
    this.#openTurn()
    this.turnCount++
    if (first && this.lastTurn <= 1) {
      if (!this.#one(it, address, peer)) return this.#keep(it, address, peer)
      this.carrier.flush()
      return 'SENT'
    }
    const id = it.verb === TASK ? address : peer.latin1Slice(0, 16)
    let group = this.groups.get(id)
    if (
      group === undefined ||
      group.verb !== it.verb ||
      group.items.length === BUNDLE_ITEMS ||
      group.bytes + it.body.length > BUNDLE_BYTES
    ) {
      if (group !== undefined) this.#flushGroups()
      this.groups.set(id, (group = { verb: it.verb, address, peer, items: [], bytes: 0 }))
    }
    group.items.push(it)
    group.bytes += it.body.length
    return 'SENT'
  }
  #openTurn() {
    if (!this.turnOpen) {
      this.turnOpen = true
      this.turnCount = 0
      setImmediate(this.endTurn)
    }
  }
  #endTurn() {
    this.turnOpen = false
    this.lastTurn = this.turnCount
    this.#flushGroups()
    this.carrier.flush()
  }
  #flushGroups() {
    if (this.groups.size === 0) return
    for (const group of this.groups.values()) {
      const [head, body] = packMessage(group.items, group.address, group.peer)
      if (this.state !== 'READY' || !this.carrier.send(head, body))
        for (const it of group.items) this.#keep(it, group.address, group.peer, true)
    }
    this.groups.clear()
  }
  #one(it, address, peer) {
    const [head, body] = packMessage([it], address, peer)
    return this.carrier.send(head, body)
  }
  #keep(it, address, peer, anyway = false) {
    const size = it.body.length + 200
    if (
      !anyway &&
      (this.outbox.length >= OUTBOX_MESSAGES || this.outboxBytes + size > OUTBOX_BYTES)
    ) {
      this.count('outbox_full')
      return 'BUSY'
    }
    this.outbox.push(this.#entry(it, address, peer))
    this.outboxBytes += size
    return 'WAITING'
  }
  #entry(it, address, peer) {
    return { it, address, peer, until: it.verb === TASK ? Date.now() + it.number : 0 }
  }
  waitingTasks() {
    const out = new Set()
    for (const e of [...this.returned, ...this.outbox])
      if (e.it.verb === TASK) out.add(e.it.task.latin1Slice(0, 16))
    return out
  }
  #drain() {
    for (const list of [this.returned, this.outbox]) {
      let gone = 0
      for (; gone < list.length && this.state === 'READY'; gone++) {
        const { it, address, peer, until } = list[gone]
        if (it.verb === TASK) {
          const left = until - Date.now()
          if (left <= 0) {
            this.count('expired_in_outbox')
            continue
          }
          it.number = Math.min(it.number, left)
        }
        if (!this.#one(it, address, peer)) break
      }
      for (const e of list.splice(0, gone))
        if (list === this.outbox) this.outboxBytes -= e.it.body.length + 200
      if (list.length) break
    }
    this.carrier.flush()
  }

  // ---- what the carrier tells
  onWritable() {
    if (this.state === 'READY') this.#drain()
    else if (this.state === 'GREETING') this.#hello()
  }
  onDisconnected() {
    if (this.state === 'CLOSED') return
    if (this.state === 'LEAVING') {
      this.onGoodbye?.()
      return this.close()
    }
    this.#flushGroups()
    const was = this.state
    this.state = 'CONNECTING'
    if (was === 'READY') this.owner.onAway()
  }
  onMessage(frames) {
    if (frames.length !== 2) {
      if (frames.length !== 1 || frames[0].length) this.count('drop.frame_count')
      return
    }
    const message = parseMessage(frames[0], frames[1])
    if (typeof message === 'string') return this.count('drop.' + message)
    const { items, peer, address } = message
    const first = items[0]
    if (items.length > 1 && first.verb === BOUNCE) {
      // it came back whole
      for (const it of items.slice(1)) this.returned.push(this.#entry(it, address, peer))
      this.count('bounce.' + first.body.toString('latin1'), items.length - 1)
      if (this.state === 'READY' && first.body.toString('latin1') !== 'going_away') this.#drain()
      return
    }
    if (first.verb === RESEND) return this.owner.onQuestion(peer, items, address)
    for (const it of items) this.#take(it, peer, address)
  }
  #take(it, peer, address) {
    const owner = this.owner
    switch (it.verb) {
      case REPLY:
        return owner.onReply(it, peer)
      case TASK:
        return owner.onTask(it, peer, address)
      case CANCEL:
        return owner.onCancel(it, peer)
      case BOUNCE:
        return owner.onBounce(it)
      case LOST:
        return owner.onLost(it)
      case REGISTER:
        return owner.onRegistered(address, it.body.length ? it.body.toString() : null)
      case WORKERS:
        return owner.onWorkers(it)
      case WHO:
        if (
          this.state === 'CONNECTING' ||
          this.state === 'READY' ||
          this.state === 'GREETING' ||
          this.state === 'REFUSED'
        ) {
          this.state = 'GREETING'
          this.#hello()
        }
        return
      case WELCOME:
        return this.#welcome(it)
      case REFUSED:
        return this.#refused(it)
      case GOING_AWAY:
        if (this.state === 'READY') {
          this.#flushGroups()
          this.#now([item(GOODBYE)])
          this.state = 'CONNECTING'
          owner.onAway()
        }
        return
      case GOODBYE:
        if (this.state === 'LEAVING') this.onGoodbye?.()
        return
      case VERB.PING:
        return
      default:
        this.count('drop.verb')
    }
  }
  #refused(it) {
    let why = 'refused'
    try {
      why = unpack(it.body).reason
    } catch {
      /* said badly */
    }
    if (this.epoch.length === 0) {
      this.refusal = why
      this.#changed()
    } else this.state = 'REFUSED'
  }
  #welcome(it) {
    if (!['CONNECTING', 'GREETING', 'READY', 'REFUSED'].includes(this.state))
      return this.count('unexpected.WELCOME')
    const words = unpack(it.body)
    const before = this.epoch
    const fresh = !before.equals(words.epoch)
    this.epoch = Buffer.from(words.epoch)
    this.heartbeatMs = words.heartbeat_ms
    this.maxBody = Math.min(this.maxBody, words.max_body_bytes)
    const again = this.state === 'READY'
    this.state = 'READY'
    this.carrier.join(words.listen_port, words.publish_port)
    if (before.length && !again) this.#page(this.owner.listing(this.waitingTasks(), !fresh))
    this.#drain()
    this.owner.onWelcomed(fresh)
    if (before.length && !again) this.#page(this.owner.claims())
    this.carrier.flush()
    this.#changed()
  }
  /** Items of one verb in messages of at most 64. */
  #page(items) {
    for (let i = 0; i < items.length;) {
      let n = 1
      while (
        n < 63 &&
        i + n < items.length &&
        items[i + n].verb === items[i].verb &&
        items[i + n].kind === items[i].kind &&
        items[i].verb !== WORKERS
      )
        n++
      const [head, body] = packMessage(items.slice(i, i + n))
      this.carrier.send(head, body)
      i += n
    }
  }
  /** Past every queue: for answers to questions. */
  answer(items, address) {
    this.#flushGroups()
    const [head, body] = packMessage(items, address)
    this.carrier.send(head, body)
    this.carrier.flush()
  }

  // ---- the broadcast plane
  onSubscription(topic, here) {
    if (topic === null) {
      this.heardBy.clear()
      this.live = false
      return
    }
    if (topic === SENTINEL) {
      this.live = here
      if (here) this.#changed()
      return
    }
    if (here) this.heardBy.set(topic, 0)
    else this.heardBy.delete(topic)
  }
  isHeard(kind, trace) {
    return (
      this.heardBy.has(kindTopic(this.namespace, kind)) ||
      this.heardBy.has(traceTopic(this.namespace, trace))
    )
  }
  publish(kind, trace, body, worker = ZERO) {
    let sent = 0
    for (const topic of [traceTopic(this.namespace, trace), kindTopic(this.namespace, kind)]) {
      const sequence = this.heardBy.get(topic)
      if (sequence === undefined) continue
      this.heardBy.set(topic, sequence + 1)
      if (this.carrier.publish(topic, packHeader(this.instance, sequence, ZERO, worker), body))
        sent++
    }
    return sent
  }
  listen(topic) {
    const n = this.topics.get(topic) ?? 0
    this.topics.set(topic, n + 1)
    if (n === 0) this.carrier.subscribe(topic)
  }
  unlisten(topic) {
    const n = this.topics.get(topic) ?? 0
    if (n > 1) this.topics.set(topic, n - 1)
    else {
      this.topics.delete(topic)
      this.carrier.unsubscribe(topic)
    }
  }
  sync(timeoutMs = 5000) {
    const topic = syncTopic(this.namespace, this.instance, ++this.turn)
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        this.syncs.delete(topic)
        this.carrier.unsubscribe(topic)
      }
      const timer = setTimeout(() => {
        end()
        reject(
          new SynapseUnreachable(
            this.carrier.url.text,
            'it takes no subscriptions',
            'look at its log',
          ),
        )
      }, timeoutMs)
      this.syncs.set(topic, () => {
        end()
        resolve()
      })
      this.carrier.subscribe(topic)
    })
  }
  onPublication(frames) {
    if (frames.length !== 3) return this.count('drop.frame_count')
    const topic = frames[0].toString('latin1')
    const synced = this.syncs.get(topic)
    if (synced) return synced()
    const message = parseBroadcast(frames[1], frames[2])
    if (typeof message === 'string') return this.count('drop.' + message)
    const { publisher, first, caller, worker, bodies } = message
    const key = publisher.latin1Slice(0, 16) + topic
    const expected = this.next.get(key)
    const number = Number(first)
    if (expected !== undefined && number > expected) {
      this.count('gap.broadcast', number - expected)
      this.owner.onMissed(topic, number - expected)
    }
    this.next.delete(key)
    this.next.set(key, number + bodies.length)
    if (this.next.size > 65536) this.next.delete(this.next.keys().next().value)
    if (!this.topics.has(topic)) return
    if (publisher.equals(this.instance)) return // our own comes back to us, too
    for (const body of bodies) this.owner.onHeard(topic, body, caller, worker)
  }
}
