// A Synapse that stands by, in this process: it greets, and lets nobody in unless it is told to take over.
// Spec: docs/spec/12-failover.md, as far as clients see it.
import { createRequire } from 'node:module'
import { VERB, item, packMap, packMessage, parseMessage, readHello } from '../../src/wire/wire.js'
import { recorder } from './recorder.js'
import { freePorts } from './synapse.js'

const { Router } = createRequire(import.meta.url)('zeromq')
const SPEAKS = [1, 1]

/**
 * Start one; the test `t` ends it.
 * @param {object} t
 * @param {{ fabric?: string[], port?: number }} [options] `fabric`: the URLs that it names.
 */
export async function startStandby(t, { fabric = [], port } = {}) {
  const standby = new FakeStandby(fabric, port ?? (await freePorts()))
  t.after(() => standby.close())
  await standby.start()
  return standby
}

class FakeStandby {
  #fabric
  #router = new Router({ linger: 0, sendTimeout: 0 })
  #held = new Set()
  #events = recorder('onHello')
  /** Whether a HELLO that says alone is held, and no other; else each is refused. */
  holds = false
  /** Whether it leads. */
  leads = false

  constructor(fabric, port) {
    this.#fabric = fabric
    this.port = port
    this.url = `cosmo://127.0.0.1:${port}`
  }

  async start() {
    await this.#router.bind(`tcp://127.0.0.1:${this.port}`)
    void this.#serve()
  }

  close() {
    if (!this.#router.closed) this.#router.close()
  }

  /** Whether each HELLO so far said alone. */
  get alone() {
    return this.#events.calls('onHello').map(([hello]) => hello.alone)
  }

  /** Wait for a number of HELLOs that `isWanted`. */
  heard(count, isWanted) {
    return this.#events.heard('onHello', count, isWanted)
  }

  /** Lead from now on: those whose HELLO was held are asked again. */
  takeOver() {
    this.leads = true
    for (const each of this.#held)
      this.#send(Buffer.from(each, 'hex'), VERB.WHO, { speaks: SPEAKS })
    this.#held.clear()
  }

  async #serve() {
    for await (const [connection, head, body] of this.#router) {
      if (head.length === 0) this.#send(connection, VERB.WHO, { speaks: SPEAKS })
      else this.#answer(connection, parseMessage(head, body).items[0])
    }
  }

  #answer(connection, { verb, body }) {
    if (verb === VERB.GOODBYE) this.#send(connection, VERB.GOODBYE)
    if (verb !== VERB.HELLO) return
    const hello = readHello(body)
    if (this.leads) this.#welcome(connection)
    else if (this.holds && hello.alone) this.#held.add(connection.toString('hex'))
    else this.#refuse(connection)
    this.#events.onHello(hello)
  }

  #refuse(connection) {
    const fields = { reason: 'this Synapse stands by', code: 'standby', fabric: this.#fabric }
    this.#send(connection, VERB.REFUSED, { ...fields, speaks: SPEAKS })
  }

  #welcome(connection) {
    const ports = { listen_port: this.port + 2, publish_port: this.port + 3 }
    const limits = { heartbeat_ms: 2000, max_body_bytes: 2 ** 20 }
    const knows = { publish: true, runs: true, others: true }
    this.#send(connection, VERB.WELCOME, {
      epoch: Buffer.alloc(16, 7),
      ...ports,
      ...limits,
      ...knows,
    })
  }

  #send(connection, verb, fields) {
    if (this.#router.closed) return // the test ended between what was read and the answer
    const body = fields === undefined ? undefined : packMap(fields)
    const frames = packMessage([item(verb, body === undefined ? {} : { body })])
    this.#router.send([connection, ...frames]).catch(() => {}) // it has left
  }
}
