// All that this tab keeps: the records, the summaries of traces, and the newest state of things. Pure.
import { Ring } from "./ring.js";

const KEPT = 10_000;
// The server keeps 1,000; more of them than that would be an error of its own.
const MOST_SUMMARIES = 2_000;
const MOST_GONE = 1_000;
const NOTHING = Object.freeze({ tasks: [], more: 0, open: 0, causes: [], neurons: [], series: {}, total_rate: [], signals_per_s: 0 });

export class Store {
  constructor() {
    this.ring = new Ring(KEPT);
    this.listeners = [];
    this.held = null;
    this.pausedAt = null;
    this.forget();
  }

  /** Forget everything: another run of Prism numbers anew. */
  forget() {
    this.ring.clear();
    this.hello = null;
    /** What is shown: it stands still during a pause. */
    this.state = null;
    this.now = NOTHING;
    /** The newest state, during a pause too. */
    this.latest = null;
    this.waitingNow = null;
    this.traceSummaries = new Map();
    /** Ids that the server said it no longer keeps, the newest last. */
    this.goneTraces = new Set();
    /** Grows with each change of the summaries. */
    this.tracesVersion = (this.tracesVersion ?? 0) + 1;
    this.waitingTraces = null;
    this.last = 0;
    this.seen = 0;
    this.missed = 0;
    /** When this tab, and Prism itself, missed Signals last; null: never since the page was opened. */
    this.missedAt = null;
    this.prismMissedAt = null;
    this.skew_s = 0;
    this.held?.clear();
    this.epoch = (this.epoch ?? 0) + 1;
  }

  /** Call with (records) for each batch, after it is kept. */
  onRecords(call) {
    this.listeners.push(call);
  }

  add(records) {
    // A reconnect may bring what is here already.
    const fresh = records.filter((record) => record.n > this.last && (this.last = record.n));
    this.seen += fresh.length;
    if (this.held === null) this.keep(fresh);
    else for (const record of fresh) this.held.push(record);
  }

  keep(records) {
    for (const record of records) this.ring.push(record);
    for (const call of this.listeners) call(records);
  }

  /** Hold what comes back (the newest of it), so that what is shown stays as it is; or let it in. */
  pause(on) {
    if (on === (this.held !== null)) return;
    const waiting = this.held;
    this.held = on ? new Ring(KEPT) : null;
    this.pausedAt = on ? this.serverTime() : null;
    if (waiting === null) return;
    this.state = this.latest;
    if (this.waitingNow !== null) this.now = this.waitingNow;
    this.waitingNow = null;
    const traces = this.waitingTraces;
    this.waitingTraces = null;
    if (traces !== null) this.keepTraces({ ...traces, items: traces.items.values() });
    const records = [];
    for (let seq = waiting.start; seq < waiting.end; seq += 1) records.push(waiting.at(seq));
    this.keep(records);
  }

  /** How many wait behind the pause, the oldest of them given up included. */
  get waiting() {
    return this.held === null ? 0 : this.held.end;
  }

  setState(state) {
    if (this.latest !== null && state.missed > this.latest.missed) this.prismMissedAt = state.at;
    this.latest = state;
    if (this.held === null) this.state = state;
    this.skew_s = state.at - Date.now() / 1000;
  }

  /** Count Signals that this tab was too slow for. */
  miss(many) {
    this.missed += many;
    this.missedAt = this.liveTime();
  }

  setNow(now) {
    if (this.held === null) this.now = { ...NOTHING, ...now };
    else this.waitingNow = { ...NOTHING, ...now };
  }

  /** Take summaries: `items` that are new or changed, and ids that are `gone`; `anew`: forget what was before. */
  setTraces(traces) {
    if (this.held === null) this.keepTraces(traces);
    else this.holdTraces(traces);
  }

  keepTraces({ items = [], gone = [], anew = false }) {
    this.tracesVersion += 1;
    if (anew) this.traceSummaries.clear();
    fold(items, gone, this.traceSummaries, this.goneTraces);
  }

  /** Fold what comes during a pause into one change, so that a long one stays small. */
  holdTraces({ items = [], gone = [], anew = false }) {
    if (anew || this.waitingTraces === null) this.waitingTraces = { items: new Map(), gone: new Set(), anew };
    fold(items, gone, this.waitingTraces.items, this.waitingTraces.gone);
  }

  /** The clock of the server, in seconds UTC. */
  liveTime() {
    return Date.now() / 1000 + this.skew_s;
  }

  /** The same for what is shown: it stands still during a pause. */
  serverTime() {
    return this.pausedAt ?? this.liveTime();
  }

  dendrites() {
    return this.state?.dendrites ?? [];
  }

  /** Every Neuron with the Dendrite that hosts it. */
  neurons() {
    return this.dendrites().flatMap((dendrite) => dendrite.neurons.map((neuron) => ({ dendrite, neuron })));
  }
}

/** Take summaries and ids that are gone into what is kept of both. */
function fold(items, gone, summaries, goneIds) {
  for (const summary of items) {
    summaries.set(summary.id, summary);
    goneIds.delete(summary.id);
  }
  for (const id of gone) {
    summaries.delete(id);
    goneIds.add(id);
  }
  cutTo(summaries, MOST_SUMMARIES);
  cutTo(goneIds, MOST_GONE);
}

/** Drop the oldest of a Map or Set until it has at most `most`. */
function cutTo(kept, most) {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}
