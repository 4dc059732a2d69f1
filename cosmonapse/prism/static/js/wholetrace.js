// One trace whole: asked from the server once, then only what changed; else what this tab holds of it.
import { recordsOf } from "./ring.js";

const EVERY_MS = 250;
const AGAIN_MS = 2_000;
// A server keeps fewer of one trace; what it dropped of the middle would pile up here.
const MOST_RECORDS = 8_000;

export class WholeTrace {
  /** `ask(path)` gets a path of the server and resolves to a response; `changed` is called when something came. */
  constructor({ store, changed, ask = (path) => fetch(path) }) {
    Object.assign(this, { store, changed, ask });
    this.open(null);
  }

  /** Show another trace, by its id or the beginning of it. */
  open(id) {
    this.id = id;
    this.summary = null;
    this.byNumber = new Map();
    this.list = [];
    this.v = 0;
    this.askedAt = -Infinity;
    this.waits = false;
    /** "asking", "whole", "gone" (the server does not keep it) or "failed" (it did not answer). */
    this.told = "asking";
    /** Grows with each change of the records. */
    this.version = (this.version ?? 0) + 1;
    this.epoch = this.store.epoch;
    this.seenEnd = 0;
  }

  /** The records, oldest first. */
  records() {
    return this.list;
  }

  /**
   * Ask the server if something may have changed; `at` is the time in ms.
   *
   * Return in how many ms to look again, or null.
   */
  look(at) {
    if (this.id === null) return null;
    if (this.epoch !== this.store.epoch) this.open(this.id);
    const summary = this.store.traceSummaries.get(this.summary?.id ?? this.id);
    if (summary !== undefined && summary.v > (this.summary?.v ?? -1)) this.summary = summary;
    if (this.told === "gone" && summary === undefined) this.fromRing();
    else if (this.isStale(summary)) {
      const wait_ms = this.askedAt + (this.told === "failed" ? AGAIN_MS : EVERY_MS) - at;
      if (wait_ms > 0) return wait_ms;
      if (!this.waits) this.fetch(at);
    }
    return null;
  }

  isStale(summary) {
    if (this.told !== "whole") return true;
    // A summary may be newer than what the server had told then.
    return summary !== undefined && summary.v > this.v;
  }

  async fetch(at) {
    const { id } = this;
    this.askedAt = at;
    this.waits = true;
    const path = `/api/traces/${encodeURIComponent(this.summary?.id ?? id)}${this.v ? `?after=${this.v}` : ""}`;
    let told = "failed";
    let body = null;
    try {
      const answer = await this.ask(path);
      if (answer.ok) [told, body] = ["whole", await answer.json()];
      else if (answer.status === 404) told = "gone";
    } catch {
      // It is asked again after a while.
    }
    if (id !== this.id || this.askedAt !== at) return;
    this.waits = false;
    this.told = told;
    if (body !== null) this.take(body);
    else if (this.v === 0) this.fromRing();
    this.changed();
  }

  take({ summary, records }) {
    if (this.v === 0) this.byNumber.clear();
    if (this.summary === null || summary.v >= this.summary.v) this.summary = summary;
    this.v = summary.v;
    for (const record of records) this.byNumber.set(record.n, record);
    if (this.byNumber.size > MOST_RECORDS) {
      this.byNumber.clear();
      this.v = 0;
    } else this.list = [...this.byNumber.values()].sort((a, b) => a.n - b.n);
    this.version += 1;
  }

  /** Take what the tab itself has, where the server has nothing and had nothing. */
  fromRing() {
    const { ring } = this.store;
    if (this.v !== 0 || ring.end === this.seenEnd) return;
    this.seenEnd = ring.end;
    const found = recordsOf(ring, this.id);
    if (found.length === this.list.length) return;
    this.list = found;
    this.version += 1;
  }
}
