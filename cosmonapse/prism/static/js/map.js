// The view Map: who is there and what travels, with a table of the same beside it.
import { dress, el, fit, mark, put } from "./dom.js";
import { count, perSecond, plain, plural, short } from "./format.js";
import { among } from "./filters.js";
import { Journeys } from "./journeys.js";
import { Edges, asksOf, partWords, partsOf } from "./edges.js";
import { Failed, addStrangers, factsOf, idOfNeuron, loadOf, nodesOf, subOf } from "./mapnodes.js";
import { SYNAPSE_PX, layMap, moreId } from "./maplayout.js";
import { Places } from "./places.js";
import { Sky } from "./sky.js";
import { SETTLING } from "./types.js";
import { VirtualList } from "./virtual.js";
import { WholeTrace } from "./wholetrace.js";
import { nothingYet } from "./empty.js";

const STRANGER_S = 60;
const MOST_STRANGERS = 64;
const MOST_STANDBYS = 4;
const SLOW_MS = 26;
const REST_MS = 20;
const EVERY_MS = 250;
const NOWHERE = { caller: null, worker: null };
const LEGEND = [["st", "alive", "alive"], ["st", "stuck", "stuck"], ["st", "draining", "draining"], ["st", "gone", "gone"], null, ["k", "task", "task"], ["k", "reply", "reply"], ["k", "error", "error"], ["k", "question", "question"], ["k", "stream", "thoughts"], ["k", "tool", "tools"], ["k", "auction", "bids"], ["k", "stop", "stop"]];

export class MapView {
  constructor(app) {
    this.app = app;
    this.journeys = new Journeys();
    this.places = { left: new Places(), right: new Places() };
    this.failed = new Failed();
    this.edges = new Edges();
    this.asks = [];
    this.strangers = new Map();
    this.nodes = new Map();
    this.all = nodesOf([]);
    this.items = [];
    this.order = [];
    this.standbys = [];
    this.whole = new WholeTrace({ store: app.store, changed: () => this.redraw() });
    this.drawn = 0;
    const canvas = el("canvas", { role: "img", "aria-label": "The Synapse in the middle, callers left, Neurons right; the table beside it says the same in words" });
    this.sky = new Sky(canvas);
    this.labels = el("div", { class: "map-labels", role: "group", "aria-label": "On the map" });
    this.asked = el("ul", { class: "unseen", "aria-label": "Who asked whom" });
    this.tip = el("div", { class: "tip", hidden: "" });
    this.title = el("h2");
    this.note = el("span", { class: "sampling num" });
    this.watching = el("span", { class: "said clip" });
    this.back = el("button", { class: "plain", text: "Whole fabric", hidden: "", click: () => app.filters.set({ trace: "" }) });
    this.empty = el("div", { class: "empty", hidden: "" });
    const legend = el("div", { class: "legend" }, ...LEGEND.map((each) => (each === null ? el("span", { class: "break" }) : el("span", { class: each[0] === "st" ? `state st-${each[1]}` : `dot k-${each[1]}` }, el("em", { text: each[2] })))), this.watching);
    this.holder = el("div", { class: "sky" }, canvas, this.labels, this.asked, this.tip);
    this.list = new VirtualList({ row_px: 40, label: "Who is here", make: makeRow, fill: (row, at) => this.fill(row, at), choose: (at) => this.choose(at), ask: app.ask });
    // Its two clicks have filtered, and dropped that again.
    this.list.el.addEventListener("dblclick", () => app.openCard());
    this.count = el("span", { class: "count num" });
    const columns = el("div", { class: "columns", "aria-hidden": "true" }, el("span", { text: "Neuron, or caller" }), ...["load", "replies/s", "errors/min"].map((text) => el("span", { class: "right", text })));
    const roster = el("aside", { class: "roster", "aria-label": "Who is here" }, el("div", { class: "bar" }, el("h2", { text: "Who is here" }), el("span", { class: "gap" }), this.count), columns, this.list.el);
    this.el = el("section", { class: "map", "aria-label": "Map" }, el("div", { class: "chart" }, el("div", { class: "bar" }, this.title, this.back, el("span", { class: "gap" }), this.note), this.holder, legend), roster, this.empty);
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(([{ contentRect }]) => {
      this.sky.resize(contentRect.width, contentRect.height);
      this.redraw();
    }).observe(this.holder);
    canvas.addEventListener("pointermove", (event) => this.point(this.sky.at(event.offsetX, event.offsetY, (id) => this.failed.by.has(id))));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("click", () => this.pick(this.under?.node));
    app.store.onRecords((records) => this.take(records));
  }

  retheme() {
    this.sky.retheme();
  }

  show() {
    this.journeys.clear();
    this.redraw();
  }

  redraw() {
    this.drawn = 0;
    this.app.ask();
  }

  take(records) {
    const now_s = performance.now() / 1000;
    const newest = this.app.store.liveTime() - 60;
    for (const record of records) {
      if (record.caller && !this.all.at.has(record.caller)) this.meet(record.caller, now_s);
      if (record.ts < newest || (record.type !== "TASK" && !SETTLING.has(record.type))) continue;
      const { caller, worker } = this.ends(record);
      this.edges.take(record, [worker, record.caller]);
      if (record.type === "ERROR") for (const id of [worker, caller]) this.failed.note(id, record.payload ?? {}, now_s);
    }
    if (this.app.view !== this || this.app.paused || document.hidden) return;
    const wants = this.app.filters.any ? this.app.filters.matcher() : null;
    this.journeys.take(wants ? records.filter(wants) : records, performance.now(), (record) => this.drawnEnds(record));
  }

  /** Note a caller; those that the state does not name are shown while they speak. */
  meet(instance, now_s) {
    this.strangers.delete(instance);
    this.strangers.set(instance, now_s);
    if (this.strangers.size > MOST_STRANGERS) this.strangers.delete(this.strangers.keys().next().value);
  }

  /** Return the ids of the nodes at both ends of a record. */
  ends(record) {
    const { at } = this.all;
    const named = record.neuron ? idOfNeuron(record.neuron) : null;
    return { caller: at.get(record.caller) ?? null, worker: named !== null && this.nodes.has(named) ? named : at.get(record.worker) ?? named };
  }

  /** The same, as drawn: what has no place of its own travels to what stands for the rest. */
  drawnEnds(record) {
    if (this.sky.stars.size === 0) return NOWHERE;
    const { caller, worker } = this.ends(record);
    return { caller: this.starOf(caller), worker: this.starOf(worker) };
  }

  starOf(id) {
    if (id === null || this.sky.stars.has(id)) return id;
    return moreId(id.startsWith("caller ") ? "left" : "right");
  }

  /** Draw anew what stands where, at most four times a second. */
  refresh(now) {
    const { store, filters } = this.app;
    const key = `${filters.version} ${store.state?.at} ${this.strangers.size}`;
    const isSame = key === this.key && store.now === this.figures;
    if (this.drawn && (now - this.drawn < EVERY_MS || isSame) && now - this.drawn < 2000) return;
    Object.assign(this, { key, drawn: now, figures: store.now });
    const now_s = now / 1000;
    this.failed.expire(now_s);
    for (const [instance, seen_s] of this.strangers) if (now_s - seen_s > STRANGER_S) this.strangers.delete(instance);
    this.all = addStrangers(nodesOf(store.dendrites(), store.now.neurons), this.strangers.keys());
    const { trace } = filters;
    if (trace && this.whole.id !== trace) this.whole.open(trace);
    if (trace) this.whole.look(now);
    this.asks = trace ? asksOf(this.whole.records(), this.all.at) : [];
    const parts = trace ? partsOf(this.asks) : null;
    const inIt = (node) => parts === null || parts.has(node.id);
    const [callers, neurons] = [this.all.callers.filter(inIt), this.all.neurons.filter(inIt)];
    this.nodes = new Map([...callers, ...neurons].map((node) => [node.id, node]));
    for (const node of this.nodes.values()) {
      const failure = this.failed.of(node.id, now_s);
      node.failure = failure;
      node.sub = parts === null ? subOf(node, failure) : partWords(parts.get(node.id));
      if (failure) node.weight += 1e8;
    }
    this.lay(callers, neurons, trace);
    this.items = [...[...neurons].sort((a, b) => rankOf(b) - rankOf(a)), ...callers];
    this.list.resize(this.items.length);
  }

  lay(callers, neurons, trace) {
    const side = (nodes, places) => ({ places, nodes: nodes.map(({ id, label, sub, weight }) => ({ id, name: label, sub, weight })) });
    const laid = layMap({ left: side(callers, this.places.left), right: side(neurons, this.places.right) }, this.sky, (...words) => this.sky.measure(...words));
    this.sky.lay(laid, this.nodes, this.asks);
    this.drawAsks();
    this.laid = laid;
    this.drawLabels();
    put(this.title, trace ? `Trace ${short(trace)}` : "The fabric");
    this.back.hidden = !trace;
    const bad = neurons.filter((node) => node.state !== "alive").length;
    put(this.count, `${plural(neurons.length, "Neuron")}${bad ? `, ${count(bad)} not well` : ""}, ${plural(callers.length, "caller")}`);
    const { watchers } = this.all;
    put(this.watching, watchers.length ? `${plural(watchers.length, "Dendrite")} only watch${watchers.length === 1 ? "es" : ""}: ${watchers.slice(0, 3).map(plain).join(", ")}` : "");
  }

  drawAsks() {
    const told = this.asks.filter(({ from, to }) => from !== null && to !== null);
    const items = fit(this.asked, told.length, () => el("li"));
    told.forEach((ask, at) => put(items[at], `${this.nameOf(ask.from)} asked ${this.nameOf(ask.to)}: ${partWords(ask)}`));
  }

  nameOf(id) {
    return this.nodes.get(id)?.name ?? plain(id.replace(/^\w+ /, ""));
  }

  /** What passes over the edge of a node, as [name, value]. */
  edgeFacts(id) {
    if (!this.app.filters.trace) return [["edge", this.edges.words(this.nodes.get(id).instances ?? [id], this.app.store.serverTime())]];
    return this.asks.filter(({ from, to }) => from === id && to !== null).map((ask) => ["asked", `${this.nameOf(ask.to)}: ${partWords(ask)}`]);
  }

  drawLabels() {
    const { spots, middle, k, hidden } = this.laid;
    this.order = [...spots.keys()].sort((a, b) => spots.get(a).x - spots.get(b).x || spots.get(a).y - spots.get(b).y);
    const synapse = this.app.store.state?.synapse;
    const own = [];
    const wide = (this.sky.width < 700 ? 112 : 176) * k;
    const say = (name, sub, x, y, state = "") => own.push({ name, sub, state, x: x - wide / 2, y, most: wide, lines: sub ? 2 : 1, middle: true });
    say("Synapse", synapse?.connected ?? true ? `${perSecond(this.app.store.now.signals_per_s)} Signals/s` : "gone", middle.x, middle.y + (SYNAPSE_PX + 4) * k, synapse?.connected ?? true ? "" : "gone");
    const room = Math.max(0, Math.floor((this.sky.height - middle.y - 90 * k) / (34 * k)));
    const peers = (synapse?.peers ?? []).filter((peer) => peer.role !== "own").slice(0, Math.min(room, MOST_STANDBYS));
    this.standbys = peers.map((_, at) => ({ x: middle.x, y: middle.y + (84 + 34 * at) * k }));
    peers.forEach((peer, at) => say(`${plain(peer.role ?? "standby")} ${addressOf(peer)}`, "", middle.x, this.standbys[at].y + 7 * k));
    const shown = this.order.map((id) => {
      const { label, side } = spots.get(id);
      const node = this.nodes.get(id) ?? null;
      const rest = { name: `and ${count(hidden[side])} more`, sub: "in the table", state: "" };
      return { id, side, node, ...(node ? { name: node.label, sub: node.sub, state: node.failure ? "gone" : node.state } : rest), ...label };
    });
    const focused = shown.some(({ id }) => id === this.focused) ? this.focused : shown[0]?.id;
    const boxes = fit(this.labels, own.length + shown.length, () => this.makeLabel());
    [...own, ...shown].forEach((each, at) => this.fillLabel(boxes[at], each, focused));
  }

  makeLabel() {
    const label = el("button", { tabindex: "-1" }, el("b", { class: "said" }), el("span", { class: "said" }), el("span", { class: "unseen" }));
    const star = () => this.sky.stars.get(label.prismId) ?? null;
    label.addEventListener("click", () => this.pick(star()?.node));
    for (const type of ["pointerenter", "focus"]) label.addEventListener(type, () => this.point(star()));
    for (const type of ["pointerleave", "blur"]) label.addEventListener(type, () => this.point(null));
    return label;
  }

  fillLabel(box, { id, name, sub, state, x, y, width, most, lines, side, middle }, focused) {
    const { k } = this.laid;
    box.prismId = id ?? null;
    dress(box, `map-label ${middle ? "middle" : side} st-${state || "none"}`);
    put(box.firstChild, plain(name));
    put(box.lastChild, id && this.nodes.has(id) ? this.edgeFacts(id).map((fact) => fact.join(" ")).join(", ") : "");
    put(box.children[1], lines === 2 ? plain(sub) : "");
    mark(box, "tabindex", id && id === focused ? 0 : -1);
    mark(box, "disabled", middle ? "" : null);
    const wide = middle ? most : Math.min(most, width + 2);
    const place = `${Math.round(side === "left" ? x + width - wide : x)}|${Math.round(y)}|${Math.floor(wide)}|${lines}|${k}`;
    if (box.prismPlace === place) return;
    box.prismPlace = place;
    const [left, top] = place.split("|");
    Object.assign(box.style, { transform: `translate(${left}px, ${top}px)`, width: `${Math.floor(wide)}px`, height: `${(lines === 2 ? 30 : 16) * k}px`, fontSize: `${12 * k}px` });
  }

  render() {
    const { app, journeys, sky } = this;
    const now = performance.now();
    this.refresh(now);
    journeys.step(now);
    const { neuron, instance, version } = app.filters;
    const isWanted = among(instance);
    const lit = (id) => {
      const node = this.nodes.get(id);
      if (neuron) return node?.raw === neuron;
      return !instance || Boolean(node?.instances?.some(isWanted) || node?.workers.some((each) => isWanted(each.instance)));
    };
    const connected = app.store.state?.synapse?.connected ?? false;
    sky.paint({ journeys, now, connected, standbys: this.standbys, lit, failed: (id) => this.failed.by.has(id), reduced: this.reduced.matches, key: `${version} ${connected}` });
    this.drawNote();
    this.list.render();
    const none = this.all.neurons.length + this.all.callers.length === 0;
    this.empty.hidden = !none;
    if (none) nothingYet(app, this.empty);
    return journeys.busy && !app.paused ? this.pace(now) : null;
  }

  /** Return when to paint again: in each frame, or less often where that takes too long. */
  pace(now) {
    const passed_ms = Math.min(100, now - (this.painted ?? now)) - (this.rest_ms ?? 0);
    this.painted = now;
    this.usual_ms = 0.9 * (this.usual_ms ?? 16) + 0.1 * passed_ms;
    this.rest_ms = this.usual_ms > SLOW_MS ? REST_MS : 0;
    return this.rest_ms;
  }

  drawNote() {
    const { seen, drawn } = this.journeys.ratio;
    const words = [];
    if (seen > drawn * 1.05 + 2) words.push(`Drawing 1 Signal in ${count(Math.max(2, Math.round(seen / Math.max(1, drawn))))}; all are counted`);
    if (this.reduced.matches) words.push("Reduced motion: paths glow, nothing flies");
    put(this.note, words.join("  ·  "));
  }

  point(star) {
    this.under = star;
    const { node = null, ask = null } = star ?? {};
    this.sky.canvas.classList.toggle("pointing", node !== null);
    this.tip.hidden = node === null && ask === null;
    if (this.tip.hidden) return;
    const facts = ask ? [["asked", partWords(ask)]] : [...factsOf(node, node.failure), ...this.edgeFacts(node.id)];
    this.tip.replaceChildren(el("h3", { class: "said", text: ask ? `${this.nameOf(ask.from)} → ${this.nameOf(ask.to)}` : node.name }), el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { class: "said", text: value })])));
    const left = star.out > 0 ? Math.max(8, star.x - star.node_px - 296) : Math.min(this.sky.width - 288, star.x + star.node_px + 16);
    const top = Math.max(8, Math.min(this.sky.height - this.tip.offsetHeight - 8, star.y - 24));
    this.tip.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** Filter all views by a node; again: no more. */
  pick(node) {
    const { filters } = this.app;
    if (!node) return;
    if (node.kind === "neuron") return filters.set({ neuron: filters.neuron === node.raw ? "" : node.raw, instance: "" });
    const instance = filters.instance.split(",").every((each) => node.instances.includes(each)) ? "" : node.instances.join(",");
    filters.set({ instance, neuron: "" }, { [instance]: node.label });
  }

  choose(at) {
    if (!this.items[at]) return;
    this.list.chosen = at;
    this.list.reveal(at);
    this.pick(this.items[at]);
  }

  /** Move the focus on the map if it is there, and in the table if not. */
  move(step) {
    const on = this.order.indexOf(document.activeElement?.prismId);
    if (on >= 0) {
      this.focused = this.order[(on + step + this.order.length) % this.order.length];
      for (const box of this.labels.children) {
        mark(box, "tabindex", box.prismId === this.focused ? 0 : -1);
        if (box.prismId === this.focused) box.focus();
      }
      return;
    }
    const next = this.list.chosen + step;
    if (next < 0 || next >= this.items.length) return;
    this.list.chosen = next;
    this.list.reveal(next);
    this.point(this.sky.stars.get(this.items[next].id) ?? null);
    this.app.ask();
  }

  get chosenNeuron() {
    return (this.nodes.get(document.activeElement?.prismId) ?? this.items[this.list.chosen])?.raw;
  }

  enter() {
    this.choose(this.list.chosen);
  }

  fill(row, at) {
    const node = this.items[at];
    if (!node) return;
    const [name, below, load, rate, errors] = row.children;
    const isNeuron = node.kind === "neuron";
    const isBad = node.state !== "alive" || node.failure;
    dress(row, `row ${isNeuron ? "neuron" : "group"}`);
    dress(name.firstChild, isNeuron ? `state st-${node.state === "missing" ? "gone" : node.state}` : "");
    put(name.lastChild, node.label);
    put(below, isNeuron && !isBad ? (node.total > 1 ? `${plural(node.total, "replica")}${node.replicas.gone ? `, ${count(node.replicas.gone)} gone` : ""}` : loadOf(node)) : node.sub);
    dress(below, `below said clip${node.failure || node.state === "gone" || node.state === "missing" ? " st-gone" : node.state === "stuck" ? " st-stuck" : ""}`);
    mark(row, "title", isBad ? node.sub : null);
    put(load, isNeuron ? `${count(node.running)}${node.queued ? ` +${count(node.queued)}` : ""}` : "");
    put(rate, isNeuron ? perSecond(node.rate) : "");
    put(errors, isNeuron ? count(node.errors) : "");
    dress(load, `right num${node.running || node.queued ? "" : " quiet"}`);
    dress(rate, `right num${node.rate ? "" : " quiet"}`);
    dress(errors, `right num${node.errors ? " st-gone" : " quiet"}`);
  }
}

/** What is wrong first, then what fails, then the rest as it stands. */
const rankOf = (node) => Math.floor(node.weight / 1e8);

const addressOf = (peer) => plain(peer.url ?? "").replace(/^\w+:\/\//, "");

function makeRow() {
  return el("div", {}, el("span", { class: "name said clip" }, el("span"), el("span")), el("span", { class: "below" }), el("span"), el("span"), el("span"));
}
