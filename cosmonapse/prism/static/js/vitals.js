// What is always in sight: the line of state, the work in figures, the filters, what this tab keeps.
import { dress, el, fit, mark, put } from "./dom.js";
import { count, perSecond, plain } from "./format.js";
import { stateOf } from "./nowrows.js";
import { story } from "./stateline.js";

/** Return the figures as [key, value, text, class if it is not zero, view]. Pure. */
export function figures({ tasks, open, causes, neurons, signals_per_s }) {
  const stuck = tasks.filter((task) => task.stuck).length;
  const asking = tasks.filter((task) => task.state === "asking").length;
  const failures = causes.reduce((sum, cause) => sum + cause.count, 0);
  const lacking = neurons.filter((neuron) => stateOf(neuron) !== "alive").length;
  const one = (value, text, many) => (value === 1 ? text : many);
  return [
    ["open", count(open), one(open, "task open", "tasks open"), "", "now"],
    ["stuck", count(stuck), "stuck", "st-gone", "now"],
    ["asking", count(asking), one(asking, "asks a person", "ask a person"), "k-question", "now"],
    ["failed", count(failures), one(failures, "failure in 10 min", "failures in 10 min"), "st-gone", "now"],
    ["neurons", count(lacking), one(lacking, "Neuron in trouble", "Neurons in trouble"), "st-gone", "now"],
    ["rate", perSecond(signals_per_s), "Signals/s", "", "signals"],
  ];
}

export class Vitals {
  constructor(app) {
    this.app = app;
    this.nodes = Object.fromEntries(["vitals", "chips", "link", "kept", "missed-tab", "missed-prism", "version", "where"].map((id) => [id, document.getElementById(id)]));
  }

  render() {
    this.drawState();
    this.drawFigures();
    this.drawChips();
    this.drawFoot();
  }

  drawState() {
    const { store, stream, liveSince } = this.app;
    const told = story({
      hello: store.hello, state: store.latest, stream, liveSince,
      missed: store.missed, missedAt: store.missedAt, prismMissed: store.latest?.missed ?? 0, prismMissedAt: store.prismMissedAt,
      pausedAt: store.pausedAt, waiting: store.waiting, at: store.liveTime(), tabAt: Date.now() / 1000,
    });
    const [text, more] = this.nodes.link.children;
    put(text, told.text);
    put(more, told.more);
    dress(this.nodes.link, `story ${told.level}`);
    // An old figure beside "Prism is gone" would be a second story.
    mark(this.nodes.vitals, "hidden", stream.downSince === null ? null : "");
  }

  drawFigures() {
    const { app } = this;
    const all = figures(app.store.now);
    const buttons = fit(this.nodes.vitals, all.length, () => el("button", { class: "figure", click: (event) => app.go(event.currentTarget.dataset.view) }, el("b", { class: "num" }), " ", el("span")));
    all.forEach(([key, value, text, name, view], at) => {
      const button = buttons[at];
      button.dataset.view = view;
      button.dataset.figure = key;
      put(button.firstChild, value);
      put(button.lastChild, text);
      dress(button, `figure ${name} ${value === "0" ? "zero" : "loud"}`);
    });
  }

  drawChips() {
    const { filters } = this.app;
    const all = filters.list();
    const key = JSON.stringify(all);
    if (key === this.chipsKey) return;
    this.chipsKey = key;
    this.nodes.chips.replaceChildren(...all.map(([name, value]) => el("button", { class: "chip", title: `Drop this filter: ${name} ${plain(value)}`, click: () => filters.drop(name) }, el("span", { class: "key", text: name }), el("span", { class: "clip said", text: plain(value) }), el("span", { class: "cross", text: "×", "aria-hidden": "true" }))));
    if (filters.neuron) this.nodes.chips.append(el("button", { class: "lnk", text: "Card", title: "What this Neuron takes and gives (i)", click: () => this.app.openCard(filters.neuron) }));
  }

  drawFoot() {
    const { nodes } = this;
    const { store } = this.app;
    const { hello } = store;
    put(nodes.kept, `${count(store.ring.size)} of ${count(hello?.kept ?? store.ring.capacity)} Signals kept`);
    mark(document.documentElement, "data-seen", store.seen);
    const missed = store.latest?.missed ?? 0;
    for (const [node, many, who] of [[nodes["missed-tab"], store.missed, "this tab"], [nodes["missed-prism"], missed, "Prism"]]) {
      put(node, `${count(many)} missed by ${who}`);
      mark(node, "hidden", many ? null : "");
    }
    put(nodes.version, hello ? `cosmonapse ${plain(hello.version ?? "")}` : "");
    put(nodes.where, hello ? `${plain(hello.namespace)} on ${plain(hello.url)}` : "");
    nodes.where.title = nodes.where.textContent;
    const title = hello ? `${plain(hello.namespace)} – Prism` : "Prism";
    if (document.title !== title) document.title = title;
  }
}
