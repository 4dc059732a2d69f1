// The view Map: who is there, and Signals on their way, with a list of the same beside it.
import { dress, el, put } from "./dom.js";
import { age, count, length, plain } from "./format.js";
import { Journeys } from "./journeys.js";
import { Places } from "./places.js";
import { Sky, loadOf } from "./sky.js";
import { VirtualList } from "./virtual.js";
import { nothingYet } from "./empty.js";

const STRANGER_S = 60;
const SLOW_MS = 26;
const REST_MS = 20;
const LEGEND = [["st", "alive", "alive"], ["st", "stuck", "stuck"], ["st", "draining", "draining"], ["st", "gone", "gone"], null, ["k", "task", "task"], ["k", "reply", "reply"], ["k", "error", "error"], ["k", "question", "question"], ["k", "stream", "thoughts"], ["k", "tool", "tools"], ["k", "auction", "bids"], ["k", "stop", "stop"]];

export class ConstellationView {
  constructor(app) {
    this.app = app;
    this.journeys = new Journeys();
    this.places = new Places();
    this.strangers = new Map();
    this.items = [];
    this.chosen = -1;
    this.stale = true;
    const canvas = el("canvas", { role: "img", "aria-label": "The Synapse in the middle, Dendrites around it; the list beside it says the same in words" });
    this.sky = new Sky(canvas);
    this.tip = el("div", { class: "tip", hidden: "" });
    this.note = el("div", { class: "sampling num", hidden: "" });
    this.empty = el("div", { class: "empty", hidden: "" });
    this.legend = el("div", { class: "legend", "aria-hidden": "true" }, ...LEGEND.map((each) => (each === null ? el("span", { class: "break" }) : el("span", { class: each[0] === "st" ? `state st-${each[1]}` : `dot k-${each[1]}` }, el("em", { text: each[2] })))));
    this.holder = el("div", { class: "sky" }, canvas, this.note, this.legend, this.tip, this.empty);
    this.list = new VirtualList({ row_px: 24, label: "Who is here", make: makeRow, fill: (row, at) => this.fill(row, at), choose: (at) => this.choose(at), ask: app.ask });
    this.count = el("span", { class: "count num" });
    const columns = el("div", { class: "columns", "aria-hidden": "true" }, el("span", { text: "Dendrite, its Neurons" }), el("span", { class: "right", text: "running" }), el("span", { class: "right", text: "seen" }));
    const roster = el("aside", { class: "roster", "aria-label": "Who is here" }, el("div", { class: "bar" }, el("h2", { text: "Who is here" }), el("span", { class: "gap" }), this.count), columns, this.list.el);
    this.el = el("section", { class: "map", "aria-label": "Map" }, this.holder, roster);
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(([{ contentRect }]) => {
      this.sky.resize(contentRect.width, contentRect.height);
      this.stale = true;
      app.ask();
    }).observe(this.holder);
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("click", () => this.pick(this.under));
    app.store.onRecords((records) => this.take(records));
  }

  retheme() {
    this.sky.retheme();
  }

  show() {
    this.journeys.clear();
    this.stale = true;
  }

  take(records) {
    const now_s = Date.now() / 1000;
    for (const record of records) if (record.caller) this.meet(record.caller, now_s);
    if (this.app.view !== this || this.app.paused || document.hidden) return;
    const wants = this.app.filters.any ? this.app.filters.matcher() : null;
    this.journeys.take(wants ? records.filter(wants) : records, performance.now(), (record) => this.hosts?.get(record.neuron) ?? null);
  }

  /** Note a caller; those that the state does not name are shown while they speak. */
  meet(instance, now_s) {
    this.strangers.delete(instance);
    this.strangers.set(instance, now_s);
    if (this.strangers.size > 64) this.strangers.delete(this.strangers.keys().next().value);
  }

  nodes() {
    const { store } = this.app;
    const nodes = store.dendrites().map((dendrite) => ({ instance: dendrite.instance, name: nameOf(dendrite), role: plain(dendrite.role ?? ""), neurons: dendrite.neurons, known: dendrite.neurons.length > 0 }));
    const known = new Set(nodes.map((node) => node.instance));
    const now_s = Date.now() / 1000;
    for (const [instance, seen_s] of this.strangers) {
      if (now_s - seen_s > STRANGER_S) this.strangers.delete(instance);
      else if (!known.has(instance)) nodes.push({ instance, name: nameOf({ instance }), role: "", neurons: [], known: false });
    }
    return nodes;
  }

  refresh() {
    const { store } = this.app;
    if (!this.stale && this.state === store.state && this.strangerCount === this.strangers.size) return;
    Object.assign(this, { stale: false, state: store.state, strangerCount: this.strangers.size });
    const nodes = this.nodes();
    this.homeless = this.places.update(nodes.map((node) => ({ id: node.instance, side: node.neurons.length ? "right" : "left" })));
    this.sky.lay(nodes, this.places);
    this.laid = (this.laid ?? 0) + 1;
    this.hosts = new Map(nodes.flatMap((node) => node.neurons.filter((each) => each.state !== "gone").map((each) => [each.neuron_id, node.instance])));
    this.items = nodes
      .sort((a, b) => (b.neurons.length > 0) - (a.neurons.length > 0) || a.name.localeCompare(b.name))
      .flatMap((node) => [{ node, neuron: null }, ...node.neurons.map((neuron) => ({ node, neuron }))]);
    this.list.resize(this.items.length);
    const alive = store.neurons().filter(({ neuron }) => neuron.state === "alive").length;
    put(this.count, `${count(nodes.length)} Dendrites, ${count(alive)} Neurons alive`);
  }

  render() {
    const { app, journeys, sky } = this;
    const now = performance.now();
    this.refresh();
    journeys.step(now);
    const { neuron, instance } = app.filters;
    const lit = (node, each) => (!instance || node.instance === instance) && (!neuron || (each ? each.neuron_id === neuron : node.neurons.some((one) => one.neuron_id === neuron)));
    const rate = app.store.now.total_rate?.at(-1) ?? 0;
    const connected = app.store.state?.synapse?.connected ?? false;
    const key = `${this.laid} ${app.filters.version} ${rate} ${connected}`;
    sky.paint({ journeys, now, rate, connected, lit, reduced: this.reduced.matches, key });
    this.drawNote();
    this.list.render();
    const none = this.items.length === 0;
    this.empty.hidden = !none;
    if (none) nothingYet(app, this.empty);
    this.legend.hidden = none;
    sky.canvas.hidden = none;
    if (this.under) this.drawTip();
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
    if (this.homeless) words.push(`${count(this.homeless)} Dendrites have no room here; the list has all`);
    if (this.reduced.matches) words.push("Reduced motion: paths glow, nothing flies");
    this.note.hidden = words.length === 0;
    put(this.note, words.join("  ·  "));
  }

  point(event) {
    this.under = event === null ? null : this.sky.at(event.offsetX, event.offsetY);
    this.sky.canvas.classList.toggle("pointing", this.under !== null);
    this.tip.hidden = this.under === null;
    if (this.under) this.drawTip();
  }

  drawTip() {
    const { star, neuron, x, y } = this.under;
    const { node } = star;
    const key = `${node.instance}|${neuron?.neuron_id}|${this.state?.at}`;
    if (this.tip.prismKey !== key) {
      this.tip.prismKey = key;
      const fresh = neuron && node.neurons.find((each) => each.neuron_id === neuron.neuron_id);
      const rows = fresh ? neuronFacts(fresh, node) : [["kind", node.neurons.length ? "Dendrite" : "Dendrite without Neurons"], ["role", node.role], ["Neurons", node.neurons.map((each) => plain(each.neuron_id)).join(", ")], ["instance", node.instance.slice(0, 12)]];
      const list = el("dl");
      for (const [name, value] of rows) if (value !== "" && value !== null && value !== undefined) list.append(el("dt", { text: name }), el("dd", { class: "said", text: String(value) }));
      this.tip.replaceChildren(el("h3", { class: "said", text: plain(neuron?.neuron_id ?? node.name) }), list);
    }
    const left = x + 320 > this.sky.width ? x - 300 : x + 24;
    const top = Math.max(8, Math.min(this.sky.height - this.tip.offsetHeight - 8, y + 24));
    this.tip.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
  }

  pick(found) {
    const { filters } = this.app;
    if (!found) return;
    if (found.neuron) filters.set({ neuron: filters.neuron === found.neuron.neuron_id ? "" : found.neuron.neuron_id, instance: "" });
    else this.only(found.star.node);
  }

  only(node) {
    const { filters } = this.app;
    filters.set({ instance: filters.instance === node.instance ? "" : node.instance, neuron: "" }, { [node.instance]: node.name });
  }

  choose(at) {
    const item = this.items[at];
    if (!item) return;
    this.list.chosen = at;
    this.list.reveal(at);
    if (item.neuron) this.pick({ star: { node: item.node }, neuron: item.neuron });
    else this.only(item.node);
  }

  move(step) {
    const next = this.list.chosen + step;
    if (next < 0 || next >= this.items.length) return;
    this.list.chosen = next;
    this.list.reveal(next);
    this.app.ask();
  }

  enter() {
    this.choose(this.list.chosen);
  }

  fill(row, at) {
    const { node, neuron } = this.items[at] ?? {};
    if (!node) return;
    const [name, figures, seen] = row.children;
    const [state, text] = name.children;
    dress(row, `row ${neuron ? "neuron" : "group"}`);
    dress(state, neuron ? `state st-${neuron.state}` : "");
    put(text, neuron ? `${plain(neuron.neuron_id)}${neuron.state === "alive" ? "" : `  ${neuron.state}${neuron.reason ? `: ${plain(neuron.reason)}` : ""}`}` : node.name);
    text.title = neuron?.reason ?? "";
    put(figures, neuron ? `${neuron.running ?? 0}${neuron.concurrency ? `/${neuron.concurrency}` : ""}${neuron.queued ? ` +${neuron.queued}` : ""}` : node.role);
    put(seen, neuron ? age(neuron.last_seen_s) : "");
  }
}

/** A Dendrite without Neurons never says its name: it is called after what it does. */
function nameOf({ instance, dendrite_id: id }) {
  return id && !instance.startsWith(id) ? plain(id) : `caller ${instance.slice(0, 6)}`;
}

function neuronFacts(neuron, node) {
  return [
    ["state", neuron.state],
    ["why", neuron.reason && plain(neuron.reason)],
    ["kind", `Neuron on ${node.name}`],
    ["offers", (neuron.capabilities ?? []).map(plain).join(", ") || "nothing by name"],
    ["version", neuron.version && plain(neuron.version)],
    ["load", loadOf(neuron)],
    ["open", neuron.open],
    ["loop lag", Number.isFinite(neuron.loop_lag_ms) ? length(neuron.loop_lag_ms / 1000) : null],
    ["last seen", `${age(neuron.last_seen_s)} ago`],
  ];
}

function makeRow() {
  return el("div", {}, el("span", { class: "clip said" }, el("span"), el("span")), el("span", { class: "figures-of num clip" }), el("span", { class: "seen num" }));
}
