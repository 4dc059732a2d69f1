// The view Fabric: the Synapse and its standbys, everybody who is connected, rates and latencies.
import { dress, el, fit, put } from "./dom.js";
import { count, length, perSecond, plain, plural } from "./format.js";
import { Chart } from "./charts.js";
import { counterGroups, dendriteCells, dendriteState, dendritesOf, isA, replicaCells, replicasOf, synapsesOf, whyBelow } from "./fabricrows.js";
import { Table } from "./table.js";
import { isEmpty } from "./empty.js";

const EVERY_MS = 500;
const ALL = "";
const column = (name, head, look = "") => ({ name, head, class: look });

export class FabricView {
  constructor(app) {
    this.app = app;
    this.picked = null;
    this.drawn = 0;
    this.cards = {};
    this.dendrites = new Table("Dendrites", [column("state", "state"), column("name", "Dendrite"), column("does", "what it does"), column("serves", "its Neurons"), column("open", "open tasks", "right"), column("seen", "for", "right")], (dendrite) => this.alone(dendrite));
    this.replicas = new Table("Neurons", [column("state", "state"), column("name", "neuron"), column("on", "on Dendrite"), column("load", "running", "right"), column("queue", "queue", "right"), column("lag", "loop lag", "right"), column("seen", "heard", "right")], ({ neuron }) => app.filters.set({ neuron: neuron.neuron_id }));
    this.picks = new Table("Neurons to chart", [column("name", "neuron"), column("rate", "now", "right"), column("errors", "errors", "right")], (item) => this.pick(item.id));
    const rate = el("div", { class: "plot" });
    const latency = el("div", { class: "plot" });
    this.rateChart = new Chart(rate, [["rate", "--t-task"]]);
    this.latencyChart = new Chart(latency, [["p50", "--t-reply"], ["p99", "--t-stream"]]);
    this.rateTitle = el("figcaption");
    this.latencyTitle = el("figcaption", {}, el("span"), el("b", { class: "k-reply num" }), el("b", { class: "k-stream num" }));
    this.synapses = el("ul", { class: "synapses" });
    this.counters = el("div", { class: "counters" });
    const charts = el("div", { class: "charts" }, el("div", { class: "pick" }, this.picks.el), el("figure", {}, this.rateTitle, rate), el("figure", {}, this.latencyTitle, latency));
    this.grid = el("div", { class: "fabric", tabindex: "0", role: "group", "aria-label": "Fabric" },
      this.card("synapse", "Synapse", this.synapses),
      this.card("charts", "Rate and latency, last two minutes", charts),
      this.card("dendrites", "Dendrites, who is connected", el("div", { class: "scroll" }, this.dendrites.el)),
      this.card("replicas", "Neurons, each replica", el("div", { class: "scroll" }, this.replicas.el)),
      this.card("figures", "Counters", this.counters));
    this.tables = [this.dendrites, this.replicas, this.picks];
    this.empty = el("div", { class: "empty", hidden: "" });
    this.el = el("section", { "aria-label": "Fabric" }, this.grid, this.empty);
  }

  card(name, title, body) {
    this.cards[name] = el("span", { class: "count num" });
    return el("div", { class: `card of-${name}` }, el("header", {}, el("h2", { text: title }), this.cards[name]), body);
  }

  /** A caller leads to its traces, everybody else to what it says. */
  alone(dendrite) {
    const who = { instance: dendrite.instance, name: plain(dendrite.dendrite_id ?? dendrite.instance.slice(0, 8)) };
    if (isA(dendrite, "caller")) this.app.openCaller(who);
    else this.app.filters.set({ instance: who.instance }, { [who.instance]: who.name });
  }

  show() {
    this.drawn = 0;
  }

  retheme() {
    this.rateChart.retheme();
    this.latencyChart.retheme();
  }

  pick(id) {
    this.picked = id;
    this.drawn = 0;
    this.app.ask();
  }

  render(at) {
    if (at - this.drawn < EVERY_MS && this.drawn) return EVERY_MS - (at - this.drawn);
    this.drawn = at;
    const { store } = this.app;
    // Prism itself is one that watches.
    const none = store.dendrites().every((each) => each.does === "watcher") && store.ring.size === 0;
    if (isEmpty(this, none)) return null;
    this.drawSynapses(store.state?.synapse);
    this.drawDendrites(store.dendrites());
    this.drawReplicas(store.dendrites());
    this.drawCharts(store.now);
    this.drawCounters(store);
    return null;
  }

  drawSynapses(synapse) {
    const all = synapsesOf(synapse);
    const rows = fit(this.synapses, all.length, () => el("li", {}, el("span", { class: "does" }), el("code", { class: "said" }), el("span", { class: "quiet" })));
    all.forEach(({ url, does, isBad, more }, at) => {
      const [word, place, rest] = rows[at].children;
      put(word, does);
      dress(word, `does state ${isBad ? "st-gone" : "st-alive"}`);
      put(place, url);
      put(rest, more);
    });
    put(this.cards.synapse, all.length > 1 ? `${plural(all.length - 1, "other")} of the same fabric` : "no standby");
  }

  drawDendrites(dendrites) {
    const all = dendritesOf(dendrites);
    const many = (kind) => plural(all.filter((each) => dendriteState(each) !== "gone" && isA(each, kind)).length, kind);
    put(this.cards.dendrites, `${many("caller")}, ${many("worker")}, ${many("watcher")}`);
    this.dendrites.fill(all, dendriteCells, { below: whyBelow, look: (each) => (["gone", "stuck"].includes(dendriteState(each)) ? "loud" : "") });
  }

  drawReplicas(dendrites) {
    const all = replicasOf(dendrites).filter(({ neuron }) => this.app.filters.wants(neuron.neuron_id));
    const alive = all.filter(({ neuron }) => neuron.state === "alive").length;
    put(this.cards.replicas, `${count(alive)} of ${count(all.length)} alive`);
    this.replicas.fill(all, replicaCells, { below: ({ neuron }) => whyBelow(neuron), look: ({ neuron }) => (["gone", "stuck"].includes(neuron.state) ? "loud" : "") });
  }

  drawCharts(now) {
    const ids = Object.keys(now.series).filter((id) => this.app.filters.wants(id)).sort();
    if (this.picked !== ALL && !ids.includes(this.picked)) this.picked = ids[0] ?? ALL;
    const newest = (series) => `${perSecond(series?.at(-1) ?? 0)}/s`;
    const items = [{ id: ALL, name: "everything", rate: newest(now.total_rate), errors: 0 }, ...ids.map((id) => ({ id, name: plain(id), rate: newest(now.series[id].rate), errors: now.series[id].errors }))];
    this.picks.fill(items, (item) => [item.name, item.rate, { text: item.id === ALL ? "" : count(item.errors), class: item.errors ? "bad" : "quiet" }], { look: (item) => (item.id === this.picked ? "chosen" : "") });
    const one = now.series[this.picked];
    put(this.rateTitle, one ? `${plain(this.picked)}: replies per second` : "everything: Signals per second");
    const last = (series) => [...(series ?? [])].reverse().find((value) => value !== null && value !== undefined);
    const ms = (value) => (value === undefined ? "–" : length(value / 1000));
    const [name, p50, p99] = this.latencyTitle.children;
    put(name, one ? `${plain(this.picked)}: time to reply in ms` : "time to reply: choose a neuron");
    put(p50, one ? `p50 ${ms(last(one.p50_ms))}` : "");
    put(p99, one ? `p99 ${ms(last(one.p99_ms))}` : "");
    this.rateChart.draw([one ? one.rate : now.total_rate]);
    this.latencyChart.draw(one ? [one.p50_ms, one.p99_ms] : [[], []]);
  }

  drawCounters({ state, latest, missed }) {
    const own = [["missed by Prism", latest?.missed ?? 0, true], ["missed by this tab", missed, true], ["too old to be kept", state?.evicted ?? 0, false]];
    const groups = counterGroups(state?.synapse?.counters ?? {}, own);
    const boxes = fit(this.counters, groups.length, () => el("section", {}, el("h3"), el("dl")));
    groups.forEach(({ title, figures }, at) => {
      const [head, list] = boxes[at].children;
      put(head, title);
      const rows = fit(list, figures.length, () => el("div", {}, el("dt"), el("dd", { class: "num" }, el("b"), " ", el("small"))));
      figures.forEach(({ name, value, grew, isBad }, place) => {
        const [term, figure] = rows[place].children;
        put(term, name);
        put(figure.firstChild, value);
        put(figure.lastChild, grew ? `+${count(grew)} in the last minute` : "");
        dress(figure, isBad ? "num bad" : value === "0" ? "num quiet" : "num");
      });
    });
  }

  /** Move in the table that has the focus; else scroll. */
  move(step) {
    const table = this.tables.find((each) => each.hasFocus);
    if (table) table.focus(step);
    else this.grid.scrollBy(0, step * 48);
  }

  enter() {}
}
