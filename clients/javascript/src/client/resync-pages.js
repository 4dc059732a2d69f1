// The pages that a client sends after a reconnect. Spec: docs/spec/09-resync.md. Pure.
//
// The user of the client has the tasks, see ResyncSource. KnownWorkers has the workers that may have
// them.
import {
  CLAIM,
  MAX_ASKED,
  answerItems,
  claimPages,
  endOfList,
  openedPages,
  workersPages,
} from '../wire/wire.js'
import { KnownWorkers } from './known-workers.js'

/**
 * Knows the tasks of a client: the open ones, and those that it works on.
 * @typedef {object} ResyncSource
 * @property {() => Iterable<import('../wire/resync-messages.js').Opened>} openTasks every open task of
 *   this client, oldest first
 * @property {() => Iterable<import('../wire/resync-messages.js').Held>} heldTasks every task that runs
 *   here, or that waits here to run
 * @property {(caller: Buffer, task: Buffer) => import('../wire/resync-messages.js').Held | null} claimOf
 *   the state of a task; null if it never was here
 * @property {(caller: Buffer, task: Buffer, index: number) => void} sendAgain send the stored replies
 *   of a task again, from this number on
 */

const keyOf = (task) => task.latin1Slice(0, 16)
const asIds = (names) => [...names].map((each) => Buffer.from(each, 'latin1'))

/** Makes the pages of a client. */
export class ResyncPages {
  #counts
  #workers
  #candidates = new Map() // task -> the workers named for it once, see #groupOf
  /** @type {ResyncSource | null} null for a client that keeps no tasks: then no page is made */
  source = null

  /** @param {import('./counts.js').Counts} counts */
  constructor(counts) {
    this.#counts = counts
    this.#workers = new KnownWorkers(counts)
  }

  /** Handle a WORKERS; see KnownWorkers. */
  onWorkers(bits, instances, nowMs) {
    this.#workers.onWorkers(bits, instances, nowMs)
  }

  /**
   * Return the pages that list the open tasks, with the workers that may have them.
   * @param {Set<string>} unsent tasks that wait in the outbox: no worker can have them
   * @param {number} nowMs
   * @param {boolean} isNewProxy false if the proxy is the one of the last list
   * @returns {import('../wire/heads.js').Item[][]}
   */
  listing(unsent, nowMs, isNewProxy) {
    if (this.source === null) return []
    const { named, unconfirmed } = this.#workers.forList(nowMs, isNewProxy)
    const groups = this.#groups(unsent, named)
    this.#candidates = new Map()
    const pages = []
    for (const group of groups) {
      const { workers, isComplete, tasks } = group
      for (const { task } of tasks) this.#candidates.set(keyOf(task), group)
      const unsure = [...unconfirmed].filter((each) => !workers.has(each))
      pages.push(
        ...workersPages(asIds(workers), { isComplete, unconfirmed: asIds(unsure) }),
        ...openedPages(tasks),
      )
      group.tasks = [] // from now on only the workers count
    }
    // 09, After WELCOME 2: without END the proxy does not know which tasks are no longer open.
    return [...pages, endOfList()]
  }

  // One group for each set of workers that may have a task.
  #groups(unsent, named) {
    const groups = new Map()
    const wider = new Map()
    for (const opened of this.source.openTasks()) {
      const key = keyOf(opened.task)
      if (unsent.has(key)) continue
      // 09, Who may have had a task 3: a worker named for a task once is named for it again.
      const earlier = this.#candidates.get(key) ?? null
      let group = wider.get(earlier)
      if (group === undefined) wider.set(earlier, (group = this.#groupOf(groups, earlier, named)))
      group.tasks.push(opened)
    }
    return groups.values()
  }

  #groupOf(groups, earlier, named) {
    const workers = new Set([...(earlier?.workers ?? []), ...named])
    const isComplete = (earlier?.isComplete ?? true) && this.#workers.isComplete
    const key = [...workers].sort().join('') + (isComplete ? '+' : '-')
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { workers, isComplete, tasks: [] }))
    return group
  }

  /** Return the pages that list the tasks of this worker. */
  claims() {
    return this.source === null ? [] : claimPages([...this.source.heldTasks()])
  }

  /**
   * Return the answer to a query, and the replies to send again behind it.
   * @param {Buffer} caller
   * @param {import('../wire/heads.js').Item[]} asked one for each task; its number is the index of the
   *   first reply
   * @returns {{ items: import('../wire/heads.js').Item[], again: import('../wire/heads.js').Item[] } | null}
   *   null if this client keeps no tasks
   */
  answer(caller, asked) {
    if (this.source === null) {
      this.#counts.drop('question')
      return null
    }
    const held = []
    const again = []
    for (const each of asked.slice(0, MAX_ASKED)) {
      const claim = this.source.claimOf(caller, each.task)
      if (claim === null) continue // END says that the worker never had it
      held.push(claim)
      // 09, What the proxy does with it 3: a forgotten task has no stored replies.
      if (claim.claim !== CLAIM.FORGOTTEN) again.push(each)
    }
    return { items: answerItems(held), again }
  }
}
