// The replies that a worker has sent, for 30 s, and their ids, for 10 minutes:
// docs/spec/09-resync.md, "What each keeps", 2 and 3. Pure: every call that needs the time is given
// it.
//
// A task that arrives twice is not run twice, and a lost reply is sent again. Replies and ids are
// dropped in chunks, oldest first, so that a task costs one entry of a Map and no timer.

import { Fifo } from '../../runtime/fifo.js'

export const KEEP_MS = 30_000
export const MAX_BYTES = 64 * 1024 * 1024
export const IDS_MS = 600_000
const MAX_IDS = 200_000
export const MAX_STREAM_BYTES = 1024 * 1024
const OVERHEAD_BYTES = 400
const CHUNK_BYTES = 1024 * 1024
const CHUNK_MS = 1000

/**
 * The index of a reply, or of the first of a run, and how many replies it is.
 * @typedef {[index: number, kind: number, body: Buffer, count: number]} Reply
 */

/** The latest replies of a running task, at most 1 MiB of them: the oldest go first. */
export class ReplyStream {
  #replies = new Fifo()
  #bytes = 0

  /** @param {Reply} reply */
  add(reply) {
    this.#replies.push(reply)
    this.#bytes += reply[2].length
    while (this.#bytes > MAX_STREAM_BYTES) this.#bytes -= this.#replies.shift()[2].length
  }

  /** Return the replies that are still stored, in order. @returns {Reply[]} */
  stored() {
    return [...this.#replies]
  }
}

class Chunk {
  keys = []
  bytes = 0
  atMs = 0
}

/** The tasks that have ended here: their replies, and after those only their ids. */
export class ReplyCache {
  #limits
  #ended = new Map()
  #open = new Chunk()
  #openUntilMs = 0
  #replyChunks = new Fifo()
  #replyBytes = 0
  #idChunks = new Fifo()
  #isPaused = false
  #resumedAtMs = -Infinity

  /**
   * @param {{ keepMs?: number, maxBytes?: number, idsMs?: number, maxIds?: number }} [limits] How
   *   long replies are stored, the bound for them with 400 bytes for each task, how long ids are
   *   stored, and the bound for them.
   */
  constructor({ keepMs = KEEP_MS, maxBytes = MAX_BYTES, idsMs = IDS_MS, maxIds = MAX_IDS } = {}) {
    this.#limits = { keepMs, maxBytes, idsMs, maxIds }
  }

  /** The number of ended tasks that are known. */
  get size() {
    return this.#ended.size
  }

  /** The bytes of the stored replies, with 400 for each task. */
  get bytes() {
    return this.#replyBytes + this.#open.bytes
  }

  /** Tell whether a task has ended here, as far as it is remembered. */
  has(key) {
    return this.#ended.has(key)
  }

  /**
   * Return the replies of a task: the body of the only one, or all; null if they are not stored any
   * more, undefined for a task that has not ended here.
   * @param {string} key Its caller and its id.
   * @returns {Buffer | Reply[] | null | undefined}
   */
  get(key) {
    return this.#ended.get(key)
  }

  /**
   * Store the replies of a task that has ended.
   * @param {string} key Its caller and its id; not stored before.
   * @param {Buffer | Reply[]} answered The body of the only reply, or the replies in order.
   * @param {number} bytes The length of their bodies together.
   * @param {number} nowMs The monotonic clock.
   */
  settle(key, answered, bytes, nowMs) {
    if (nowMs >= this.#openUntilMs) this.expire(nowMs)
    this.#ended.set(key, answered)
    this.#open.keys.push(key)
    this.#open.bytes += bytes + OVERHEAD_BYTES
    this.#open.atMs = nowMs
    if (this.#open.bytes >= CHUNK_BYTES) this.expire(nowMs)
  }

  /** Drop nothing for its age while there is no connection; the bounds hold. */
  pause() {
    this.#isPaused = true
  }

  /** Drop by age again, first after `keepMs`: until then a resync may ask. */
  resume(nowMs) {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#resumedAtMs = nowMs
  }

  /** Drop what is too old or over a bound; call it at intervals too. */
  expire(nowMs) {
    this.#closeChunk(nowMs)
    const { keepMs, maxBytes, idsMs, maxIds } = this.#limits
    // Rule 2: without a connection nothing gets too old, nor within 30 s after it came back.
    const byAge = !this.#isPaused && this.#resumedAtMs <= nowMs - keepMs
    for (let chunk; (chunk = this.#replyChunks.first) !== undefined;) {
      if (this.#replyBytes <= maxBytes && !(byAge && chunk.atMs <= nowMs - keepMs)) break
      this.#replyChunks.shift()
      this.#replyBytes -= chunk.bytes
      for (const key of chunk.keys) this.#ended.set(key, null)
      this.#idChunks.push(chunk)
    }
    for (let chunk; (chunk = this.#idChunks.first) !== undefined;) {
      if (this.#ended.size <= maxIds && !(byAge && chunk.atMs <= nowMs - idsMs)) break
      this.#idChunks.shift()
      for (const key of chunk.keys) this.#ended.delete(key)
    }
  }

  #closeChunk(nowMs) {
    this.#openUntilMs = nowMs + CHUNK_MS
    if (this.#open.keys.length === 0) return
    this.#replyBytes += this.#open.bytes
    this.#replyChunks.push(this.#open)
    this.#open = new Chunk()
  }
}
