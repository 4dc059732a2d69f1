// Whatever the far end does, in any order: nothing leaves too early, nothing is lost, and the order stays.
import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TRANSITIONS } from '../../src/client/session.js'
import { VERB, item } from '../../src/wire/wire.js'
import { scene, sendTask, turn } from './scene.js'

const FAR = [
  'WHO',
  'WELCOME',
  'WELCOME',
  'WELCOME',
  'REFUSED',
  'DISCONNECTED',
  'GOING_AWAY',
  'GOODBYE',
]
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('send') }) },
    {
      weight: 4,
      arbitrary: fc.record({ does: fc.constant('far'), event: fc.constantFrom(...FAR) }),
    },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('turn', 'writable') }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('full'), room: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('return') }) },
  ),
  { maxLength: 80, size: 'max' },
)

/** A client and what the table says of its state. */
class Machine {
  state = 'CONNECTING'
  accepted = []
  #returned = 0
  constructor(t) {
    Object.assign(this, scene(t, { carrier: { answers: false } }))
    this.opening = this.client.open(null)
    this.opening.catch(() => {}) // a first REFUSED ends it
    const { send } = this.far
    this.far.send = (head, body) => {
      const before = this.far.sent.length
      const outcome = send.call(this.far, head, body)
      const last = this.far.sent.at(-1)
      if (this.far.sent.length > before && last.verb === 'TASK')
        assert.equal(this.state, 'READY', 'a TASK leaves in READY only')
      return outcome
    }
  }
  send() {
    const name = this.accepted.length
    // some are too large for a bundle
    const size = name % 3 === 2 ? 17 * 1024 : 1
    const outcome = sendTask(this.client, name, { ttlMs: 600_000, size })
    assert.ok(outcome === 'WAITING' || (outcome === 'SENT' && this.state === 'READY'), outcome)
    this.accepted.push(name)
  }
  /** Let the far end do something; the state changes before the client answers. */
  happen(event) {
    const next = TRANSITIONS[this.state][event]
    if (event === 'REFUSED' && !this.receiver.of('onWelcomed').length) return // it would end here
    this.state = next ?? this.state
    if (event === 'WHO') this.far.who()
    else if (event === 'WELCOME') this.far.welcome()
    else if (event === 'REFUSED') this.far.refuse('full')
    else if (event === 'DISCONNECTED') this.far.disconnect()
    else this.far.receive(VERB[event])
  }
  /** Let everything that was sent since the last time come back whole, as to a proxy that started anew. */
  comeBack() {
    if (this.state === 'READY') return
    const messages = this.far.sent.slice(this.#returned)
    this.#returned = this.far.sent.length
    const mark = item(VERB.BOUNCE, { body: Buffer.from('hello_first') })
    for (const { verb, items, address } of messages)
      if (verb === 'TASK') this.far.receiveItems([mark, ...items], address)
  }
  /** The tasks that left and did not come back, in order. */
  get arrived() {
    return this.far.sent
      .slice(this.#returned)
      .filter(({ verb }) => verb === 'TASK')
      .flatMap(({ items }) => items.map(({ task }) => Number(task.toString().replace(/^\.+/, ''))))
  }
}

test('nothing leaves before WELCOME, nothing that was accepted is lost, and the order stays', (t) =>
  fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const machine = new Machine(t)
      const { far } = machine
      await turn()
      for (const { does, event, room } of script) {
        if (does === 'send') machine.send()
        else if (does === 'turn') await turn()
        else if (does === 'full') far.room = room
        else if (does === 'writable') far.writable()
        else if (does === 'far') machine.happen(event)
        else machine.comeBack()
      }
      far.room = Infinity
      machine.happen('DISCONNECTED')
      machine.comeBack()
      machine.happen('WHO')
      machine.happen('WELCOME')
      far.writable()
      await turn()

      // Every return took back all that had left, so all of it leaves again, in its old order.
      assert.deepEqual(machine.arrived, machine.accepted)
      assert.deepEqual(machine.client.counts['drop.outbox_full'], undefined)
      await machine.client.close(0)
    }),
    { numRuns: 100 },
  ))
