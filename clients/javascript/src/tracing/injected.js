// Tracing by functions of the program, for another tool than OpenTelemetry: no spans of ours.
import { foundIn, passedOn } from './trace-context.js'
import { count } from '../runtime/counter.js'

const nothing = () => {}
const callAtOnce = (_meta, fn) => fn()

/** Passes the trace context on; the program says what is current. */
export class InjectedTracing {
  #inject
  #run
  #counts
  #warn

  /**
   * @param {{ inject?: (meta: object) => unknown, run?: (meta: object, fn: () => unknown) => unknown }}
   *   functions
   * @param {Record<string, number>} counts Counts the trace contexts that are invalid.
   * @param {(text: string, error: unknown) => void} warn Is told once of a function that throws.
   */
  constructor({ inject = nothing, run = callAtOnce }, counts, warn) {
    this.#warn = (error) => {
      this.#warn = nothing
      warn('a function of `tracing` threw, which no task is told of', error)
    }
    this.#inject = inject
    this.#run = run
    this.#counts = counts
  }

  /** Let the program add what is current to the meta of a TASK. */
  begin(task) {
    if (Object.hasOwn(task.meta, 'answer')) return // who answers is not its caller
    const meta = { ...task.meta }
    try {
      this.#inject(meta)
      task.meta = meta
    } catch (error) {
      this.#warn(error)
    }
  }

  /** Call a function within the context that came with its TASK; call it once, no matter what. */
  run(job, _nowMs, fn) {
    const { dropped } = foundIn(job.signal.meta)
    if (dropped > 0) count(this.#counts, 'drop.bad_traceparent', dropped)
    let isCalled = false
    const callOnce = () => {
      if (isCalled) return undefined
      isCalled = true
      return fn()
    }
    try {
      this.#run(passedOn(job.signal.meta), callOnce)
    } catch (error) {
      this.#warn(error)
    }
    callOnce()
  }

  notSent() {}
  sent() {}
  heard() {}
  settled() {}
  thought() {}
  said() {}
  ended() {}
}
