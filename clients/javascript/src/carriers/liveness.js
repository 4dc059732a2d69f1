// Whether the far end of a connection lives: when to ask it, and when to give it up. Pure: times are arguments.
// Spec: docs/spec/10-zmtp.md, Heartbeats.

/** How often `tick` is to be called. */
export const TICK_MS = 1000
/** A far end that was asked and says nothing for so long is given up. */
export const SILENCE_MS = 3000
const LATE_MS = 500

/** The signs of life of one far end. */
export class Liveness {
  #heardAtMs
  #tickAtMs
  #silenceMs = SILENCE_MS
  /** For how long the loop was blocked before the last tick, in ms; 0 if it was not. */
  lateMs = 0

  /** @param {number} nowMs The monotonic clock, as in every call. */
  constructor(nowMs) {
    this.#heardAtMs = this.#tickAtMs = nowMs
  }

  /** Record that something came, whatever it is. */
  heard(nowMs) {
    this.#heardAtMs = nowMs
  }

  /** Wait for less time, as a PING of the far end with a time of its own asks. @param {number} ttlMs 0 for none */
  limit(ttlMs) {
    this.#silenceMs = ttlMs > 0 ? Math.min(ttlMs, SILENCE_MS) : SILENCE_MS
  }

  /** For how long nothing came, in ms. */
  silentMs(nowMs) {
    return nowMs - this.#heardAtMs
  }

  /**
   * Judge; once a second.
   * @returns {'HEARD' | 'ASK' | 'DEAD'} ASK: nothing came since the last tick, so send a PING. What arrives by itself
   *   shows the same for nothing. After a block the answer is HEARD: read first.
   */
  tick(nowMs) {
    const wasHeard = this.#heardAtMs > this.#tickAtMs
    const lateMs = nowMs - this.#tickAtMs - TICK_MS
    this.#tickAtMs = nowMs
    this.lateMs = lateMs > LATE_MS ? lateMs : 0
    // What came in while the loop was blocked is not read yet: timers are served first. Nor is the end of the
    // connection, and to write into one that has ended would take back what is still to be read.
    this.#heardAtMs += this.lateMs
    if (this.lateMs > 0) return 'HEARD'
    if (this.silentMs(nowMs) > this.#silenceMs) return 'DEAD'
    return wasHeard ? 'HEARD' : 'ASK'
  }
}
