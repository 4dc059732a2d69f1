// Tracing that harms no task: what throws is told and then asked no more; whatever it does, a function
// is called once.

const THREW = 'what traces the tasks threw: the tasks go on, and are traced no more'

/** Stands in front of what traces the tasks of a Dendrite. */
export class GuardedTracing {
  #tracing
  #warn

  /**
   * @param {() => object} make Returns what traces the tasks.
   * @param {(text: string, error: unknown) => void} warn Is told of the first thing that is thrown.
   */
  constructor(make, warn) {
    this.#warn = warn
    try {
      this.#tracing = make()
    } catch (error) {
      this.#failed(error)
    }
  }

  #tell(name, given) {
    try {
      const outcome = this.#tracing?.[name](...given)
      // Nobody awaits what a function of the program returns.
      if (typeof outcome?.then === 'function') outcome.then(null, (error) => this.#failed(error))
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error) {
    this.#tracing = null
    this.#warn?.(THREW, error)
    this.#warn = null
  }

  /** Call a function within the trace of a job; call it once, no matter what. */
  run(job, nowMs, fn) {
    let isCalled = false
    let outcome
    const callOnce = () => {
      if (!isCalled) {
        isCalled = true
        outcome = fn()
      }
      return outcome
    }
    this.#tell('run', [job, nowMs, callOnce])
    callOnce()
  }

  begin(...given) {
    this.#tell('begin', given)
  }

  notSent(...given) {
    this.#tell('notSent', given)
  }

  sent(...given) {
    this.#tell('sent', given)
  }

  heard(...given) {
    this.#tell('heard', given)
  }

  settled(...given) {
    this.#tell('settled', given)
  }

  thought(...given) {
    this.#tell('thought', given)
  }

  said(...given) {
    this.#tell('said', given)
  }

  ended(...given) {
    this.#tell('ended', given)
  }
}
