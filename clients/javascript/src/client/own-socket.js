// Which way a publication takes while the socket for it comes about. Spec: docs/spec/05-broadcast.md, "A socket of
// one's own". Pure.

const MAX_WAITING = 1024
const MAX_WAITING_BYTES = 4 * 2 ** 20

/** State -> event -> next state. An event without an entry changes nothing. */
export const TRANSITIONS = Object.freeze({
  /** No socket: nothing was published yet. */
  SHUT: { OPEN: 'CONNECTING', OLDER: 'OWN' },
  /** It does not know its listeners. */
  CONNECTING: { SENTINEL: 'ASKED', OLDER: 'OWN' },
  /** It does, and what was handed over may still be under way. */
  ASKED: { LOST: 'CONNECTING', ANSWERED: 'OWN', OLDER: 'OWN' },
  /** It publishes by itself, for good. */
  OWN: {},
})

/**
 * Where the publications of one client go.
 *
 * Events: OPEN, a socket is wanted; SENTINEL, it knows its listeners; LOST, its connection ended; ANSWERED, the barrier
 * came back; OLDER, the proxy takes no publication over the directed plane.
 */
export class OwnSocket {
  #state = 'SHUT'
  #waiting = []
  #bytes = 0

  get state() {
    return this.#state
  }

  /** Tell whether publications go by the socket. */
  get isOwn() {
    return this.#state === 'OWN'
  }

  /** Apply an event. @param {string} event See above. @returns {boolean} whether the state changed */
  on(event) {
    const next = TRANSITIONS[this.#state][event]
    if (next === undefined) return false
    this.#state = next
    return true
  }

  /**
   * Keep a publication until the barrier has come back.
   * @param {{ body: Buffer }} publication
   * @returns {boolean} False without room: all that waits goes another way, and this one behind it.
   */
  wait(publication) {
    const bytes = this.#bytes + publication.body.length
    if (this.#waiting.length >= MAX_WAITING || bytes > MAX_WAITING_BYTES) return false
    this.#waiting.push(publication)
    this.#bytes = bytes
    return true
  }

  /** Remove and return what waits, in order. */
  take() {
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    return waiting
  }
}
