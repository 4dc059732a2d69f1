// The counters of a client, by the names of docs/counters.md. Pure.

const DROPPED = new Set([
  'bad_address',
  'bad_body',
  'bad_claim',
  'bad_field',
  'bad_header',
  'bad_list',
  'bad_presence',
  'bad_secret',
  'bad_topic',
  'bad_workers',
  'body_length',
  'coalesced_size',
  'engine_fault',
  'expired_in_outbox',
  'foreign_namespace',
  'foreign_seat',
  'frame_count',
  'greeting',
  'item_count',
  'known_workers',
  'long_body',
  'long_head',
  'long_topic',
  'mixed_page',
  'no_subscription',
  'outbox_full',
  'publisher_full',
  'question',
  'second_identity',
  'short_head',
  'too_large',
  'unexpected_welcome',
  'unpublished',
  'verb',
  'version',
])
const IGNORED = new Set([
  'bad_topic',
  'foreign_namespace',
  'long_topic',
  'max_topics',
  'max_topics_per_host',
  'no_connection',
])

/** Counts by name. */
export class Counts {
  #values = new Map()

  /** Add to a counter. @param {string} name such as `returned` @param {number} [count] */
  add(name, count = 1) {
    this.#values.set(name, (this.#values.get(name) ?? 0) + count)
  }

  /** Count dropped messages; `drop.other` for a reason without a name. @param {string} reason @param {number} [count] */
  drop(reason, count = 1) {
    this.add(DROPPED.has(reason) ? `drop.${reason}` : 'drop.other', count)
  }

  /** Count an ignored subscription. @param {string} reason */
  ignore(reason) {
    this.add(IGNORED.has(reason) ? `ignored.${reason}` : 'drop.other')
  }

  /** Return a copy: name -> count. @returns {Record<string, number>} */
  toObject() {
    return Object.fromEntries(this.#values)
  }
}
