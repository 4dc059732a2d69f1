// The rows of Now in words: tasks, failures, Neurons, callers. Pure.
import { age, count, length, perSecond, plain, plural, seconds, short } from "./format.js";
import { ASKS } from "./tracewords.js";

const STATES = { running: "running", queued: "queued", parked: "parked", wanted: "wanted", asking: "asking", unseen: "unseen", unknown: "open" };
const STATE_TITLES = {
  running: "a worker works on it", queued: "its worker has not begun yet", parked: "waits until a worker for it joins",
  wanted: "nobody has taken it yet", asking: "waits for an answer", unseen: "it is over, or its deadline is", unknown: "no reply yet; its worker does not tell more",
};
const MOST_MESSAGE = 200;
const NONE = { text: "–", class: "quiet" };
const shown = (value) => plain(value ?? "");

export const nameOf = (party) => shown(party?.name || party?.instance?.slice(0, 8));

/** Cells: state, age, caller, neuron, worker, prompt, first thought, queue, deadline, so far. */
export function taskCells(task) {
  const state = task.stuck ? "stuck" : task.state;
  const asked = task.neuron ?? (task.capabilities?.length ? `any with ${task.capabilities.join(", ")}` : "");
  return [
    { text: STATES[state] ?? shown(state), class: `state st-${state}`, title: task.stuck ? shown(task.stuck) : STATE_TITLES[state] },
    { text: age(task.age_s), class: task.stuck ? "bad" : "" },
    { text: nameOf(task.caller), title: task.caller ? `Show its traces; instance ${shown(task.caller.instance)}` : null },
    { text: shown(asked), title: shown(asked) },
    task.worker ? { text: nameOf(task.worker), title: `instance ${shown(task.worker.instance)}` } : NONE,
    { text: shown(task.prompt), title: shown(task.prompt) },
    firstThought(task),
    queued(task),
    deadline(task.deadline_s),
    task.thoughts ? { text: plural(task.thoughts, "piece"), title: `${plural(task.characters ?? 0, "character")} so far` } : NONE,
  ];
}

function queued({ queue_s, state, age_s }) {
  if (Number.isFinite(queue_s)) return { text: length(queue_s), class: queue_s < 0.05 ? "quiet" : "" };
  return state === "queued" ? { text: age(age_s), title: "it has not begun yet" } : NONE;
}

function firstThought(task) {
  if (Number.isFinite(task.first_thought_s)) return { text: length(task.first_thought_s) };
  return { text: "none yet", class: "quiet" };
}

function deadline(left_s) {
  if (!Number.isFinite(left_s)) return NONE;
  return left_s < 0 ? { text: `${age(-left_s)} over`, class: "bad" } : { text: `in ${age(left_s)}` };
}

/** The line under a task: why it is stuck, or what it asks. */
export function taskBelow(task) {
  if (task.state === "asking") return `${ASKS[task.asks] ?? "asks"}: ${shown(task.question)}`;
  return task.state === "unseen" ? "no outcome seen" : shown(task.stuck);
}

/** Cells: times, neuron, code, rate, last, latest trace. */
export function causeCells(cause) {
  return [
    { text: count(cause.count), class: "bad" },
    { text: shown(cause.neuron ?? "nobody"), title: shown(cause.neuron ?? "") },
    shown(cause.code),
    { text: cause.per_minute ? `${perSecond(cause.per_minute)}/min` : "0/min", class: cause.per_minute ? "" : "quiet" },
    seconds(cause.last_ts),
    { text: short(cause.trace_id), class: "lnk" },
  ];
}

/** The line under a failure: the message, since when, for whom, who passed it on, what a retry made good. */
export function causeBelow(cause) {
  const message = shown(cause.message).slice(0, MOST_MESSAGE);
  const parts = [...(message ? [message] : []), `first ${seconds(cause.first_ts)}`];
  if (cause.callers?.length) parts.push(`asked by ${cause.callers.map(shown).join(", ")}`);
  if (cause.above) parts.push(`passed on by ${plural(cause.above, "task")} above`);
  if (cause.recovered) parts.push(`${count(cause.recovered)} made good by a retry`);
  return parts.join(" · ");
}

/** The worst that is true of the replicas of a Neuron. */
export function stateOf({ replicas = {}, missing, gone }) {
  if (missing) return "missing";
  if (replicas.stuck) return "stuck";
  if (gone && !gone.again && !replicas.alive) return "gone";
  if (replicas.alive) return "alive";
  return ["draining", "away", "gone"].find((state) => replicas[state]) ?? "away";
}

/** Cells: neuron, replicas, load, rate, errors, p99. */
export function neuronCells(neuron) {
  const state = stateOf(neuron);
  const { running = 0, queued = 0 } = neuron;
  const errors = neuron.error_rate;
  return [
    { text: shown(neuron.neuron_id), class: `state st-${state}`, title: `${shown(neuron.description)} ${state}; offers ${(neuron.capabilities ?? []).map(shown).join(", ") || "nothing by name"}` },
    { text: replicasOf(neuron), title: replicasOf(neuron), class: state === "alive" ? "" : "bad" },
    { text: running || queued ? `${count(running)} running` : "idle", class: running || queued ? "" : "quiet" },
    { text: queued ? count(queued) : "0", class: queued ? "" : "quiet" },
    { text: `${perSecond(neuron.rate ?? 0)}/s`, class: neuron.rate ? "" : "quiet" },
    Number.isFinite(errors) ? { text: `${errors > 0 && errors < 0.01 ? "< 1" : Math.round(errors * 100)} %`, class: errors ? "bad" : "quiet", title: plural(neuron.errors_per_minute ?? 0, "error in the last minute", "errors in the last minute") } : NONE,
    Number.isFinite(neuron.p99_ms) ? length(neuron.p99_ms / 1000) : NONE,
  ];
}

function replicasOf({ replicas = {}, missing, cards = [] }) {
  if (missing) return "none there";
  const parts = ["stuck", "gone", "away", "draining", "alive"].filter((state) => replicas[state]).map((state) => `${count(replicas[state])} ${state}`);
  if (cards.length > 1) parts.push(`${cards.length} versions`);
  return parts.join(", ") || "none";
}

/** The line under a Neuron: who died, when and why. */
export function neuronBelow({ gone, missing }, at) {
  if (gone) {
    const ago = Number.isFinite(gone.ts) ? ` at ${seconds(gone.ts)}, ${age(at - gone.ts)} ago` : "";
    return `${shown(gone.dendrite_id ?? "a replica")} gone${ago}: ${shown(gone.reason ?? "no reason given")}${gone.again ? "; another replica serves it" : ""}`;
  }
  return missing ? "asked for in the last 10 minutes, and no worker has it" : "";
}

/** Who asks, as { key, name, instances, open }: those that are there or still wait, the busiest first. */
export function callersOf(dendrites, tasks) {
  const found = new Map();
  const at = (name, instance) => {
    const caller = found.get(name) ?? { key: name, name, instances: new Set(), open: 0 };
    found.set(name, caller);
    caller.instances.add(instance);
    return caller;
  };
  for (const each of dendrites) if (each.state !== "gone" && (each.does ?? "").includes("caller")) at(nameOf({ name: each.dendrite_id, instance: each.instance }), each.instance);
  for (const { caller, parent_id, state } of tasks) if (caller && !parent_id && state !== "unseen") at(nameOf(caller), caller.instance).open += 1;
  return [...found.values()].sort((a, b) => b.open - a.open || a.name.localeCompare(b.name));
}
