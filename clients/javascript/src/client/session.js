// A client's life as a table. Spec: docs/spec/02-session.md, "States of a client". Pure.
import { LocalError } from '../errors.js'

/** State -> event -> next state. An event without an entry is not expected. */
export const TRANSITIONS = frozen({
  IDLE: { START: 'CONNECTING', CLOSE: 'CLOSED' },
  CONNECTING: {
    WHO: 'GREETING',
    WELCOME: 'READY', // the end of a connection may be reported after the WHO of the next
    DISCONNECTED: 'CONNECTING',
    GOING_AWAY: 'CONNECTING',
    LEAVE: 'CLOSED',
    GOODBYE: 'CONNECTING',
    CLOSE: 'CLOSED',
  },
  GREETING: {
    WHO: 'GREETING',
    WELCOME: 'READY',
    REFUSED: 'REFUSED',
    DISCONNECTED: 'CONNECTING',
    GOING_AWAY: 'CONNECTING',
    LEAVE: 'CLOSED',
    CLOSE: 'CLOSED',
  },
  READY: {
    WHO: 'GREETING',
    WELCOME: 'READY',
    DISCONNECTED: 'CONNECTING',
    GOING_AWAY: 'CONNECTING',
    REFUSED: 'REFUSED', // its key was revoked, or lost a right: 11-access.md
    LEAVE: 'LEAVING',
    CLOSE: 'CLOSED',
  },
  LEAVING: {
    WHO: 'CLOSED',
    DISCONNECTED: 'CLOSED',
    GOING_AWAY: 'LEAVING',
    REFUSED: 'CLOSED',
    GOODBYE: 'CLOSED',
    CLOSE: 'CLOSED',
  },
  REFUSED: {
    WHO: 'GREETING',
    WELCOME: 'READY',
    REFUSED: 'REFUSED',
    DISCONNECTED: 'CONNECTING',
    GOING_AWAY: 'CONNECTING',
    LEAVE: 'CLOSED',
    CLOSE: 'CLOSED',
  },
  CLOSED: { DISCONNECTED: 'CLOSED', LEAVE: 'CLOSED', CLOSE: 'CLOSED' },
})

/** Every state of a session. */
export const STATES = Object.freeze(Object.keys(TRANSITIONS))
/** Every event of a session. */
export const EVENTS = Object.freeze([
  'START',
  'WHO',
  'WELCOME',
  'REFUSED',
  'DISCONNECTED',
  'GOING_AWAY',
  'LEAVE',
  'GOODBYE',
  'CLOSE',
])

function frozen(table) {
  for (const row of Object.values(table)) Object.freeze(row)
  return Object.freeze(table)
}

/** An event of this program that the state of its session does not allow. */
export class IllegalTransition extends LocalError {
  static code = 'ILLEGAL_TRANSITION'
}

/** The state of one client's session. */
export class Session {
  #state = 'IDLE'

  /** One of STATES. */
  get state() {
    return this.#state
  }

  /** Tell whether application messages may leave. */
  get isReady() {
    return this.#state === 'READY'
  }

  /** Tell whether the state has an entry for an event. @param {string} event one of EVENTS */
  expects(event) {
    return TRANSITIONS[this.#state][event] !== undefined
  }

  /**
   * Apply an event and return the new state.
   * @param {string} event one of EVENTS
   * @returns {string}
   * @throws {IllegalTransition} The state has no entry for it; nothing changes.
   */
  on(event) {
    const next = TRANSITIONS[this.#state][event]
    if (next === undefined)
      throw new IllegalTransition(
        `a connection in the state ${this.#state} takes no ${event}: open it once, then close it`,
      )
    this.#state = next
    return next
  }
}
