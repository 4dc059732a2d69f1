// The cards of Neurons: fetched once from any replica, and kept by their digest.
import { AccessRefused, NeuronError, TimeoutError } from '../../errors.js'
import { checkedName } from '../../names.js'
import { count } from '../../runtime/counter.js'
import { countdown, within } from '../../runtime/waits.js'
import { cardFrom } from './cards.js'
import { cardTask } from './tasks.js'
import { Waiter } from './waiter.js'

export const MAX_KEPT = 1024
const MOST_AT_ONCE = 32
const MOST_ATTEMPTS = 3

/** Fetches cards; see `Dendrite.card` and `Dendrite.cards`. */
export class CardCache {
  counts = {}
  #dispatcher
  #find
  #logger
  #kept = new Map() // `id digest` -> card, the one that was used last at the end
  #told = new Map() // id -> the digests that were told to differ

  /**
   * @param {object} dispatcher Asks the Neurons.
   * @param {(query: object, timeoutMs: number) => Promise<object[]>} find Resolves to the live Axons.
   * @param {{ warn: (text: string) => void } | null} logger
   */
  constructor(dispatcher, find, logger) {
    this.#dispatcher = dispatcher
    this.#find = find
    this.#logger = logger
  }

  /** See `Dendrite.card`. */
  async card(neuronId, timeoutMs) {
    checkedName('neuron', neuronId)
    const left = countdown(timeoutMs)
    const records = alive(await this.#inTime(this.#find({ neuronId }, timeoutMs), neuronId, left()))
    if (records.length === 0)
      throw new NeuronError('NO_SUCH_NEURON', `no live Axon serves ${neuronId}`)
    this.#tellVersions(records)
    return this.#inTime(this.#card(records[0], left()), neuronId, left())
  }

  #inTime(step, what, timeoutMs) {
    const late = () => new TimeoutError(`the card of ${what} did not come in time`)
    return within(step, timeoutMs, late)
  }

  /** See `Dendrite.cards`. One that does not come in time, or is none, is left out, logged and counted. */
  async cards(pattern, timeoutMs) {
    const records = alive(await this.#find({}, timeoutMs))
    this.#tellVersions(records)
    const isWanted = matcher(pattern)
    const wanted = new Map()
    for (const each of records) {
      const { neuronId, card } = each
      if (card !== null && isWanted(neuronId) && !wanted.has(neuronId)) wanted.set(neuronId, each)
    }
    const found = new Map()
    const waiting = [...wanted.values()]
    const fetchSome = async () => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift())
        await this.#fetchInto(found, each, timeoutMs)
    }
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, fetchSome))
    return new Map(
      [...wanted.keys()].filter((id) => found.has(id)).map((id) => [id, found.get(id)]),
    )
  }

  async #fetchInto(found, record, timeoutMs) {
    try {
      found.set(record.neuronId, await this.#card(record, timeoutMs))
    } catch (error) {
      if (error instanceof AccessRefused) {
        count(this.counts, 'card_forbidden') // it is no use to who asks
        return
      }
      if (!(error instanceof NeuronError || error instanceof TimeoutError)) throw error
      count(this.counts, 'card_missing')
      this.#logger?.warn(`the card of ${record.neuronId} is left out: ${error.message}`)
    }
  }

  async #card({ neuronId, card, description, capabilities, version }, timeoutMs) {
    if (card === null) return cardFrom({ id: neuronId, description, capabilities, version })
    const key = `${neuronId} ${card}`
    const known = this.#kept.get(key) ?? (await this.#fetched(neuronId, timeoutMs))
    this.#keep(known)
    return known
  }

  /** Ask a replica; ask again where one of an older version has answered. */
  async #fetched(neuronId, timeoutMs) {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const reply = await this.#asked(neuronId, timeoutMs)
      if (reply.type === 'ERROR' && reply.payload.code === 'BAD_SIGNAL') continue
      return checkedCard(neuronId, reply.output)
    }
    throw new NeuronError(
      'BAD_SIGNAL',
      `a replica of ${neuronId} is of an older version, which has no cards: update it`,
    )
  }

  #asked(neuronId, timeoutMs) {
    return new Promise((resolve, reject) => {
      const opened = cardTask(neuronId, timeoutMs)
      opened.waiter = new Waiter(resolve, reject, false)
      this.#dispatcher.launch(opened)
    })
  }

  #keep(card) {
    const key = `${card.neuronId} ${card.digest}`
    this.#kept.delete(key)
    this.#kept.set(key, card)
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value)
  }

  /** Log once which replicas have different cards: they take or give different things. */
  #tellVersions(records) {
    for (const [neuronId, digests] of differing(records)) {
      const text = digests.join(', ')
      if (this.#told.get(neuronId) === text) continue
      if (this.#told.size >= MAX_KEPT) this.#told.clear()
      this.#told.set(neuronId, text)
      this.#logger?.warn(
        `the replicas of ${neuronId} have ${digests.length} versions of its card (${text}): ` +
          'update those that are older',
      )
    }
  }
}

function checkedCard(neuronId, output) {
  let card
  try {
    card = cardFrom(output)
  } catch (error) {
    throw new NeuronError('BAD_OUTPUT', `${neuronId}: it is no card: ${error.message}`)
  }
  if (card.neuronId === neuronId) return card
  throw new NeuronError('BAD_OUTPUT', `${neuronId} sent the card of ${card.neuronId}`)
}

/** Return the records that receive tasks, those with a card first. */
const alive = (records) =>
  records
    .filter(({ state }) => state === 'alive')
    .sort((a, b) => Number(a.card === null) - Number(b.card === null))

/** Return the digests of each Neuron whose live replicas have cards that differ; `none` for one without. */
function differing(records) {
  const found = new Map()
  for (const { neuronId, card } of records)
    found.set(neuronId, (found.get(neuronId) ?? new Set()).add(card ?? 'none'))
  return [...found].filter(([, each]) => each.size > 1).map(([id, each]) => [id, [...each].sort()])
}

/** Return what tells whether an id matches: `*` is any text, `?` one character, `[a-z]` one of a set. */
export function matcher(pattern) {
  const parts = pattern.match(/\[!?\]?[^\]]*\]|[^]/g) ?? []
  const text = parts.map((each) => {
    if (each === '*') return '.*'
    if (each === '?') return '.'
    if (each.length < 3) return each.replace(/[^\w]/g, '\\$&')
    const set = each.slice(1, -1).replaceAll(/[\\\]^]/g, '\\$&')
    return set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set}]`
  })
  const made = new RegExp(`^(?:${text.join('')})$`)
  return (id) => made.test(id)
}
