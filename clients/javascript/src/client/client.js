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
  addressOf,
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

const MAX_NUMBER = 2 ** 32 - 1
/** What a send says at once (docs/spec/08-port.md). */
export const Outcome = Object.freeze({
  SENT: 'SENT',
  WAITING: 'WAITING',
  BUSY: 'BUSY',
  TOO_LARGE: 'TOO_LARGE',
  CLOSED: 'CLOSED',
})

/** The transport port of docs/spec/08-port.md over a carrier. */
export class Client {
  #counts = {}
  #awaySince = null
  #isOpen = false
  #known = new Map()
  #isComplete = false
  #questions = new Map()
  constructor({ carrier, url, namespace, name, maxSignalBytes = 16 * 2 ** 20 }, receiver) {
    this.carrier = carrier
    this.url = url
    this.namespace = namespace
    this.name = name
    this.calls = true
    this.owner = receiver
    this.source = null
    this.onGoodbye = null
    this.secret = randomBytes(16)
    this.instance = instanceOf(this.secret)
    this.state = 'IDLE'
    this.epoch = NO_BODY
    this.maxSignalBytes = maxSignalBytes
    this.heartbeatMs = 2000
    this.returned = []
    this.outbox = []
    this.outboxBytes = 0
    this.groups = new Map()
    this.turnOpen = false
    this.turnCount = 0
    this.lastTurn = 0
    this.endTurn = () => this.#endTurn()
    this.heardBy = new Map()
    this.sequences = new Map()
    this.next = new Map()
    this.turn = 0
    this.syncs = new Map()
    this.live = false
    this.topics = new Map()
    this.asked = new Map()
    this.waiters = []
  }
  count(name, n = 1) {
    this.#counts[name] = (this.#counts[name] ?? 0) + n
  }
  /** Every drop, gap and return so far by name; a copy. */
  get counts() {
    return { ...this.#counts }
  }
  /** For how long the Synapse is out of reach, in ms; null while it is there, and while not open. */
  get awayMs() {
    return this.#isOpen && this.#awaySince !== null ? performance.now() - this.#awaySince : null
  }
  /** After each reconnect list the tasks that `source` knows. Call it before `open`. */
  resyncFrom(source) {
    this.source = source
  }

  // ---- coming and leaving
  async open(timeoutMs, topics = []) {
    this.state = 'CONNECTING'
    for (const topic of topics) this.listen(topic)
    this.carrier.open(this)
    this.greeter = setInterval(() => {
      if (this.state !== 'READY' && this.state !== 'CLOSED' && this.state !== 'LEAVING')
        this.#hello()
    }, 1000)
    this.greeter.unref()
    const until = Date.now() + (timeoutMs ?? 2 ** 31 - 1)
    await this.#waitFor(() => this.state === 'READY', until)
    await this.#waitFor(() => this.live, until)
    await this.sync(until - Date.now())
    this.#isOpen = true
  }
  #waitFor(done, until) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.refusal) {
          this.#abort()
          return (reject(new SynapseRefused(this.url, this.refusal)), true)
        }
        if (done()) return (resolve(), true)
      }
      if (check()) return
      const timer = setTimeout(
        () => {
          this.waiters = this.waiters.filter((w) => w !== waiter)
          const seen = this.carrier.diagnosis()
          this.#abort()
          reject(
            new SynapseUnreachable(this.url, seen, 'start one with: cosmo synapse start memory'),
          )
        },
        Math.min(2 ** 31 - 1, Math.max(0, until - Date.now())),
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
  async close(timeoutMs = 1000) {
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
    this.#abort()
    return clean
  }
  #abort() {
    if (this.state === 'CLOSED') return
    this.state = 'CLOSED'
    this.#isOpen = false
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
      if (this.state !== 'READY' || this.carrier.send(head, body) !== 'OK')
        for (const it of group.items) this.#keep(it, group.address, group.peer, true)
    }
    this.groups.clear()
  }
  #one(it, address, peer) {
    const [head, body] = packMessage([it], address, peer)
    return this.carrier.send(head, body) === 'OK'
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
  #away(why) {
    this.#awaySince ??= performance.now()
    this.owner.onAway(why)
  }
  onDropped(reason) {
    this.count('drop.' + reason)
  }
  onDisconnected(why) {
    if (this.state === 'CLOSED') return
    if (this.state === 'LEAVING') {
      this.onGoodbye?.()
      return this.#abort()
    }
    this.#flushGroups()
    const was = this.state
    this.state = 'CONNECTING'
    if (was === 'READY') this.#away(why)
  }
  onMessage(head, body) {
    const message = parseMessage(head, body)
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
    if (first.verb === RESEND) return this.#onQuestion(peer, items, address)
    for (const it of items) this.#take(it, peer, address)
  }
  #take(it, peer, address) {
    const owner = this.owner
    switch (it.verb) {
      case REPLY:
        return owner.onReply(peer, it.task, it.trace, it.kind, it.number, it.flags, it.body)
      case TASK:
        return owner.onTask(peer, address, it.task, it.trace, it.kind, it.number, it.flags, it.body)
      case CANCEL:
        return owner.onCancel(peer, it.task)
      case BOUNCE:
        return owner.onBounce(it.task, it.body.toString('latin1'))
      case LOST:
        return owner.onLost(it.task, it.body.toString('latin1'))
      case REGISTER:
        return owner.onRegistered(address, it.body.toString())
      case WORKERS:
        return this.#onWorkers(it)
      case VERB.ROSTER:
        return this.#questions.get(it.task.latin1Slice(0, 16))?.(it.body)
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
          this.#away('going away')
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
    this.maxSignalBytes = Math.min(this.maxSignalBytes, words.max_body_bytes)
    const again = this.state === 'READY'
    this.state = 'READY'
    this.carrier.join(words.listen_port, words.publish_port)
    this.#awaySince = null
    if (before.length && !again && this.source) this.#page(this.#listing(this.waitingTasks()))
    this.#drain()
    this.owner.onWelcomed(fresh)
    if (before.length && !again && this.source)
      this.#page([...this.source.heldTasks()].map(claimed))
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
  #onQuestion(caller, items, name) {
    if (this.source === null) return this.count('drop.question')
    const claims = []
    const again = []
    for (const it of items) {
      const held = this.source.claimOf(caller, it.task)
      if (held === null) continue
      claims.push(claimed(held))
      if (held.claim !== 2) again.push(it)
    }
    this.#past([...claims, item(CLAIM, { kind: 3 })], name)
    for (const it of again) this.source.sendAgain(caller, it.task, it.number)
  }
  #onWorkers({ kind, body }) {
    const FIRST = 1
    const LAST = 2
    const LEFT = 4
    const ids = []
    for (let at = 0; at + 16 <= body.length; at += 16) ids.push(body.subarray(at, at + 16))
    if (kind & LEFT) {
      for (const id of ids) this.#known.delete(id.latin1Slice(0, 16))
      return
    }
    if (kind & FIRST) {
      const old = Date.now() + 10000
      for (const each of this.#known.values()) each.until ??= old
      this.#isComplete = false
    }
    for (const id of ids)
      this.#known.set(id.latin1Slice(0, 16), { id: Buffer.from(id), until: undefined })
    if (kind & LAST) this.#isComplete = true
  }
  /** What a caller says of its open tasks behind a WELCOME. */
  #listing(waiting) {
    const now = Date.now()
    for (const [key, each] of this.#known)
      if (each.until !== undefined && each.until < now) this.#known.delete(key)
    const ids = [...this.#known.values()].map((each) => each.id)
    const complete = this.#isComplete ? 2 : 0
    const out = []
    for (let i = 0, first = 1; i === 0 || i < ids.length; i += 1024, first = 0)
      out.push(
        item(WORKERS, {
          kind: first | (i + 1024 >= ids.length ? complete : 0),
          body: ids.length ? Buffer.concat(ids.slice(i, i + 1024)) : NO_BODY,
        }),
      )
    for (const opened of this.source.openTasks())
      if (!waiting.has(opened.task.latin1Slice(0, 16))) out.push(listed(opened, 0))
    out.push(item(RESEND, { kind: 1 }))
    return out
  }
  // ---- the calls of the port
  #send(it, address = '', peer = ZERO) {
    if (this.state === 'IDLE' || this.state === 'CLOSED') return 'CLOSED'
    if (it.body.length > this.maxSignalBytes) return 'TOO_LARGE'
    return this.send(it, address, peer)
  }
  sendTask(neuron, capabilities, task, trace, kind, body, ttlMs, keep) {
    const number = Math.min(MAX_NUMBER, Math.max(0, ttlMs))
    const it = item(TASK, { flags: keep ? 2 : 0, kind, number, task, trace, body })
    return this.#send(it, addressOf(neuron ?? undefined, capabilities))
  }
  sendReply(caller, task, trace, kind, body, index, settles, skips) {
    const flags = (settles ? 1 : 0) | (skips ? 4 : 0)
    return this.#send(item(REPLY, { flags, kind, number: index, task, trace, body }), '', caller)
  }
  sendGap(opened) {
    return this.#send(listed(opened, 2))
  }
  sendCancel({ task, trace }) {
    return this.#send(item(CANCEL, { task, trace }))
  }
  sendPresence(verb, neuronId, facts, kind, body) {
    if (this.state === 'IDLE' || this.state === 'CLOSED') return 'CLOSED'
    if (body.length > this.maxSignalBytes) return 'TOO_LARGE'
    if (this.state !== 'READY') return 'WAITING'
    this.#past(
      [item(VERB[verb], { body: pack(facts) }), item(VERB[verb], { kind, body })],
      neuronId,
    )
    return 'SENT'
  }
  async drained() {
    while (this.#held() && this.state !== 'CLOSED')
      await new Promise((resolve) => setTimeout(resolve, 5))
  }
  #ask(question, timeoutMs) {
    const id = randomBytes(16)
    const key = id.latin1Slice(0, 16)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#questions.delete(key)
        reject(new SynapseUnreachable(this.url, 'no answer to a question', 'try again'))
      }, timeoutMs)
      this.#questions.set(key, (body) => {
        clearTimeout(timer)
        this.#questions.delete(key)
        resolve(unpack(body))
      })
      this.#send(item(VERB.ROSTER, { task: id, body: pack(question) }))
    })
  }
  async barrier(timeoutMs) {
    if (this.state !== 'READY') return false
    return this.#ask({ name: '-', capability: '', after: 0 }, timeoutMs).then(
      () => true,
      () => false,
    )
  }
  async roster({ neuronId = '', capability = '' } = {}, timeoutMs = 5000) {
    const rows = []
    for (let more = true, after = 0; more; after = rows.at(-1)?.number ?? 0) {
      const [page, isMore] = await this.#ask({ name: neuronId, capability, after }, timeoutMs)
      more = isMore && page.length > 0
      for (const [name, capabilities, client, instance, state, open, facts, vitals, number] of page)
        rows.push({
          neuronId: name,
          capabilities,
          dendriteId: client,
          instance: instance.toString('hex'),
          state,
          open,
          running: vitals.running ?? 0,
          queued: vitals.queued ?? 0,
          loopLagMs: vitals.loop_lag_ms ?? 0,
          version: facts.version ?? null,
          role: facts.role ?? null,
          number,
        })
    }
    for (const row of rows) delete row.number
    return rows
  }
  #past(items, address) {
    this.#flushGroups()
    const [head, body] = packMessage(items, address)
    this.carrier.send(head, body)
    this.carrier.flush()
  }

  // ---- the broadcast plane
  onSubscription(topic, here) {
    if (topic === SENTINEL) {
      this.live = here
      if (!here) this.heardBy.clear()
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
  publish(kind, trace, caller, worker, body) {
    let sent = 0
    if (body.length > this.maxSignalBytes) {
      this.count('drop.too_large')
      return 0
    }
    for (const topic of [traceTopic(this.namespace, trace), kindTopic(this.namespace, kind)]) {
      const sequence = this.heardBy.get(topic)
      if (sequence === undefined) continue
      this.heardBy.set(topic, sequence + 1)
      this.carrier.publish(topic, packHeader(this.instance, sequence, caller, worker), body)
      sent++
    }
    return sent
  }
  #topicOf({ kind, trace }) {
    return trace === undefined || trace === null
      ? kindTopic(this.namespace, kind)
      : traceTopic(this.namespace, trace)
  }
  listen(asked) {
    const topic = this.#topicOf(asked)
    const n = this.topics.get(topic) ?? 0
    this.topics.set(topic, n + 1)
    this.asked.set(topic, {
      kind: asked.trace ? -1 : asked.kind,
      trace: asked.trace ? Buffer.from(asked.trace) : NO_BODY,
    })
    if (n === 0) this.carrier.subscribe(topic)
  }
  unlisten(asked) {
    const topic = this.#topicOf(asked)
    const n = this.topics.get(topic) ?? 0
    if (n > 1) this.topics.set(topic, n - 1)
    else {
      this.topics.delete(topic)
      this.asked.delete(topic)
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
        reject(new SynapseUnreachable(this.url, 'it takes no subscriptions', 'look at its log'))
      }, timeoutMs)
      this.syncs.set(topic, () => {
        end()
        resolve()
      })
      this.carrier.subscribe(topic)
    })
  }
  onPublication(topic, header, body) {
    const synced = this.syncs.get(topic)
    if (synced) return synced()
    const message = parseBroadcast(header, body)
    if (typeof message === 'string') return this.count('drop.' + message)
    const { publisher, first, caller, worker, bodies } = message
    const key = publisher.latin1Slice(0, 16) + topic
    const expected = this.next.get(key)
    const number = Number(first)
    if (expected !== undefined && number > expected) {
      this.count('gap.broadcast', number - expected)
      this.owner.onMissed(number - expected)
    }
    this.next.delete(key)
    this.next.set(key, number + bodies.length)
    if (this.next.size > 65536) this.next.delete(this.next.keys().next().value)
    if (!this.topics.has(topic)) return
    if (publisher.equals(this.instance)) return // our own comes back to us, too
    const asked = this.asked.get(topic)
    for (const each of bodies) this.owner.onHeard(asked.kind, asked.trace, caller, worker, each)
  }
}

const listed = ({ task, trace, nextIndex, leftMs, keep }, kind) => {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(nextIndex)
  const number = Math.min(MAX_NUMBER, Math.max(0, leftMs))
  return item(RESEND, { kind, flags: keep ? 2 : 0, number, task, trace, body })
}
const claimed = ({ caller, task, trace, neuronId, claim, leftMs, keep }) =>
  item(CLAIM, {
    flags: keep ? 2 : 0,
    kind: claim,
    number: Math.min(MAX_NUMBER, Math.max(0, leftMs)),
    task,
    trace,
    body: Buffer.concat([caller, Buffer.from(neuronId)]),
  })
