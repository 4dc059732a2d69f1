// Asks the Synapse for the live Axons of the namespace.
import { TimeoutError } from '../../errors.js'
import { countdown, within } from '../../runtime/waits.js'
import { makeHandler } from './handlers.js'

const QUERY_MS = 5000
const QUERY_AGAIN_MS = 500

/** Finds live Axons. */
export class Roster {
  #client
  #subscriptions

  /**
   * @param {object} client The transport: asks the Synapse.
   * @param {object} subscriptions Deliver every REGISTER.
   */
  constructor(client, subscriptions) {
    this.#client = client
    this.#subscriptions = subscriptions
  }

  /** Resolve to the live Axons that match. Rejects with SynapseUnreachable after `timeoutMs`, 5 s by default. */
  find({ neuronId = '', capability = '' }, timeoutMs = QUERY_MS) {
    return this.#client.roster({ neuronId, capability }, timeoutMs)
  }

  /**
   * Resolve to the first live Axon that serves a destination, as soon as one is registered.
   *
   * @param {{ id: string | null, capabilities: readonly string[] }} wanted
   * @param {number} timeoutMs
   * @param {AbortSignal} [abort] Rejects with its reason.
   * @throws {TimeoutError} There is none within `timeoutMs`.
   */
  async wait({ id, capabilities }, timeoutMs, abort) {
    const left = countdown(timeoutMs)
    const inTime = (step) => within(step, left(), () => nobody(id, capabilities, timeoutMs), abort)
    const look = async () => {
      const records = await inTime(this.find({ neuronId: id ?? '' }))
      return records.find((each) => isAlive(each) && offers(each, capabilities))
    }
    // Most are there already: nothing has to be listened to then.
    const known = await look()
    if (known !== undefined) return known
    const news = new News()
    const handler = makeHandler(() => news.come(), ['REGISTER'], { direct: true })
    this.#subscriptions.add(handler)
    try {
      await inTime(this.#subscriptions.settle())
      for (;;) {
        news.forget()
        const found = await look()
        if (found !== undefined) return found
        // An Axon that was stuck and recovers sends no REGISTER: hence the interval.
        await inTime(news.within(QUERY_AGAIN_MS))
      }
    } finally {
      this.#subscriptions.discard(handler)
      news.come() // its timer must not keep the process
    }
  }
}

/** Something that may come while nobody waits for it. */
class News {
  #isHere = false
  #wake = () => {}

  come() {
    this.#isHere = true
    this.#wake()
  }

  forget() {
    this.#isHere = false
  }

  async within(waitMs) {
    if (this.#isHere) return
    let timer
    await new Promise((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, waitMs)
    })
    clearTimeout(timer)
  }
}

const isAlive = ({ state }) => state === 'alive'
const offers = (record, capabilities) =>
  capabilities.every((each) => record.capabilities.includes(each))

function nobody(id, capabilities, timeoutMs) {
  const who = id === null ? capabilities.join(', ') : `neuron ${id}`
  return new TimeoutError(`no live Axon serves ${who} within ${timeoutMs} ms`)
}
