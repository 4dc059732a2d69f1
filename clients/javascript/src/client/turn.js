// A turn of the loop: what is gathered until its end. Spec: docs/spec/01-wire.md, "Bundles".

/**
 * Calls `onEnd` once at the end of each turn in which `begin` was called.
 *
 * The end is a tick of Node: it comes when the callback of the loop that runs now and all promises
 * that it settled are through. So a chunk of replies and all calls that wait for them make one turn.
 */
export class Turn {
  #onEnd
  #isOpen = false
  #end = () => {
    this.#isOpen = false
    this.#onEnd()
  }

  /** @param {() => void} onEnd */
  constructor(onEnd) {
    this.#onEnd = onEnd
  }

  /** Tell whether the turn has begun. */
  get isOpen() {
    return this.#isOpen
  }

  /** Begin the turn, if it has not begun. */
  begin() {
    if (this.#isOpen) return
    this.#isOpen = true
    process.nextTick(this.#end)
  }
}
