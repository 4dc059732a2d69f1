// Who stands on the map: the replicas of a Neuron as one node, callers of one name as one. Pure.
import { age, count, length, perSecond, plain } from "./format.js";

const FAILED_S = 60;
const MOST_FAILED = 500;
const STATES = ["stuck", "gone", "away", "draining", "alive"];
const LOUD = new Set(["missing", "stuck", "gone"]);
export const idOfNeuron = (name) => `neuron ${name}`;
const idOfCaller = (name) => `caller ${name}`;

/** Return {neurons, callers, watchers, at}: nodes, names of watchers, and node ids by instance. */
export function nodesOf(dendrites, figures = []) {
  const neurons = new Map();
  const callers = new Map();
  const watchers = [];
  const at = new Map();
  for (const dendrite of dendrites) {
    const name = nameOf(dendrite);
    for (const neuron of dendrite.neurons) {
      const node = take(neurons, idOfNeuron(neuron.neuron_id), () => neuronNode(neuron.neuron_id));
      node.workers.push({ ...neuron, instance: dendrite.instance, dendrite: name });
      if (neuron.state !== "gone" || !at.has(dendrite.instance)) at.set(dendrite.instance, node.id);
    }
    if (dendrite.neurons.length > 0) continue;
    if (dendrite.does === "watcher") watchers.push(name);
    else if (dendrite.state !== "gone") join(callers, at, dendrite.instance, name);
  }
  for (const each of figures) take(neurons, idOfNeuron(each.neuron_id), () => neuronNode(each.neuron_id)).figures = each;
  for (const node of neurons.values()) settle(node);
  return { neurons: [...neurons.values()].sort(byName), callers: [...callers.values()].sort(byName), watchers, at };
}

const byName = (a, b) => a.name.localeCompare(b.name, "en", { numeric: true });

function take(map, id, make) {
  if (!map.has(id)) map.set(id, make());
  return map.get(id);
}

function join(callers, at, instance, name) {
  const node = take(callers, idOfCaller(name), () => ({ id: idOfCaller(name), kind: "caller", name: plain(name), label: "", instances: [], state: "alive", weight: 0, workers: [] }));
  node.instances.push(instance);
  at.set(instance, node.id);
  node.label = node.instances.length > 1 ? `${node.name} × ${count(node.instances.length)}` : node.name;
}

/** Add callers that the state does not name: they are shown while they speak. */
export function addStrangers(nodes, instances) {
  const callers = new Map(nodes.callers.map((node) => [node.id, node]));
  for (const instance of instances) if (!nodes.at.has(instance)) join(callers, nodes.at, instance, "unnamed");
  nodes.callers = [...callers.values()].sort(byName);
  return nodes;
}

function neuronNode(name) {
  return { id: idOfNeuron(name), kind: "neuron", raw: name, name: plain(name), workers: [], figures: null };
}

function settle(node) {
  const replicas = Object.fromEntries(STATES.map((state) => [state, node.workers.filter((each) => each.state === state).length]));
  const here = node.workers.filter((each) => each.state !== "gone");
  const sum = (key) => here.reduce((all, each) => all + (each[key] ?? 0), 0);
  node.replicas = replicas;
  node.total = node.workers.length - replicas.gone;
  node.running = sum("running");
  node.queued = sum("queued");
  node.open = Math.max(node.figures?.open ?? 0, sum("open"));
  node.rate = node.figures?.rate ?? 0;
  node.errors = node.figures?.errors_per_minute ?? 0;
  node.state = stateOf(node);
  node.reason = reasonOf(node);
  node.label = node.total > 1 ? `${node.name} × ${count(node.total)}` : node.name;
  node.weight = (LOUD.has(node.state) ? 1e9 : 0) + (replicas.gone || node.errors ? 1e8 : 0) + node.rate + node.open;
}

function stateOf({ replicas, figures, workers }) {
  if (figures?.missing) return "missing";
  if (workers.length === 0) return figures?.gone ? "gone" : "away";
  if (replicas.stuck) return "stuck";
  if (replicas.alive) return "alive";
  return STATES.find((state) => replicas[state]) ?? "alive";
}

function reasonOf(node) {
  if (node.state === "missing") return "asked for, and nobody serves it";
  const worst = node.workers.find((each) => each.state === "stuck" || (each.state === "gone" && node.state === "gone"));
  return plain(worst?.reason ?? (node.state === "gone" ? node.figures?.gone?.reason : "") ?? "");
}

/** A Dendrite whose name is made from its instance has none of its own. */
function nameOf({ instance, dendrite_id: id }) {
  return id && !instance.startsWith(id) ? id : "unnamed";
}

/** Return the second line of a label. */
export function subOf(node, failure) {
  if (node.kind === "caller") return failure ? `failed: ${failure.reason}` : "asks";
  if (node.state !== "alive") return node.reason ? `${node.state}: ${node.reason}` : node.state;
  return failure ? `failed: ${failure.reason}` : loadOf(node);
}

export function loadOf({ running, queued, replicas }) {
  const dead = replicas.gone ? `, ${count(replicas.gone)} gone` : "";
  if (!running && !queued) return `idle${dead}`;
  return `${count(running)} running${queued ? `, ${count(queued)} queued` : ""}${dead}`;
}

/** Return the facts of a node as [name, value]. */
export function factsOf(node, failure) {
  const failed = failure && ["failed", `${failure.reason} (${age(failure.ago_s)} ago)`];
  if (node.kind === "caller") return [["does", "asks, serves nothing"], ["Dendrites", count(node.instances.length)], failed].filter(Boolean);
  const { figures: f, replicas } = node;
  const workers = node.workers.slice(0, 8).map((each) => ["worker", `${plain(each.dendrite)}, ${each.state}${each.reason ? `: ${plain(each.reason)}` : `, last seen ${age(each.last_seen_s)} ago`}`]);
  if (node.workers.length > 8) workers.push(["", `and ${count(node.workers.length - 8)} more`]);
  const figures = f === null ? [] : [["rate", `${perSecond(f.rate ?? 0)} replies/s`], ["errors", f.errors_per_minute ? `${count(f.errors_per_minute)} in the last minute` : "none"], ["p50, p99", Number.isFinite(f.p50_ms) ? `${length(f.p50_ms / 1000)}, ${length((f.p99_ms ?? 0) / 1000)}` : ""]];
  return [
    ["state", node.state],
    ["why", node.reason],
    failed,
    ["replicas", STATES.filter((state) => replicas[state]).map((state) => `${count(replicas[state])} ${state}`).join(", ") || "none"],
    ["load", loadOf(node)],
    ...figures,
    ...workers,
  ].filter((each) => each && each[1] !== "");
}

/** The edges on which a task failed within a minute. */
export class Failed {
  constructor() {
    this.by = new Map();
  }

  /** Note an ERROR on the edge of a node; `now_s` is a monotonic time. A task that was stopped did not fail. */
  note(id, { code, message }, now_s) {
    if (!id || code === "CANCELLED") return;
    this.by.delete(id);
    this.by.set(id, { at_s: now_s, reason: plain(`${code ?? "ERROR"} ${message ?? ""}`.slice(0, 200)).trim() });
    if (this.by.size > MOST_FAILED) this.by.delete(this.by.keys().next().value);
  }

  /** Forget what is older than a minute; return whether anything was. */
  expire(now_s) {
    const before = this.by.size;
    for (const [id, { at_s }] of this.by) if (now_s - at_s > FAILED_S) this.by.delete(id);
    return this.by.size !== before;
  }

  of(id, now_s) {
    const found = this.by.get(id);
    return found && { ...found, ago_s: now_s - found.at_s };
  }
}
