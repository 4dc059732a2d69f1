// What is always in sight: the four questions as figures, the filters, the counts, the links.
import { dress, el, fit, mark, put } from "./dom.js";
import { age, count, perSecond, plain, seconds } from "./format.js";

const STUCK_S = 30;

/** Return the figures as [key, text, value, class, view]. */
function figures(store, rate) {
  const states = { alive: 0, stuck: 0, gone: 0, draining: 0 };
  for (const { neuron } of store.neurons()) if (neuron.state in states) states[neuron.state] += 1;
  const tasks = store.now.tasks;
  const open = tasks.length + store.now.more;
  const old = tasks.filter((task) => task.age_s >= STUCK_S).length;
  const failed = store.now.causes.reduce((sum, each) => sum + each.count, 0);
  return [
    ["alive", "alive", states.alive, "", "fabric"],
    ["stuck", "stuck", states.stuck, "st-stuck", "now"],
    ["gone", "gone", states.gone, "st-gone", "now"],
    ["open", "tasks open", open, "", "traces"],
    ["old", `over ${STUCK_S} s`, old, "st-stuck", "now"],
    ["failed", "failed", failed, "st-gone", "now"],
    ["rate", "Signals/s", rate, "", "signals"],
  ];
}

export class Vitals {
  constructor(app) {
    this.app = app;
    this.nodes = Object.fromEntries(["vitals", "chips", "link", "kept", "missed-tab", "missed-prism", "version", "where", "banner"].map((id) => [id, document.getElementById(id)]));
    this.synapseGoneAt = null;
  }

  render() {
    this.drawFigures();
    this.drawChips();
    this.drawFoot();
    this.drawBanner();
  }

  drawFigures() {
    const { app } = this;
    const rate = app.store.now.signals_per_s;
    const all = figures(app.store, rate);
    const buttons = fit(this.nodes.vitals, all.length, () => el("button", { class: "figure", on: { click: (event) => app.go(event.currentTarget.dataset.view) } }, el("b", { class: "num" }), el("span")));
    all.forEach(([key, text, value, name, view], at) => {
      const button = buttons[at];
      button.dataset.view = view;
      button.dataset.figure = key;
      put(button.firstChild, key === "rate" ? perSecond(value) : count(value));
      put(button.lastChild, text);
      dress(button, `figure ${name} ${value ? "loud" : "zero"}`);
    });
  }

  drawChips() {
    const { filters } = this.app;
    const all = filters.list();
    const key = JSON.stringify(all);
    if (key === this.chipsKey) return;
    this.chipsKey = key;
    this.nodes.chips.replaceChildren(...all.map(([name, value]) => el("button", { class: "chip", title: `Drop this filter: ${name} ${plain(value)}`, on: { click: () => filters.drop(name) } }, el("span", { class: "key", text: name }), el("span", { class: "clip said", text: plain(value) }), el("span", { class: "cross", text: "×", "aria-hidden": "true" }))));
  }

  drawFoot() {
    const { app, nodes } = this;
    const { store, stream } = app;
    const { hello } = store;
    const up = stream.downSince === null && hello !== null;
    put(nodes.link, up ? `Live since ${seconds(app.liveSince)}` : hello === null && stream.downSince === null ? "Connecting" : `Prism gone since ${seconds(stream.downSince)}`);
    dress(nodes.link, `link ${up ? "up" : "down"}`);
    put(nodes.kept, store.held === null ? `${count(store.ring.size)} of ${count(hello?.kept ?? store.ring.capacity)} Signals kept` : `Paused: ${count(store.waiting)} waiting`);
    mark(document.documentElement, "data-seen", store.seen);
    put(nodes["missed-tab"], `${count(store.missed)} missed by this tab`);
    dress(nodes["missed-tab"], store.missed ? "num bad" : "num");
    const missed = store.state?.missed ?? 0;
    put(nodes["missed-prism"], `${count(missed)} missed by Prism`);
    dress(nodes["missed-prism"], missed ? "num bad" : "num");
    put(nodes.version, hello ? `cosmonapse ${plain(hello.version ?? "")}` : "");
    put(nodes.where, hello ? `${plain(hello.namespace)} on ${plain(hello.url)}` : "");
    nodes.where.title = nodes.where.textContent;
    const title = hello ? `${plain(hello.namespace)} – Prism` : "Prism";
    if (document.title !== title) document.title = title;
  }

  drawBanner() {
    const { store, stream } = this.app;
    const synapse = store.latest?.synapse;
    const isGone = stream.downSince === null && synapse !== undefined && !synapse.connected;
    if (!isGone) this.synapseGoneAt = null;
    else this.synapseGoneAt ??= Date.now() / 1000;
    const since = stream.downSince ?? this.synapseGoneAt;
    this.nodes.banner.hidden = since === null;
    if (since === null) return;
    if (stream.displacedBy !== null) {
      put(this.nodes.banner, `This tab made room for a newer one: Prism shows ${stream.displacedBy} at a time. Reload the page to show it here again.`);
      return;
    }
    if (stream.wantsToken) {
      put(this.nodes.banner, "Prism wants its token. It makes a new one at each start: open the address that it printed.");
      return;
    }
    if (store.hello === null) {
      put(this.nodes.banner, `No word from Prism since ${seconds(since)}. Is it running? A browser opens six connections to one server: if that many tabs show it, close one.`);
      return;
    }
    const who = stream.downSince !== null ? "Prism is gone" : "The Synapse is gone";
    const why = isGone && synapse.reason ? ` (${plain(synapse.reason)})` : "";
    const lasts = age(Date.now() / 1000 - since);
    put(this.nodes.banner, `${who} since ${seconds(since)}, ${lasts}${why}. Trying again; what was seen stays here.`);
  }
}
