// Tracing by functions of the program, for another tool than OpenTelemetry: no spans of ours.
import { count } from '../runtime/counter.js'
import { foundIn, passedOn } from './trace-context.js'

const nothing = () => {}
const callAtOnce = (_meta, fn) => fn()

/** Passes the trace context on; the program says what is current. */
export class InjectedTracing {
  #inject
  #run
  #counts

  /**
   * @param {{ inject?: (meta: object) => unknown, run?: (meta: object, fn: () => unknown) => unknown }}
   *   functions
   * @param {Record<string, number>} counts Counts the trace contexts that are invalid.
   */
  constructor({ inject = nothing, run = callAtOnce }, counts) {
    this.#inject = inject
    this.#run = run
    this.#counts = counts
  }

  /** Let the program add what is current to the meta of a TASK. */
  begin(task) {
    if (Object.hasOwn(task.meta, 'answer')) return // who answers is not its caller
    const meta = { ...task.meta }
    const outcome = this.#inject(meta)
    task.meta = meta
    return outcome
  }

  /** Call a function within the context that came with its TASK. */
  run(job, _nowMs, fn) {
    this.#countDropped(job)
    return this.#run(passedOn(job.signal.meta), fn)
  }

  #countDropped({ signal }) {
    const { dropped } = foundIn(signal.meta)
    if (dropped > 0) count(this.#counts, 'drop.bad_traceparent', dropped)
  }

  /** A TASK that never ran has not been looked at. */
  ended(job) {
    if (job.startedAtMs === null) this.#countDropped(job)
  }

  notSent() {}
  sent() {}
  heard() {}
  settled() {}
  thought() {}
  said() {}
}
