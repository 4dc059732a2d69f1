// All that this tab keeps: the records, the traces in them, and the newest state and health.
import { Ring } from "./ring.js";
import { Traces } from "./traces.js";

export const KEPT = 10_000;

export class Store {
  constructor() {
    this.ring = new Ring(KEPT);
    this.traces = new Traces();
    this.listeners = [];
    this.held = null;
    this.forget();
  }

  /** Forget everything: another run of Prism numbers anew. */
  forget() {
    this.ring.clear();
    this.traces.clear();
    this.hello = null;
    this.state = null;
    this.health = null;
    this.last = 0;
    this.seen = 0;
    this.missed = 0;
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
    for (const record of records) {
      const gone = this.ring.push(record);
      if (gone !== undefined) this.traces.shed(gone);
      this.traces.add(record);
    }
    for (const call of this.listeners) call(records);
  }

  /** Hold what comes back (the newest of it), so that what is shown stays as it is; or let it in. */
  pause(on) {
    if (on === (this.held !== null)) return;
    const waiting = this.held;
    this.held = on ? new Ring(KEPT) : null;
    if (waiting === null) return;
    const records = [];
    for (let seq = waiting.start; seq < waiting.end; seq += 1) records.push(waiting.at(seq));
    this.keep(records);
  }

  /** How many wait behind the pause, the oldest of them given up included. */
  get waiting() {
    return this.held === null ? 0 : this.held.end;
  }

  setState(state) {
    this.state = state;
    this.skew_s = state.at - Date.now() / 1000;
  }

  /** The server's clock, in seconds UTC. */
  now() {
    return Date.now() / 1000 + this.skew_s;
  }

  dendrites() {
    return this.state?.dendrites ?? [];
  }

  /** Every Neuron with the Dendrite that hosts it. */
  neurons() {
    return this.dendrites().flatMap((dendrite) => dendrite.neurons.map((neuron) => ({ dendrite, neuron })));
  }
}
