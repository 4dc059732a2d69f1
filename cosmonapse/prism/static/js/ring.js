// The last so many records, each with a sequence number of this tab. Pure.

export class Ring {
  constructor(capacity) {
    this.capacity = capacity;
    this.clear();
  }

  clear() {
    this.slots = new Array(this.capacity);
    this.start = 0;
    this.end = 0;
  }

  get size() {
    return this.end - this.start;
  }

  /** Add one; return the one that had to go, or undefined. */
  push(record) {
    const at = this.end % this.capacity;
    const gone = this.size === this.capacity ? this.slots[at] : undefined;
    this.slots[at] = record;
    this.end += 1;
    if (gone !== undefined) this.start += 1;
    return gone;
  }

  at(seq) {
    return seq < this.start || seq >= this.end ? undefined : this.slots[seq % this.capacity];
  }
}

/** Return the records of a trace, by its id or the beginning of it, oldest first. */
export function recordsOf(ring, id) {
  const found = [];
  for (let seq = ring.start; seq < ring.end; seq += 1) {
    const record = ring.at(seq);
    if (record.trace_id.startsWith(id)) found.push(record);
  }
  return found;
}
