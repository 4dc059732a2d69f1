// The rows of Fabric in words: replicas, Dendrites, standbys, counters. Pure.
import { age, count, length, plain, plural, seconds } from "./format.js";

const STATE_ORDER = ["stuck", "gone", "draining", "away", "alive"];
const DOES = { worker: "answers tasks", caller: "asks", "worker+caller": "answers, and asks", watcher: "watches" };
const ROLES = { standby: "stands by", leader: "leads", leaving: "is leaving", closed: "nobody listens there", silent: "does not answer", unknown: "not heard yet", own: "this one" };
const SLOW_LOOP_MS = 100;
const MOST_FIGURES = 200;
const shown = (value) => plain(value ?? "");
const rank = (state) => (STATE_ORDER.indexOf(state) + STATE_ORDER.length + 1) % (STATE_ORDER.length + 1);

/** Every Neuron with its Dendrite, the unwell ones first. */
export function replicasOf(dendrites) {
  return dendrites
    .flatMap((dendrite) => dendrite.neurons.map((neuron) => ({ dendrite, neuron, key: `${dendrite.instance} ${neuron.neuron_id}` })))
    .sort((a, b) => rank(a.neuron.state) - rank(b.neuron.state) || `${a.neuron.neuron_id}`.localeCompare(`${b.neuron.neuron_id}`) || `${a.dendrite.dendrite_id}`.localeCompare(`${b.dendrite.dendrite_id}`));
}

/** Cells: state, neuron, dendrite, running, queued, lag, last seen. */
export function replicaCells({ dendrite, neuron }) {
  const lag = neuron.loop_lag_ms;
  return [
    { text: shown(neuron.state), class: `state st-${neuron.state}` },
    { text: shown(neuron.neuron_id), title: `offers ${(neuron.capabilities ?? []).map(shown).join(", ") || "nothing by name"}` },
    { text: shown(dendrite.dendrite_id), title: `instance ${shown(dendrite.instance)}` },
    { text: neuron.concurrency ? `${count(neuron.running ?? 0)} of ${count(neuron.concurrency)}` : count(neuron.running ?? 0), class: neuron.running ? "" : "quiet" },
    { text: count(neuron.queued ?? 0), class: neuron.queued ? "" : "quiet" },
    { text: Number.isFinite(lag) && neuron.state === "alive" ? length(lag / 1000) : "–", class: lag > SLOW_LOOP_MS ? "bad" : "quiet" },
    { text: Number.isFinite(neuron.last_seen_s) ? `${age(neuron.last_seen_s)} ago` : "–", class: "quiet" },
  ];
}

/** The line under somebody who is not well: the reason, and of the dead the time. */
export function whyBelow({ gone, left, reason, neurons = [] }) {
  const end = gone ?? left;
  if (!end) return shown(reason ?? neurons.find((neuron) => neuron.reason)?.reason);
  return `left${Number.isFinite(end.ts) ? ` at ${seconds(end.ts)}` : ""}: ${shown(end.reason ?? reason ?? "no reason given")}`;
}

/** Tell whether a Dendrite is a "caller", a "worker" or a "watcher"; it may be the first two. */
export const isA = (dendrite, kind) => `${dendrite.does}`.split("+").includes(kind);

export const dendriteState = ({ state, neurons }) => state ?? neurons[0]?.state ?? "alive";

/** Every Dendrite, the unwell first, then callers, workers, watchers. */
export function dendritesOf(dendrites) {
  const order = ["caller", "worker+caller", "worker", "watcher"];
  return dendrites
    .map((each) => ({ ...each, key: each.instance }))
    .sort((a, b) => rank(dendriteState(a)) - rank(dendriteState(b)) || order.indexOf(a.does) - order.indexOf(b.does) || `${a.dendrite_id}`.localeCompare(`${b.dendrite_id}`));
}

/** Cells: state, name, what it does, its Neurons, its open tasks, since when it is there. */
export function dendriteCells(dendrite) {
  const names = dendrite.neurons.map(({ neuron_id }) => shown(neuron_id));
  const state = dendriteState(dendrite);
  return [
    { text: state, class: `state st-${state}` },
    { text: shown(dendrite.dendrite_id ?? dendrite.instance?.slice(0, 8)), title: `instance ${shown(dendrite.instance)}` },
    { text: DOES[dendrite.does] ?? "not known", title: dendrite.role ? `role ${shown(dendrite.role)}` : null },
    { text: names.length ? names.join(", ") : "–", class: names.length ? "" : "quiet", title: names.join(", ") || null },
    { text: count(dendrite.open ?? 0), class: dendrite.open ? "" : "quiet" },
    { text: Number.isFinite(dendrite.age_s) ? age(dendrite.age_s) : "–", class: "quiet" },
  ];
}

/** The Synapses of the fabric as { key, url, does, is_bad, more }: the one that was asked first. */
export function synapsesOf(synapse) {
  if (!synapse) return [];
  const own = { key: "own", url: shown(synapse.url), does: synapse.connected ? (synapse.role === "leader" ? "leads" : synapse.role === "leaving" ? "is leaving" : "serves alone") : "is gone", isBad: !synapse.connected || synapse.role === "leaving", more: synapse.connected ? "" : shown(synapse.reason ?? "no reason given") };
  const others = (synapse.peers ?? []).filter((peer) => peer.role !== "own").map((peer) => ({
    key: `peer ${peer.url}`, url: shown(peer.url), does: ROLES[peer.role] ?? shown(peer.role), isBad: ["closed", "silent"].includes(peer.role),
    more: [Number.isFinite(peer.heard_s) ? `heard ${age(peer.heard_s)} ago` : "", Number.isFinite(peer.clients) ? plural(peer.clients, "client") : "", peer.same_users === false ? "its allowed keys differ" : ""].filter(Boolean).join(", "),
  }));
  return [own, ...others];
}

const FACTS = {
  uptime_s: "runs for", connections: "Dendrites connected", away: "away for a moment", axons: "Neurons served",
  open: "tasks with a worker", parked: "tasks that wait for a worker", subscriptions: "topics with a listener", draining: "is being stopped", release: "version", term: "term",
};
const GROUPS = {
  bounce: ["Tasks that went back to their caller", true], lost: ["Tasks that were lost", true], drop: ["Messages that were dropped", true],
  full: ["Queues that were full", true], later: ["Messages that wait for a slow reader", true], refused: ["Requests that were refused", true],
  cut: ["Connections that were cut", true], ignored: ["Subscriptions that were ignored", false], connection: ["Connections", false],
  failover: ["Changes of the leader", false], resync: ["Tasks found again after a reconnect", false], unexpected: ["Unexpected messages", false],
  prism: ["Of this Prism", false],
};
const WORDS = {
  copies: "copies for those who watch", handed_over: "handed over to be published", published: "broadcasts", returned: "sent again",
  orphaned: "tasks whose caller stayed away", overdue: "tasks past their deadline", silent: "Dendrites that fell silent",
  unreachable: "connections that broke", no_descriptors: "connections without a file descriptor",
};
const BAD_WORDS = new Set(["orphaned", "overdue", "silent", "no_descriptors"]);
// Told elsewhere on the page, or no figure.
const SKIPPED = new Set(["recent", "recent_s", "peers", "warning", "role", "half", "url", "ts"]);

/**
 * Return the counters in groups: [{ title, figures: [{ name, value, grew, isBad }] }], at most 200 figures.
 *
 * `grew` is by how much it grew in the last minute, 0 if nothing or unknown; one is bad if it grew and
 * counts what should not happen.
 */
export function counterGroups(counters, own) {
  const groups = new Map();
  const add = (title, figure) => groups.set(title, [...(groups.get(title) ?? []), figure]);
  const recent = counters.recent ?? {};
  for (const [title, value, isBad] of own) add("What is not shown", { name: title, value: count(value), grew: 0, isBad: isBad && value > 0 });
  for (const [key, value] of Object.entries(counters).slice(0, MOST_FIGURES)) {
    if (SKIPPED.has(key) || value === false || (key === "term" && !value) || (value !== null && typeof value === "object")) continue;
    if (Object.hasOwn(FACTS, key)) add("Right now", { name: FACTS[key], value: factOf(key, value), grew: 0, isBad: key === "parked" && value > 0 });
    else {
      const [prefix, ...rest] = key.split(".");
      const [title, isBad] = (rest.length && Object.hasOwn(GROUPS, prefix) && GROUPS[prefix]) || ["What went through", BAD_WORDS.has(key)];
      const known = Object.hasOwn(WORDS, key) ? WORDS[key] : null;
      const name = known ?? plain(rest.length ? rest.join(" ") : prefix).replaceAll("_", " ");
      const grew = Number.isFinite(recent[key]) ? recent[key] : 0;
      add(title, { name, value: count(value), grew, isBad: isBad && grew > 0 });
    }
  }
  const first = ["Right now", "What is not shown"];
  const at = ([title]) => (first.indexOf(title) + 10) % 10;
  return [...groups].sort((a, b) => at(a) - at(b)).map(([title, figures]) => ({ title, figures }));
}

function factOf(key, value) {
  if (key === "uptime_s") return age(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? count(value) : shown(value) || "–";
}
