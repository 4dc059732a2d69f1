// The view Now, the front page: what runs, and what failed and why.
import { el, put } from "./dom.js";
import { age, count, plain, seconds, short } from "./format.js";
import { Table } from "./table.js";
import { nothingYet } from "./empty.js";

const EVERY_MS = 500;

export class NowView {
  constructor(app) {
    this.app = app;
    this.drawn = 0;
    this.tasks = new Table("Open tasks", [["age", "right", "88px"], ["neuron", "", ""], ["state", "", "88px"], ["trace", "mono", "96px"]], (task) => app.openTrace(task.trace_id));
    this.causes = new Table("Errors", [["times", "right", "64px"], ["code", "", "184px"], ["message", "", ""], ["neuron", "", "16%"], ["last", "right", "104px"]], (cause) => app.openTrace(cause.trace_id));
    this.cards = {};
    this.grid = el("div", { class: "now", tabindex: "0", "aria-label": "Now" },
      this.card("tasks", "Open tasks, oldest first", this.tasks.el, "Nothing is open: every task has its reply."),
      this.card("causes", "What failed and why", this.causes.el, "Nothing failed as far back as Prism looks."));
    this.empty = el("div", { class: "empty", hidden: "" });
    this.el = el("section", { "aria-label": "Now" }, this.grid, this.empty);
  }

  card(key, title, table, none) {
    const counted = el("span", { class: "count num" });
    const nothing = el("p", { class: "none", text: none, hidden: "" });
    this.cards[key] = { counted, nothing, table };
    return el("div", { class: "card" }, el("header", {}, el("h2", { text: title }), counted), el("div", { class: "scroll" }, nothing, table));
  }

  show() {
    this.drawn = 0;
  }

  render(at) {
    if (at - this.drawn < EVERY_MS && this.drawn) return EVERY_MS - (at - this.drawn);
    this.drawn = at;
    const { store } = this.app;
    const { now } = store;
    const none = store.neurons().length === 0 && !now.tasks.length && !now.causes.length && store.ring.size === 0;
    this.empty.hidden = !none;
    this.grid.hidden = none;
    if (none) {
      nothingYet(this.app, this.empty);
      return null;
    }
    this.drawTasks(now);
    this.drawCauses(now);
    return null;
  }

  wanted(neuron) {
    const only = this.app.filters.neuron;
    return !only || neuron === only;
  }

  drawTasks(now) {
    const tasks = now.tasks.filter((task) => this.wanted(task.neuron));
    const { counted, nothing, table } = this.cards.tasks;
    put(counted, tasks.length ? `${count(tasks.length + now.more)} open` : "");
    nothing.hidden = tasks.length > 0;
    table.hidden = tasks.length === 0;
    this.tasks.fill(tasks, (task) => [[age(task.age_s), task.age_s >= 30 ? "warn" : ""], plain(task.neuron ?? ""), task.state, [short(task.trace_id), "lnk"]]);
  }

  drawCauses(now) {
    const causes = now.causes.filter((cause) => this.wanted(cause.neuron));
    const { counted, nothing, table } = this.cards.causes;
    put(counted, causes.length ? `${count(causes.length)} messages, ${count(causes.reduce((sum, each) => sum + each.count, 0))} times` : "");
    nothing.hidden = causes.length > 0;
    table.hidden = causes.length === 0;
    this.causes.fill(causes, (cause) => [count(cause.count), [plain(cause.code ?? ""), "k-error"], [plain(cause.message ?? ""), "", plain(cause.message ?? "").slice(0, 500)], plain(cause.neuron ?? ""), seconds(cause.last_ts)]);
  }

  move(step) {
    this.grid.scrollBy(0, step * 48);
  }

  enter() {}
}
