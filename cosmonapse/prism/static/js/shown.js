// The rows of what passes the filters, kept up as records come and go; streams folded if wanted. Pure.
import { Folds } from "./folds.js";
import { kindOf } from "./types.js";

const seqOf = (row) => (typeof row === "number" ? row : row.seq);

export class Shown {
  constructor(store, filters) {
    this.store = store;
    this.filters = filters;
    this.folds = new Folds();
    this.folding = true;
    this.presence = false;
    this.isStale = false;
    this.reset();
  }

  reset() {
    this.epoch = this.store.epoch;
    this.version = this.filters.version;
    this.matches = this.filters.matcher();
    this.folds.clear();
    this.isStale = false;
    /** How many passed the filters, but are presence, which nobody asked for. */
    this.hidden = 0;
    // A row is the sequence number of a record, or a fold of several.
    this.rows = [];
    this.head = 0;
    this.next = this.store.ring.start;
  }

  /** Fold streams or show each piece; show presence or hide it. */
  set(values) {
    Object.assign(this, values);
    this.isStale = true;
  }

  /** Whether presence is asked for, by the switch or by a filter. */
  get wantsPresence() {
    const { kinds, type } = this.filters;
    return this.presence || kinds.has("presence") || (type !== "" && kindOf(type) === "presence");
  }

  get size() {
    return this.rows.length - this.head;
  }

  rowAt(index) {
    return this.rows[this.head + index];
  }

  seqAt(index) {
    const row = this.rowAt(index);
    return row === undefined ? undefined : seqOf(row);
  }

  at(index) {
    return this.store.ring.at(this.seqAt(index));
  }

  /** Return the index of a sequence number, or -1. */
  indexOf(seq) {
    let low = this.head;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqOf(this.rows[middle]) < seq) low = middle + 1;
      else high = middle;
    }
    return low < this.rows.length && seqOf(this.rows[low]) === seq ? low - this.head : -1;
  }

  /** Take in what came; return how many rows went off the top, or null if it was made anew. */
  update() {
    const { ring } = this.store;
    const anew = this.isStale || this.epoch !== this.store.epoch || this.version !== this.filters.version;
    if (anew) this.reset();
    const hides = !this.wantsPresence;
    for (let seq = Math.max(this.next, ring.start); seq < ring.end; seq += 1) {
      const record = ring.at(seq);
      if (!this.matches(record)) continue;
      if (hides && kindOf(record.type) === "presence") {
        this.hidden += 1;
        continue;
      }
      const row = this.folding ? this.folds.take(seq, record, ring.start) : seq;
      if (row !== null) this.rows.push(row);
    }
    this.next = ring.end;
    let gone = 0;
    while (this.head < this.rows.length && seqOf(this.rows[this.head]) < ring.start) {
      this.head += 1;
      gone += 1;
    }
    if (this.head > 4096) {
      this.rows = this.rows.slice(this.head);
      this.head = 0;
    }
    return anew ? null : gone;
  }
}
