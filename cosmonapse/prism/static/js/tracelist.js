// Which traces the list shows, and in which order. Pure.
import { among } from "./filters.js";

export const STATUSES = [["", "All"], ["running", "Running"], ["asking", "Asking"], ["failed", "Failed"], ["stopped", "Stopped"], ["done", "Done"]];
export const SORTS = [["newest", "Newest first"], ["duration", "Longest first"], ["thought", "Slowest first thought"]];
const MOST_MENTIONED = 4_000;

/** The traces of which a record in the ring of this tab passes the filters: kept up as records come. */
export class Mentions {
  constructor(store, filters) {
    Object.assign(this, { store, filters, version: -1, epoch: -1, next: 0 });
    this.ids = new Set();
  }

  /** Take in what came, and return the ids. */
  update() {
    const { store, filters } = this;
    if (this.version !== filters.version || this.epoch !== store.epoch) {
      Object.assign(this, { version: filters.version, epoch: store.epoch, next: 0, matches: filters.matcher() });
      this.ids.clear();
    }
    if (!filters.any) return this.ids;
    for (let seq = Math.max(this.next, store.ring.start); seq < store.ring.end; seq += 1) {
      const record = store.ring.at(seq);
      if (!this.ids.has(record.trace_id) && this.matches(record)) this.ids.add(record.trace_id);
    }
    this.next = store.ring.end;
    for (const id of this.ids) {
      if (this.ids.size <= MOST_MENTIONED) break;
      this.ids.delete(id);
    }
    return this.ids;
  }
}

/** Return a function that tells whether a summary passes the filters, by what it has itself. */
export function fits({ neuron, instance, trace, type, text, kinds }) {
  const wanted = text.toLowerCase();
  const isWanted = among(instance);
  // A type or a kind is of Signals: only records can tell.
  if (type || kinds.size) return () => false;
  return (summary) =>
    (neuron === "" || summary.neuron === neuron || summary.neurons.includes(neuron)) &&
    (instance === "" || isWanted(summary.caller?.instance)) &&
    (trace === "" || summary.id.startsWith(trace)) &&
    (wanted === "" || words(summary).some((each) => typeof each === "string" && each.toLowerCase().includes(wanted)));
}

const words = ({ id, prompt, caller, neuron, neurons, cause, ask, model }) => [id, prompt, caller?.name, caller?.instance, neuron, ...neurons, cause?.neuron, cause?.code, cause?.message, ask?.question, ask?.neuron, ...(model?.models ?? [])];

/** Return the summaries to show, in order. `caller` is a name; `at` the clock of the server. */
export function chosen(summaries, { status, caller, sort, filters, mentioned, at }) {
  const own = filters.any ? fits(filters) : () => true;
  const items = [];
  for (const summary of summaries) {
    if (status !== "" && summary.status !== status) continue;
    if (caller !== "" && summary.caller?.name !== caller) continue;
    if (own(summary) || mentioned.has(summary.id)) items.push(summary);
  }
  const newest = (a, b) => b.began_ts - a.began_ts || (a.id < b.id ? 1 : -1);
  const took = (each) => (each.status === "running" ? at - each.began_ts : each.took_s);
  const thought = (each) => each.first_thought_s ?? -1;
  const order = { newest, duration: (a, b) => took(b) - took(a) || newest(a, b), thought: (a, b) => thought(b) - thought(a) || newest(a, b) }[sort] ?? newest;
  return items.sort(order);
}

/** Name the callers: a line about a trace that ended may be older than what is known of who asked. */
export function nameCallers(summaries, dendrites) {
  const names = new Map(dendrites.map(({ instance, dendrite_id }) => [instance, dendrite_id]));
  for (const { caller } of summaries) {
    const name = caller && names.get(caller.instance);
    if (name) caller.name = name;
  }
}

/** Return the names of neurons and callers in the summaries, each sorted. */
export function namesIn(summaries) {
  const neurons = new Set();
  const callers = new Set();
  for (const { neurons: names, caller } of summaries) {
    for (const name of names) neurons.add(name);
    if (caller?.name) callers.add(caller.name);
  }
  return { neurons: [...neurons].sort(), callers: [...callers].sort() };
}
