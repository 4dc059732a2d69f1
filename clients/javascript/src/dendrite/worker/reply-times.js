// How long a TASK waited at its worker, and how long its function ran: the meta of its last reply.
// Spec: docs/spec/07-signals.md, "At the worker", 4. Pure.

/**
 * Return the whole milliseconds that a TASK waited and ran, as they stand in `meta`.
 * @param {number} arrivedAtMs When it arrived, on a monotonic clock.
 * @param {number | null} startedAtMs When its function was called; null if it was not: then there is
 *   no `ran_ms`.
 * @param {number} nowMs When its last reply is made.
 * @returns {{ queued_ms: number, ran_ms?: number }}
 */
export function replyTimes(arrivedAtMs, startedAtMs, nowMs) {
  if (startedAtMs === null) return { queued_ms: whole(nowMs - arrivedAtMs) }
  return { queued_ms: whole(startedAtMs - arrivedAtMs), ran_ms: whole(nowMs - startedAtMs) }
}

const whole = (ms) => Math.max(0, Math.floor(ms))
