// What passes over the edges of the map: the tasks of the last minute, and who asked whom in a trace. Pure.
import { count, length, plural } from "./format.js";
import { idOfNeuron } from "./mapnodes.js";
import { SETTLING, kindOf } from "./types.js";

const MINUTE_S = 60;
const MOST_EDGES = 2_000;
const MOST_OPEN = 4_000;
const MOST_TIMES = 64;

function bound(map, most) {
  if (map.size > most) map.delete(map.keys().next().value);
}

export class Edges {
  constructor() {
    this.by = new Map();
    this.open = new Map();
  }

  /** Take a record; `ids` are that of its Neuron, and the instance of its caller; null for unknown ones. */
  take({ type, id, parent_id, ts }, ids) {
    if (type === "TASK") {
      this.open.set(id, { ts, ids });
      bound(this.open, MOST_OPEN);
      for (const each of ids) if (each) this.count(each, Math.floor(ts));
      return;
    }
    const task = SETTLING.has(type) ? this.open.get(parent_id) : undefined;
    if (task === undefined) return;
    this.open.delete(parent_id);
    for (const each of task.ids) {
      const times = this.by.get(each)?.times;
      if (times?.push({ ts, took_s: Math.max(0, ts - task.ts) }) > MOST_TIMES) times.shift();
    }
  }

  count(id, ts) {
    if (!this.by.has(id)) this.by.set(id, { seconds: [], times: [] });
    bound(this.by, MOST_EDGES);
    const { seconds } = this.by.get(id);
    const last = seconds.at(-1);
    if (last && last.ts >= ts) last.many += 1;
    else if (seconds.push({ ts, many: 1 }) > MINUTE_S) seconds.shift();
  }

  /** Say the tasks of the last minute, and the median of how long those took that ended in it. */
  words(ids, now_s) {
    const all = ids.flatMap((id) => this.by.get(id) ?? []);
    const of = (key) => all.flatMap((each) => each[key]).filter(({ ts }) => ts > now_s - MINUTE_S);
    const many = of("seconds").reduce((sum, each) => sum + each.many, 0);
    const took = of("times").map(({ took_s }) => took_s).sort((a, b) => a - b);
    return `${plural(many, "task")} in the last minute${took.length ? `, usually ${length(took[took.length >> 1])}` : ""}`;
  }
}

/** Return who asked whom in a trace: [{from, to, tasks, open, failed, took_s (of settled tasks, in all)}], null for unknown ids. */
export function asksOf(records, at) {
  const tasks = new Map();
  const asks = new Map();
  for (const { type, id, parent_id, ts, neuron, caller, worker } of records) {
    const task = tasks.get(parent_id);
    if (type === "TASK") {
      const to = (neuron ? idOfNeuron(neuron) : at.get(worker)) ?? null;
      const from = task?.ask.to ?? at.get(caller) ?? null;
      const key = `${from}\n${to}`;
      if (!asks.has(key)) asks.set(key, { from, to, tasks: 0, open: 0, failed: 0, took_s: 0 });
      const ask = asks.get(key);
      ask.tasks += 1;
      ask.open += 1;
      tasks.set(id, { ts, ask, open: true });
    } else if (SETTLING.has(type) && task?.open) {
      task.open = false;
      task.ask.open -= 1;
      task.ask.took_s += Math.max(0, ts - task.ts);
      if (kindOf(type) === "error") task.ask.failed += 1;
    }
  }
  return [...asks.values()];
}

/** Return what each node had of it, by id; of what a Neuron asked others, that it took part. */
export function partsOf(asks) {
  const parts = new Map();
  for (const { from, to, ...ask } of asks) {
    for (const id of new Set([to, from])) {
      if (id === null) continue;
      if (!parts.has(id)) parts.set(id, { tasks: 0, open: 0, failed: 0, took_s: 0 });
      const part = parts.get(id);
      if (id === to || id.startsWith("caller ")) for (const key of Object.keys(part)) part[key] += ask[key];
    }
  }
  return parts;
}

/** Say a part of a trace in words. */
export function partWords({ tasks, failed, open, took_s }) {
  if (tasks === 0) return "took part";
  return `${plural(tasks, "task")}, ${open === tasks ? "running" : length(took_s)}${failed ? `, ${count(failed)} failed` : ""}`;
}
