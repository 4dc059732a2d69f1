// What a send says. Spec: docs/spec/08-port.md. Pure.

/** What a send says at once: it never proves that something arrived. */
export const Outcome = Object.freeze({
  /** Handed over, or goes with what this turn of the loop gathers. */
  SENT: 'SENT',
  /** Kept, and goes out by itself; presence is not kept while there is no connection. */
  WAITING: 'WAITING',
  /** No room left; nothing was kept. */
  BUSY: 'BUSY',
  /** Over `maxSignalBytes`; nothing was kept. */
  TOO_LARGE: 'TOO_LARGE',
  /** Not open, or the far end does not know such a message; nothing was kept. */
  CLOSED: 'CLOSED',
})
