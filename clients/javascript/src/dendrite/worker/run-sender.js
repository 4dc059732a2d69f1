// Gathers the thoughts of one job, and sends those of one turn of the loop as a run: docs/spec/03-routing.md, "Runs".
// A thin shell around open-run.js. Nothing waits for a run to fill.
import { newRunId } from '../../signals/ids.js'
import { MAX_TEXTS } from '../../signals/runs.js'
import { OpenRun, sizeOf } from './open-run.js'

/** After so long without a thought the next one goes at once, and not at the end of its turn. */
const CALM_MS = 1

/** The thoughts of one job whose caller reads runs. */
export class RunSender {
  #job
  #port
  #run = null
  #isDue = false
  #sentAtMs = -Infinity
  #gathered = 0
  #endTurn = () => {
    this.#isDue = false
    this.flush()
  }
  /** True while what was sent waits for room: its Neuron must wait, too. */
  isHeldUp = false

  /**
   * @param {import('./job.js').Job} job
   * @param {object} port
   * @param {(job: object, run: OpenRun) => string} port.sendRun Sends a run, or keeps it; returns an Outcome.
   * @param {(job: object) => boolean} port.isWatched Tells whether a handler of ours wants the thoughts of the job.
   * @param {(job: object, payload: object, id: string) => [object, Buffer]} port.thought Returns a Signal and its bytes.
   */
  constructor(job, port) {
    this.#job = job
    this.#port = port
  }

  /** Whether the loop should have its turn now: the Neuron may never wait. */
  get mustYield() {
    return this.#gathered % MAX_TEXTS === 0
  }

  /**
   * Gather a thought.
   * @param {string} text
   * @param {number} seq
   * @returns {OpenRun | null} Its run; null if it must go alone, behind what was gathered.
   */
  gather(text, seq) {
    const size = this.isHeldUp || this.#port.isWatched(this.#job) ? null : sizeOf(text)
    if (size === null) return null
    let run = this.#run
    if (run === null || !run.add(text, size, seq)) {
      this.flush()
      if (this.isHeldUp) return null
      run = this.#begin(text, seq)
    }
    this.#gathered++
    return run
  }

  #begin(text, seq) {
    const run = new OpenRun(
      ...this.#port.thought(this.#job, { delta: text, seq }, newRunId(MAX_TEXTS)),
    )
    this.#run = run
    if (this.#isDue) return run
    if (performance.now() - this.#sentAtMs > CALM_MS) this.flush()
    else {
      this.#isDue = true
      setImmediate(this.#endTurn)
    }
    return run
  }

  /** Send what was gathered. */
  flush() {
    const run = this.#run
    if (run === null) return
    this.#run = null
    this.isHeldUp = this.#port.sendRun(this.#job, run) !== 'SENT'
    this.#sentAtMs = performance.now()
  }
}
