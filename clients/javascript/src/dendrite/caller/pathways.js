// Opens Pathways: on a TASK of ours, on its whole trace, or on a trace of another Dendrite.
import { InvalidArgument, shown } from '../../errors.js'
import { whenAborted } from '../../runtime/aborts.js'
import { atMostLongest } from '../../runtime/deadline-timer.js'
import { makeHandler } from '../watch/handlers.js'
import { Pathway } from './pathway.js'
import { errorFor } from './task-errors.js'
import { checkedId } from './tasks.js'

const HOLD_MS = 250 // as long as an own Signal may wait for its copy (05-broadcast, "One trace in order")

/** The Pathways of one Dendrite. */
export class Pathways {
  #dispatcher
  #subscriptions
  #logger
  #permits
  #open = new Set()

  /**
   * @param {object} dispatcher Sends the TASKs.
   * @param {object} subscriptions Delivers the Signals of a trace.
   * @param {object} logger Is told of a handler that throws.
   * @param {object} permits The rights of our key: whether it may watch a trace.
   */
  constructor(dispatcher, subscriptions, logger, permits) {
    this.#dispatcher = dispatcher
    this.#subscriptions = subscriptions
    this.#logger = logger
    this.#permits = permits
  }

  /**
   * Send a TASK and return its Pathway, which receives every Signal from the first on.
   *
   * @param {object} opened The open task.
   * @param {string} scope `all`, to follow this TASK; `terminal`, to follow the whole trace.
   * @param {AbortSignal | null} abort Closes the Pathway.
   */
  dispatch(opened, scope, abort) {
    if (scope !== 'all' && scope !== 'terminal')
      throw new InvalidArgument(`scope must be 'all' or 'terminal', not ${shown(scope)}`)
    if (scope === 'terminal') this.#permits.checkHear({ traceId: opened.signal.traceId })
    const ends = []
    const pathway = this.#make(opened.signal.traceId, {
      task: opened.signal,
      scope,
      ends,
      cancel: () => this.#dispatcher.abandon(opened),
    })
    opened.pathway = pathway
    if (scope === 'terminal') this.#followTrace(pathway, opened, ends)
    try {
      this.#dispatcher.launch(opened)
    } catch (error) {
      pathway.end(null)
      throw error
    }
    if (abort !== null && !pathway.closed) {
      ends.push(whenAborted(abort, () => pathway.close()))
    }
    return pathway
  }

  /** Resolve to a Pathway on a trace of any Dendrites, when it is in force; a FINAL ends it. */
  async observe(traceId) {
    checkedId('traceId', traceId)
    this.#permits.checkHear({ traceId })
    const ends = []
    const pathway = this.#make(traceId, { scope: 'terminal', ends })
    ends.push(this.#tap(pathway, (signal) => signal.type === 'FINAL'))
    try {
      await this.#subscriptions.settle()
    } catch (error) {
      pathway.end(null)
      throw error
    }
    return pathway
  }

  /** End every Pathway. */
  close() {
    for (const each of [...this.#open]) each.end(null)
  }

  #make(traceId, { ends, ...hooks }) {
    const pathway = new Pathway(traceId, {
      ...hooks,
      ended: () => {
        this.#open.delete(pathway)
        for (const each of ends) each()
      },
      failed: (error, signal) =>
        this.#logger.warn(`a handler of ${pathway} threw on ${signal.type}`, error),
    })
    this.#open.add(pathway)
    return pathway
  }

  #followTrace(pathway, opened, ends) {
    ends.push(this.#tap(pathway, (signal) => isTerminal(signal, pathway.task)))
    const expire = () => {
      const error = errorFor(opened, 'EXPIRED')
      pathway.take(error)
      pathway.end(error)
    }
    const timer = setTimeout(expire, atMostLongest(opened.timeoutMs + HOLD_MS))
    ends.push(() => clearTimeout(timer))
  }

  /** Feed a Pathway from its trace until a Signal ends it; return how to stop. */
  #tap(pathway, isLast) {
    const take = (signal) => {
      pathway.take(signal)
      if (isLast(signal)) pathway.end(signal)
    }
    const { traceId } = pathway
    this.#subscriptions.add(makeHandler(take, [], { traceId, ordered: true, direct: true }))
    return () => this.#subscriptions.remove(take)
  }
}

/** Return whether a Signal ends the workflow: a FINAL, or an ERROR of no child task. */
function isTerminal(signal, task) {
  if (signal.type !== 'ERROR') return signal.type === 'FINAL'
  return signal.parentId === null || signal.parentId === task.id
}
