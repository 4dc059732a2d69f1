// A receiver of the transport port that writes down what it hears.
import { EVENTS } from '../../subject/transports.js'

export class Recorder {
  /** `[name, ...arguments]` of each event, in order. */
  heard = []
  /** Is called with each event, after it was written down. */
  onEvent = () => {}
  #waiting = new Set()

  /** The arguments of each event of a name. */
  of(name) {
    return this.heard.filter(([each]) => each === name).map(([, ...args]) => args)
  }
  /** Wait until there are `count` events of a name; return them. */
  until(name, count = 1) {
    return new Promise((resolve) => {
      const look = () => this.of(name).length >= count && (resolve(this.of(name)), true)
      if (!look()) this.#waiting.add(look)
    })
  }
  take(name, args) {
    this.heard.push([name, ...args])
    for (const look of this.#waiting) if (look()) this.#waiting.delete(look)
    this.onEvent(name, ...args)
  }
}
for (const name of EVENTS)
  Recorder.prototype[name] = function (...args) {
    this.take(name, args)
  }
