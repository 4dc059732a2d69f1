// How long a TASK waited at its worker, and how long its function ran: the meta of its last reply.
// Spec: docs/spec/07-signals.md, "At the worker", 4. Pure.

/**
 * Return the meta of a last reply: its Dendrite, and the whole milliseconds that its TASK waited and ran.
 *
 * Each reply makes one. So it is written out: an object that is put together of others costs 2 µs.
 * @param {string} dendrite
 * @param {number} arrivedAtMs When the TASK arrived, on a monotonic clock.
 * @param {number | null} startedAtMs When its function was called; null if it was not: then there is
 *   no `ran_ms`.
 * @param {number} nowMs When the reply is made.
 * @returns {{ dendrite: string, queued_ms: number, ran_ms?: number }}
 */
export function timedMeta(dendrite, arrivedAtMs, startedAtMs, nowMs) {
  if (startedAtMs === null) return { dendrite, queued_ms: whole(nowMs - arrivedAtMs) }
  return {
    dendrite,
    queued_ms: whole(startedAtMs - arrivedAtMs),
    ran_ms: whole(nowMs - startedAtMs),
  }
}

const whole = (ms) => Math.max(0, Math.floor(ms))
