// The transport port over a carrier. Spec: docs/spec/08-port.md (P1 to P33, P43), 02-session.md.
//
// A thin shell: the link decides, the sender and the publications have what goes out, the carrier
// moves the frames. Ids have 16 bytes, times are in ms. A body that a receiver gets is a view of what
// one read of the socket brought: copy it to keep it for long. Ids are copies already.
import { MAX_NUMBER, VERB, ZERO, addressOf, gapItem, item, tellMe } from '../wire/wire.js'
import { checkedName } from '../names.js'
import { checkedLogger } from '../runtime/logger.js'
import { Counts } from './counts.js'
import { FabricNews } from './fabric-news.js'
import { guarded } from './guarded-receiver.js'
import { Handshake } from './handshake.js'
import { Link } from './link.js'
import { Outbox } from './outbox.js'
import { presenceItems } from './presence-items.js'
import { Publications } from './publications.js'
import { Queries } from './queries.js'
import { Reach } from './reach.js'
import { ResyncPages } from './resync-pages.js'
import { Sender } from './sender.js'
import { Standing } from './standing.js'
import { Subscriptions } from './subscriptions.js'
import { Terms } from './terms.js'
import { Turn } from './turn.js'
import { countdown, within } from '../runtime/waits.js'

const CLOSE_TIMEOUT_MS = 1000
const NO_NEURON = Symbol('none yet')
const CLOSED = 'the connection was closed meanwhile'

/** One connection of a Dendrite to its Synapse, which is made again by itself. */
export class Client {
  #carrier
  #reach
  #receiver
  #log
  #counts = new Counts()
  #outbox = new Outbox(this.#counts)
  #turn = new Turn(() => this.#endTurn())
  #resync = new ResyncPages(this.#counts)
  #link
  #sender
  #publications
  #subscriptions
  #queries
  #handshake = null
  #terms
  #news
  #isOpen = false // it takes messages
  #hasOpened = false
  #late = () => this.#reach.error()
  #isCaller = true // the proxy tells of workers, or nobody needs it
  #refusal = ''
  #standing
  #closing = null
  #lastNeuron = NO_NEURON

  /**
   * @param {object} options
   * @param {object} options.carrier Moves the frames; see docs/spec/08-port.md, "The carrier port".
   * @param {string} options.url The Synapse, for error texts.
   * @param {string} options.namespace The namespace of this client, for good.
   * @param {string} options.name Its name, for people.
   * @param {boolean} [options.isList] The URL names several that should stand by for each other.
   * @param {(address: object) => string} [options.urlOf] Returns the URL of an address of the carrier.
   * @param {string} [options.user] The name of the key that its carrier uses; empty for none.
   * @param {number} [options.maxSignalBytes] Limit of a body that leaves; by default 16 MiB.
   * @param {(text: string, error?: unknown) => void} [options.log] Gets what a wait without a limit sees, every
   *   10 s, and what a receiver throws. By default a warning of the process.
   * @param {object} receiver Gets every event, one call each: `onTask`, `onReply`, `onCancel`,
   *   `onBounce`, `onLost`, `onHeard`, `onMissed`, `onPublished`, `onRegistered`, `onWelcomed`, `onAway`. Never from
   *   within a call to the client. One that throws is logged and counted.
   * @throws {InvalidName} `namespace` or `name` is no name.
   */
  constructor({ carrier, url, namespace, name, ...options }, receiver) {
    const { maxSignalBytes, user = '', log = checkedLogger().warn, isList, urlOf } = options
    checkedName('namespace', namespace)
    checkedName('name', name)
    this.#carrier = carrier
    this.#receiver = guarded(receiver, (error) => this.#onFault(error))
    this.#log = log
    this.#news = new FabricNews({ name, url, log, isList, urlOf })
    this.#reach = new Reach(carrier, String(url), log)
    this.#terms = new Terms(maxSignalBytes ?? undefined)
    this.#standing = new Standing(user)
    const { secret, instance } = this.#standing
    /** The id of this connection that survives reconnects, 16 bytes. */
    this.instance = instance
    const counts = this.#counts
    const parts = { instance, namespace, carrier, counts }
    this.#link = new Link({ secret, instance, namespace, name }, counts, {
      receiver: this.#receiver,
      ...this.#linkHandlers(),
    })
    this.#sender = new Sender(carrier, this.#outbox, this.#turn)
    this.#publications = new Publications({
      ...parts,
      turn: this.#turn,
      handOver: (kind, trace, body) => this.#handOver(kind, trace, body),
      barrier: (timeoutMs) => this.barrier(timeoutMs),
    })
    this.#subscriptions = new Subscriptions({ ...parts, receiver: this.#receiver })
    this.#queries = new Queries(
      (items) => this.#send(items),
      (reason) => this.#reach.error(reason),
    )
  }

  /** Limit of a body that leaves, in bytes; it shrinks at `open` when the Synapse allows less. */
  get maxSignalBytes() {
    return this.#terms.maxSignalBytes
  }

  /** How often an Axon shows life, in ms. */
  get heartbeatMs() {
    return this.#terms.heartbeatMs
  }

  /** Whether the Synapse takes publications for certain clients, see `sendPublished`; known from `open` on. */
  get takesPublished() {
    return this.#terms.takesPublished
  }

  /**
   * Whether others may publish by the broadcast plane alone what would be `onPublished`; `onWelcomed` tells of changes.
   */
  get hasOlderPublishers() {
    return this.#terms.hasOlderPublishers
  }

  /** Where the Synapse is that let this client in, whether another one may lead (`half`), and a sentence about that. */
  get fabric() {
    return this.#news.facts
  }

  /** The name of our key, as the Synapse knows it; empty without one. */
  get user() {
    return this.#standing.user
  }

  /** What our key may do, in words such as `serve=invoice-*`; null for everything. Known from `open` on. */
  get may() {
    return this.#standing.may
  }

  /** Return the user of an instance id that came from the Synapse; null if that is not known. */
  originOf(instance) {
    return this.#standing.originOf(instance)
  }

  /** Every drop, gap and return so far, by the names of docs/counters.md; a copy. */
  get counts() {
    return this.#counts.toObject()
  }

  /** For how long the Synapse has been away, in ms; null while it is there, before `open` has returned, and after `close`. */
  get awayMs() {
    return this.#hasOpened && this.#isOpen ? this.#handshake.awayMs : null
  }

  /**
   * After each reconnect list the tasks that `source` knows. Call it before `open`.
   * @param {import('./resync-pages.js').ResyncSource} source
   */
  resyncFrom(source) {
    this.#resync.source = source
    this.#isCaller = false
  }

  // -- opening and closing ---------------------------------------------------------------------

  /**
   * Connect; return when what is used is live: accepted, and `topics` are in force.
   * @param {number | null} timeoutMs null waits for ever, and logs every 10 s what was seen
   * @param {Iterable<import('./subscriptions.js').Topic>} [topics]
   * @param {{ signal?: AbortSignal }} [options] `signal` ends the opening; it rejects with its reason
   * @returns {Promise<void>}
   * @throws {SynapseUnreachable} Not within `timeoutMs`.
   * @throws {SynapseRefused} The Synapse refused the connection.
   */
  async open(timeoutMs, topics = [], { signal } = {}) {
    signal?.throwIfAborted()
    this.#link.start()
    const endNotes = timeoutMs === null ? this.#reach.noteWaiting() : () => {}
    try {
      await within(this.#open(topics), timeoutMs, this.#late, signal)
      this.#hasOpened = true
    } catch (error) {
      this.#abort()
      throw error
    } finally {
      endNotes()
    }
  }

  async #open(topics) {
    this.#handshake = new Handshake(() => this.#tick())
    this.#isOpen = true
    await this.#carrier.open(this.#carrierEvents())
    if (!this.#isOpen) {
      this.#carrier.close() // it was not open yet when this client closed
      throw this.#reach.error(CLOSED)
    }
    for (const topic of topics) this.#subscriptions.listen(topic)
    await this.#handshake.untilWelcomed()
    // 05, When what is used is live 4: WELCOME, and the answer to a sync. The sentinel counts where nothing can be
    // handed over until it has come.
    if (!this.takesPublished) await this.#publications.untilLive()
    if (!this.#subscriptions.isEmpty) await this.#sync(null)
  }

  /**
   * Send what waits, say goodbye and close. A call while it closes shares the result; a later one
   * does nothing.
   * @param {number} [timeoutMs]
   * @returns {Promise<boolean>} true if the Synapse has read everything; it is closed in both cases
   */
  close(timeoutMs = CLOSE_TIMEOUT_MS) {
    this.#closing ??= this.#close(timeoutMs).finally(() => {
      this.#closing = Promise.resolve(true)
    })
    return this.#closing
  }

  async #close(timeoutMs) {
    if (this.#handshake === null || this.#link.state === 'CLOSED') {
      this.#abort()
      return true
    }
    const left = countdown(timeoutMs)
    this.#isOpen = false
    this.#flush()
    this.#sender.drain()
    try {
      if (this.#sender.isReady && this.#outbox.length > 0)
        await within(this.#sender.drained(), left(), this.#late)
      this.#link.leave()
      const isRead = await within(this.#handshake.untilLeft(), left(), this.#late)
      return isRead && this.#outbox.length === 0
    } catch {
      return false // the time was not enough
    } finally {
      this.#abort()
    }
  }

  /** Close now and drop every waiting message. */
  #abort() {
    this.#isOpen = false
    if (this.#link.state === 'CLOSED' && this.#handshake === null) return
    const error = this.#reach.error(CLOSED)
    this.#link.close()
    this.#sender.close()
    this.#publications.close(error)
    this.#subscriptions.close(error)
    this.#queries.close(error)
    if (this.#handshake === null) return
    this.#handshake.close(error)
    this.#handshake = null
    this.#carrier.close()
  }

  // -- sending: each call returns an Outcome at once -------------------------------------------

  /**
   * Send a task to one live Axon: to that of the name `neuron`, or to one that offers all `capabilities`.
   * @param {string | null | undefined} neuron
   * @param {string[]} capabilities
   * @param {Buffer} task 16 bytes, new for each task
   * @param {Buffer} trace 16 bytes
   * @param {number} kind type code, 0 to 255
   * @param {Buffer} body
   * @param {number} ttlMs the time that is left; it runs on while the task waits
   * @param {number} flags KEEP: it runs on when this client goes away; RUN: this client reads runs
   * @returns {string} an Outcome
   * @throws {InvalidName} `neuron` or a capability is no name.
   */
  sendTask(neuron, capabilities, task, trace, kind, body, ttlMs, flags) {
    let address = neuron
    if (neuron !== this.#lastNeuron) {
      address = addressOf(neuron, capabilities)
      if (address === neuron) this.#lastNeuron = neuron
    }
    if (!this.#isOpen) return 'CLOSED'
    if (body.length > this.#terms.maxSignalBytes) return 'TOO_LARGE'
    if (!this.#isCaller) this.#becomeCaller()
    const number = milliseconds(ttlMs)
    return this.#sender.sendBundled(
      { verb: VERB.TASK, flags: flags & this.#terms.taskFlags, kind, number, task, trace, body },
      address,
      ZERO,
    )
  }

  /**
   * Send a reply to a task that this worker has.
   * @param {Buffer} caller 16 bytes
   * @param {Buffer} task 16 bytes
   * @param {Buffer} trace 16 bytes
   * @param {number} kind type code, 0 to 255
   * @param {Buffer} body
   * @param {number} index number of the reply, from 0
   * @param {number} flags SETTLES: it is the last one; SKIPS: missing replies before it are stored no longer; RUN: it
   *   is a run of replies from this number on
   * @returns {string} an Outcome
   */
  sendReply(caller, task, trace, kind, body, index, flags) {
    if (!this.#isOpen) return 'CLOSED'
    if (body.length > this.#terms.maxSignalBytes) return 'TOO_LARGE'
    return this.#sender.sendBundled(
      { verb: VERB.REPLY, flags, kind, number: index, task, trace, body },
      '',
      caller,
    )
  }

  /**
   * Ask for the replies of a task of this caller, from its next index on.
   * @param {import('../wire/resync-messages.js').Opened} opened
   * @returns {string} an Outcome
   */
  sendGap(opened) {
    return this.#send([gapItem(opened)])
  }

  /** Cancel a task of this caller. @param {{ task: Buffer, trace: Buffer }} ids @returns {string} an Outcome */
  sendCancel({ task, trace }) {
    return this.#send([item(VERB.CANCEL, { task, trace })])
  }

  /**
   * Say that an Axon is there, lives, or leaves.
   * @param {'REGISTER' | 'HEARTBEAT' | 'DEREGISTER'} verb
   * @param {string} neuronId
   * @param {object} facts for the tables of the Synapse; `capabilities` is an array of names
   * @param {number} kind type code of `body`
   * @param {Buffer} body what listeners of that kind get
   * @returns {string} an Outcome; WAITING without a connection, and nothing is kept
   * @throws {InvalidArgument} The facts have over 8,192 bytes.
   */
  sendPresence(verb, neuronId, facts, kind, body) {
    const items = presenceItems(VERB[verb], neuronId, facts, kind, body)
    // 02, Outbox 4: presence is not stored, onWelcomed is the moment to say it again.
    if (this.#isOpen && !this.#sender.isReady) return 'WAITING'
    return this.#send(items, addressOf(neuronId))
  }

  #send(items, address, peer) {
    if (!this.#isOpen) return 'CLOSED'
    for (const each of items) if (each.body.length > this.#terms.maxSignalBytes) return 'TOO_LARGE'
    return this.#sender.send(items, address, peer)
  }

  /** Wait until no message waits for room or for a connection, or until it is closed. @returns {Promise<void>} */
  drained() {
    return this.#isOpen ? this.#sender.drained() : Promise.resolve()
  }

  #becomeCaller() {
    // 09, Who may have had a task 1: after a restart of the proxy only the caller names the workers.
    // Without a connection, too: a HELLO that does not say it yet may be on its way.
    this.#isCaller = true
    this.#link.markAsCaller()
    if (this.#sender.send(tellMe()) === 'BUSY') this.#sender.keepAccepted(tellMe())
  }

  // -- publications over the directed plane ----------------------------------------------------

  /**
   * Hand over a publication for certain clients; those who listen get a copy.
   * @param {number} recipients bits of RECIPIENTS
   * @param {number} kind type code, 0 to 255
   * @param {Buffer} trace 16 bytes
   * @param {Buffer} body
   * @param {{ peer?: Buffer, capabilities?: string[] }} [to] with PEER its instance id, with OFFERS what must be offered
   * @returns {string} an Outcome; CLOSED also for a Synapse that takes none
   */
  sendPublished(recipients, kind, trace, body, { peer = ZERO, capabilities } = {}) {
    if (!this.takesPublished) return 'CLOSED'
    const items = [item(VERB.PUBLISH, { kind, number: recipients, trace, body })]
    const address = capabilities === undefined ? '' : addressOf(null, capabilities)
    return this.#send(items, address, peer)
  }

  /** Hand over a publication for those who listen: one that cannot leave now is dropped. */
  #handOver(kind, trace, body) {
    // 05, Handed over 3: it does not wait for a connection.
    const isSent = this.#sender.isReady && this.sendPublished(0, kind, trace, body) !== 'CLOSED'
    if (!isSent) this.#counts.drop('unpublished')
  }

  // -- the broadcast plane ---------------------------------------------------------------------

  /** Tell whether a message of this kind and trace has a listener. @param {number} kind @param {Buffer} trace */
  isHeard(kind, trace) {
    return this.#publications.isHeard(kind, trace)
  }

  /**
   * Publish to the listeners.
   * @param {number} kind type code, 0 to 255
   * @param {Buffer} trace 16 bytes
   * @param {Buffer} body
   * @param {boolean} [isSeldom] opens no connection of its own, unless there are many of them
   * @returns {number} how many messages it took: 0, 1 or 2; 0 for a body over the limit
   */
  publish(kind, trace, body, isSeldom) {
    if (body.length > this.#terms.maxSignalBytes) {
      this.#counts.drop('too_large')
      return 0
    }
    return this.#isOpen ? this.#publications.publish(kind, trace, body, isSeldom) : 0
  }

  /** Listen to a topic; calls add up. In force after the next `sync`. @param {import('./subscriptions.js').Topic} topic */
  listen(topic) {
    this.#subscriptions.listen(topic)
  }

  /** Undo one `listen`. @param {import('./subscriptions.js').Topic} topic */
  unlisten(topic) {
    this.#subscriptions.unlisten(topic)
  }

  /**
   * Wait until every `listen` so far is in force.
   * @param {number | null} timeoutMs
   * @returns {Promise<void>}
   * @throws {SynapseUnreachable} Not within `timeoutMs`, or closed meanwhile.
   */
  async sync(timeoutMs) {
    if (!this.#isOpen) throw this.#reach.error('the connection is closed')
    await this.#sync(timeoutMs)
  }

  async #sync(timeoutMs) {
    const answered = this.#subscriptions.beginSync()
    try {
      const late = () => this.#reach.error('no answer to a subscription')
      await within(answered.promise, timeoutMs, late)
    } finally {
      this.#subscriptions.endSync(answered)
    }
  }

  // -- queries ---------------------------------------------------------------------------------

  /**
   * Return the live Axons of the namespace.
   * @param {{ neuronId?: string, capability?: string }} filter empty matches any
   * @param {number} timeoutMs for the whole answer
   * @returns {Promise<object[]>} each with neuronId, capabilities, dendriteId, instance (hex), state
   *   (`alive`, `stuck`, `away`), open, running, queued, loopLagMs, version and role (or null)
   * @throws {SynapseUnreachable} No answer in time.
   */
  roster(filter, timeoutMs) {
    return this.#queries.roster(filter, timeoutMs)
  }

  /**
   * Return the Dendrites of the namespace; none if the Synapse cannot tell.
   * @param {number} timeoutMs
   * @returns {Promise<object[]>} each with dendriteId, instance (hex), state, axons, open, calls, ageMs
   * @throws {SynapseUnreachable} No answer in time.
   */
  dendrites(timeoutMs) {
    return this.#queries.dendrites(timeoutMs)
  }

  /**
   * Return the open tasks that this client may see; null if the Synapse cannot tell.
   * @param {number} timeoutMs
   * @returns {Promise<object[] | null>} each with the fields of a TaskRecord
   * @throws {SynapseUnreachable} No answer in time.
   */
  openTasks(timeoutMs) {
    return this.#queries.openTasks(timeoutMs)
  }

  /**
   * Return the state of the Synapse.
   * @param {number} timeoutMs
   * @returns {Promise<object>} uptimeMs, draining, connections, away, axons, open, parked,
   *   subscriptions, counts, recentMs, recent and namespace: null, or ours, if our key may not see the others
   * @throws {SynapseUnreachable} No answer in time.
   */
  state(timeoutMs) {
    return this.#queries.state(timeoutMs)
  }

  /**
   * Wait until everything that the Synapse has sent so far has arrived.
   * @param {number} timeoutMs
   * @returns {Promise<boolean>} false if it is away, or did not answer in time
   */
  async barrier(timeoutMs) {
    return this.#sender.isReady && (await this.#queries.barrier(timeoutMs))
  }

  // -- events of the carrier -------------------------------------------------------------------

  #carrierEvents() {
    const link = this.#link
    return {
      onMessage: (head, body) => {
        try {
          link.onMessage(head, body)
        } catch (error) {
          this.#onFault(error) // such as one of the source of a resync
        }
      },
      onWritable: () => this.#sender.drain(),
      onRefused: (refusal) => this.#onRefused({ ...refusal, isAccess: true }),
      onDisconnected: (why) => link.onDisconnected(why ?? 'disconnected'),
      onPublication: (topic, header, body) =>
        this.#subscriptions.onPublication(topic, header, body),
      onSubscription: (topic, isHere) => this.#publications.onSubscription(topic, isHere),
      onDropped: (reason) => this.#counts.drop(reason),
    }
  }

  #tick() {
    this.#link.repeatHello()
    this.#sender.drain() // a safety net: a message that came back while READY waits for nothing else
  }

  #flush() {
    this.#sender.flush()
    this.#publications.flush()
    this.#carrier.flush()
  }

  #endTurn() {
    if (this.#handshake === null) return
    this.#publications.endTurn()
    this.#sender.endTurn()
  }

  // -- events of the link ----------------------------------------------------------------------

  #linkHandlers() {
    return {
      onGreeting: (items) => this.#greet(items),
      onReady: (isReady) => {
        this.#sender.isReady = isReady
      },
      onReturned: (message) => this.#outbox.putBackEach(message, performance.now()),
      onWelcomed: (welcome, isFresh) => this.#onWelcomed(welcome, isFresh),
      onRefused: (refusal) => this.#onRefused(refusal),
      onStandby: (fabric) => this.#carrier.passOver(fabric),
      isAlone: () => this.#carrier.isAlone,
      onUsers: (page, names) => this.#standing.onUsers(page, names),
      onAway: (why) => this.#onAway(why),
      onLeft: (isRead) => this.#handshake?.onLeft(isRead),
      onRoster: (task, body) => this.#queries.onRoster(task, body),
      onWorkers: (bits, instances) => this.#resync.onWorkers(bits, instances, performance.now()),
      onAsked: (caller, asked, name) => this.#onAsked(caller, asked, name),
    }
  }

  #onFault(error) {
    this.#counts.drop('engine_fault')
    this.#log('a receiver threw, and its event is lost: this is a defect, report it', error)
  }

  #greet(items) {
    if (!this.#sender.sendNow(items)) this.#counts.drop('greeting')
  }

  #onWelcomed(welcome, isFresh) {
    this.#refusal = ''
    this.#standing.onWelcomed(welcome)
    this.#terms.onWelcomed(welcome)
    if (!welcome.runs) this.#outbox.withoutRuns() // these were for a proxy that had
    this.#carrier.join(welcome.listenPort, welcome.publishPort)
    this.#news.onWelcomed(this.#carrier.address, welcome)
    if (!welcome.publish) this.#publications.useSocket()
    // 09, After WELCOME: the list goes ahead of the outbox, the CLAIMs after it and after the
    // REGISTERs, which the receiver sends in `onWelcomed`.
    if (!this.#handshake.onWelcomed()) this.#listOpenTasks(isFresh)
    this.#receiver.onWelcomed(isFresh)
    for (const items of this.#resync.claims()) this.#sender.keepAccepted(items)
    this.#sender.drain()
    this.#queries.askAgain()
  }

  #listOpenTasks(isNewProxy) {
    const nowMs = performance.now()
    const pages = this.#resync.listing(this.#outbox.tasks(), nowMs, isNewProxy)
    this.#outbox.putFirst(
      pages.map((items) => ({ items, address: '', peer: ZERO })),
      nowMs,
    )
  }

  #onAway(why) {
    this.#handshake.onAway()
    this.#sender.flush()
    this.#receiver.onAway(why)
  }

  /** Handle a refusal of the proxy, or of what is known of its keys. */
  #onRefused(refusal) {
    if (this.#handshake === null) return // it closes
    const error = this.#reach.refused(refusal)
    // 02, Refusals: one refused while it opens gives up, one welcomed before goes on asking.
    if (this.#handshake.onRefused(error)) return
    if (error.message === this.#refusal || this.#sender.isReady) return
    this.#refusal = error.message
    const { reason, fix } = refusal
    this.#receiver.onAway(`refused: ${fix === '' ? reason : `${reason}; ${fix}`}`)
  }

  #onAsked(caller, asked, name) {
    const answer = this.#resync.answer(caller, asked)
    if (answer === null) return
    // 09, What the proxy does with it 1: the replies follow the CLAIM that announces them.
    this.#send(answer.items, name)
    for (const { task, number } of answer.again) this.#resync.source.sendAgain(caller, task, number)
  }
}

const milliseconds = (ttlMs) => (ttlMs > 0 ? Math.min(MAX_NUMBER, Math.floor(ttlMs)) : 0)
