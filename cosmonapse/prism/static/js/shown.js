// The numbers of the records that pass the filters, kept up as records come and go. Pure.

export class Shown {
  constructor(store, filters) {
    this.store = store;
    this.filters = filters;
    this.wants = () => true;
    this.reset();
  }

  reset() {
    this.epoch = this.store.epoch;
    this.version = this.filters.version;
    this.matches = this.filters.matcher();
    this.seqs = [];
    this.head = 0;
    this.next = this.store.ring.start;
  }

  get size() {
    return this.seqs.length - this.head;
  }

  seqAt(index) {
    return this.seqs[this.head + index];
  }

  at(index) {
    return this.store.ring.at(this.seqAt(index));
  }

  /** Return the index of a sequence number, or -1. */
  indexOf(seq) {
    let low = this.head;
    let high = this.seqs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.seqs[middle] < seq) low = middle + 1;
      else high = middle;
    }
    return this.seqs[low] === seq ? low - this.head : -1;
  }

  /** Take in what came; return how many went off the top, or null if it was made anew. */
  update() {
    const { ring } = this.store;
    const anew = this.epoch !== this.store.epoch || this.version !== this.filters.version;
    if (anew) this.reset();
    for (let seq = Math.max(this.next, ring.start); seq < ring.end; seq += 1) if (this.matches(ring.at(seq))) this.seqs.push(seq);
    this.next = ring.end;
    let gone = 0;
    while (this.head < this.seqs.length && this.seqs[this.head] < ring.start) {
      this.head += 1;
      gone += 1;
    }
    if (this.head > 4096) {
      this.seqs = this.seqs.slice(this.head);
      this.head = 0;
    }
    return anew ? null : gone;
  }
}
