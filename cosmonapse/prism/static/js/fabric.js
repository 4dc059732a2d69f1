// The view Fabric: who is alive, rates and latencies, the counters of the Synapse.
import { dress, el, fit, put } from "./dom.js";
import { age, count, length, perSecond, plain } from "./format.js";
import { Chart } from "./charts.js";
import { Table } from "./table.js";
import { nothingYet } from "./empty.js";

const ORDER = { stuck: 0, gone: 1, draining: 2, away: 3, alive: 4 };
const EVERY_MS = 500;
const ALL = "";

export class FabricView {
  constructor(app) {
    this.app = app;
    this.picked = null;
    this.drawn = 0;
    const alone = (id) => id && app.filters.set({ neuron: id });
    this.alive = new Table("Neurons", [["state", "", "96px"], ["neuron", "", ""], ["dendrite", "", "22%"], ["load", "right", "72px"], ["lag", "right", "80px"], ["seen", "right", "88px"]], ({ neuron }) => alone(neuron.neuron_id));
    this.picks = new Table("Neurons to chart", [["neuron", "", ""], ["now/s", "right", "64px"], ["errors", "right", "56px"]], (item) => this.pick(item.id));
    this.cards = {};
    const rate = el("div", { class: "plot" });
    const latency = el("div", { class: "plot" });
    this.rateChart = new Chart(rate, [["rate", "--t-task"]], "/s");
    this.latencyChart = new Chart(latency, [["p50", "--t-reply"], ["p99", "--t-question"]], "ms");
    this.rateTitle = el("figcaption");
    this.latencyTitle = el("figcaption", {}, el("span"), el("b", { class: "k-reply num" }), el("b", { class: "k-question num" }));
    this.fabric = el("dl", { class: "fabric" });
    this.grid = el("div", { class: "fabric-view", tabindex: "0", "aria-label": "Fabric" },
      this.card("alive", "Who is alive", this.alive.el),
      this.wide("charts", "Rate and latency, last two minutes", el("div", { class: "charts" }, el("div", { class: "pick" }, this.picks.el), el("figure", {}, this.rateTitle, rate), el("figure", {}, this.latencyTitle, latency))),
      this.wide("fabric", "The fabric itself", this.fabric));
    this.empty = el("div", { class: "empty", hidden: "" });
    this.el = el("section", { "aria-label": "Fabric" }, this.grid, this.empty);
  }

  card(key, title, table) {
    const counted = el("span", { class: "count num" });
    const card = el("div", { class: "card" }, el("header", {}, el("h2", { text: title }), counted), el("div", { class: "scroll" }, table));
    this.cards[key] = { el: card, counted };
    return card;
  }

  wide(key, title, body) {
    const counted = el("span", { class: "count num" });
    const card = el("div", { class: "card wide" }, el("header", {}, el("h2", { text: title }), counted), body);
    this.cards[key] = { el: card, counted };
    return card;
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
    const { now } = store;
    const none = store.neurons().length === 0 && store.ring.size === 0;
    this.empty.hidden = !none;
    this.grid.hidden = none;
    if (none) {
      nothingYet(this.app, this.empty);
      return null;
    }
    this.drawAlive();
    this.drawCharts(now);
    this.drawFabric();
    return null;
  }

  wanted(neuron) {
    const only = this.app.filters.neuron;
    return !only || neuron === only;
  }

  drawAlive() {
    const all = this.app.store.neurons().filter(({ neuron }) => this.wanted(neuron.neuron_id));
    all.sort((a, b) => (ORDER[a.neuron.state] ?? 3) - (ORDER[b.neuron.state] ?? 3) || `${a.neuron.neuron_id}`.localeCompare(`${b.neuron.neuron_id}`) || `${a.dendrite.dendrite_id}`.localeCompare(`${b.dendrite.dendrite_id}`));
    const alive = all.filter(({ neuron }) => neuron.state === "alive").length;
    put(this.cards.alive.counted, `${count(alive)} of ${count(all.length)} alive`);
    this.alive.fill(all, ({ dendrite, neuron }) => [
      [neuron.state, `state st-${neuron.state}`],
      [neuron.reason ? `${plain(neuron.neuron_id)}  (${plain(neuron.reason)})` : plain(neuron.neuron_id), "", neuron.reason ? plain(neuron.reason) : `offers ${(neuron.capabilities ?? []).map(plain).join(", ") || "nothing by name"}`],
      [plain(dendrite.dendrite_id ?? ""), "", `instance ${dendrite.instance}`],
      `${neuron.running ?? 0}${neuron.concurrency ? `/${neuron.concurrency}` : ""}${neuron.queued ? ` +${neuron.queued}` : ""}`,
      [Number.isFinite(neuron.loop_lag_ms) ? length(neuron.loop_lag_ms / 1000) : "–", neuron.loop_lag_ms > 100 ? "warn" : ""],
      age(neuron.last_seen_s),
    ]);
  }

  drawCharts(now) {
    const ids = Object.keys(now.series).filter((id) => this.wanted(id)).sort();
    if (this.picked !== ALL && !ids.includes(this.picked)) this.picked = ids[0] ?? ALL;
    const newest = (series) => perSecond(series?.at(-1) ?? 0);
    const items = [{ id: ALL, name: "everything", rate: newest(now.total_rate), errors: "" }, ...ids.map((id) => ({ id, name: plain(id), rate: newest(now.series[id].rate), errors: count(now.series[id].errors) }))];
    this.picks.fill(items, (item) => [item.name, item.rate, [item.errors, item.errors !== "" && item.errors !== "0" ? "k-error" : "quiet"]], (item) => item.id === this.picked);
    const one = now.series[this.picked];
    put(this.rateTitle, one ? `${plain(this.picked)}: tasks per second` : "everything: Signals per second");
    const last = (series) => [...(series ?? [])].reverse().find((value) => value !== null && value !== undefined);
    const ms = (value) => (value === undefined ? "–" : length(value / 1000));
    const [name, p50, p99] = this.latencyTitle.children;
    put(name, one ? `${plain(this.picked)}: time to reply in ms` : "time to reply: choose a neuron");
    put(p50, one ? `p50 ${ms(last(one.p50_ms))}` : "");
    put(p99, one ? `p99 ${ms(last(one.p99_ms))}` : "");
    this.rateChart.draw([one ? one.rate : now.total_rate]);
    this.latencyChart.draw(one ? [one.p50_ms, one.p99_ms] : [[], []]);
  }

  drawFabric() {
    const { store } = this.app;
    const { state } = store;
    const figures = [["missed by Prism", state?.missed ?? 0, true], ["missed by this tab", store.missed, true], ["no longer kept", state?.evicted ?? 0, false], ...counters(state?.synapse?.counters ?? {})];
    const boxes = fit(this.fabric, figures.length, () => el("div", {}, el("dt"), el("dd", { class: "num" })));
    figures.forEach(([name, value, isBad], at) => {
      const [term, figure] = boxes[at].children;
      put(term, plain(name));
      put(figure, typeof value === "number" ? (name === "uptime s" ? age(value) : count(Math.round(value * 10) / 10)) : value === true ? "yes" : value === false ? "no" : plain(value));
      dress(figure, isBad && value > 0 ? "num warn" : "num");
    });
    const synapse = state?.synapse;
    put(this.cards.fabric.counted, synapse ? `${plain(synapse.url ?? "")}  ${synapse.connected ? "connected" : `gone: ${plain(synapse.reason ?? "no reason given")}`}` : "");
  }

  move(step) {
    this.grid.scrollBy(0, step * 48);
  }

  enter() {}
}

const BAD = /drop|lost|gap|miss|expired|refus|error|overload/i;

/** Flatten the Synapse's counters to [name, value, whether any is bad], at most 48. */
function counters(tree, prefix = "") {
  const found = [];
  for (const [key, value] of Object.entries(tree)) {
    const name = `${prefix}${key.replaceAll(/[_.]/g, " ")}`;
    if (value !== null && typeof value === "object") found.push(...counters(value, `${name} `));
    else found.push([name, value ?? "–", BAD.test(name)]);
  }
  return found.slice(0, 48);
}
