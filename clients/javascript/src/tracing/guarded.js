// Tracing that harms no task: what throws is told once, and whatever it does a function is called once.

/** Stands in front of what traces the tasks of a Dendrite. */
export class GuardedTracing {
  #tracing
  #warn

  /**
   * @param {object} tracing
   * @param {(text: string, error: unknown) => void} warn Is told of the first thing that is thrown.
   */
  constructor(tracing, warn) {
    this.#tracing = tracing
    this.#warn = warn
  }

  #tell(name, given) {
    try {
      this.#tracing[name](...given)
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error) {
    this.#warn?.('what traces the tasks threw: the tasks go on, and have no trace there', error)
    this.#warn = null
  }

  /** Call a function within the trace of a job; call it once, no matter what. */
  run(job, nowMs, fn) {
    let isCalled = false
    const callOnce = () => {
      if (isCalled) return undefined
      isCalled = true
      return fn()
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
