// The view Now, the front page: what runs, what fails and why, and how the Neurons are.
import { dress, el, fit, mark, put } from "./dom.js";
import { count, plural } from "./format.js";
import { callersOf, causeBelow, causeCells, neuronBelow, neuronCells, stateOf, taskBelow, taskCells } from "./nowrows.js";
import { Table } from "./table.js";
import { isEmpty } from "./empty.js";

const EVERY_MS = 500;
const CALLERS_SHOWN = 12;
const ORDER = { missing: 0, stuck: 1, gone: 2, draining: 3, away: 4, alive: 5 };
const column = (name, head, look = "", act = null) => ({ name, head, class: look, act });

export class NowView {
  constructor(app) {
    this.app = app;
    this.drawn = 0;
    this.cards = {};
    this.tasks = new Table("Running tasks", [
      column("state", "state"), column("age", "age", "right"), column("caller", "caller", "", (task) => task.caller && app.openCaller(task.caller)),
      column("neuron", "→ neuron"), column("worker", "@ worker"), column("prompt", "prompt"), column("first", "first thought", "right"),
      column("queue", "queued", "right"), column("deadline", "deadline", "right"), column("pieces", "so far", "right"),
    ], (task) => app.openTrace(task.trace_id));
    this.causes = new Table("Failures by root cause", [
      column("times", "times", "right"), column("who", "neuron"), column("code", "error"), column("rate", "rate", "right"), column("last", "last", "right"), column("trace", "latest"),
    ], (cause) => app.openTrace(cause.trace_id));
    this.neurons = new Table("Neurons", [
      column("id", "neuron", "", (neuron) => app.openCard(neuron.neuron_id)), column("replicas", "replicas"), column("load", "load"), column("queue", "queue", "right"), column("rate", "replies", "right"), column("errors", "errors", "right"), column("p99", "p99", "right"),
    ], (neuron) => app.filters.set({ neuron: neuron.neuron_id }));
    this.callers = el("div", { class: "callers", role: "group", "aria-label": "Callers" });
    this.grid = el("div", { class: "now" },
      this.card("tasks", "What runs", this.tasks, "Nothing runs: every task has its reply.", el("span", { class: "asking count", text: "callers" }), this.callers),
      this.card("causes", "What fails, by root cause", this.causes, "Nothing failed in the last 10 minutes."),
      this.card("neurons", "Neurons", this.neurons, "No Neuron has joined yet."));
    this.tables = [this.tasks, this.causes, this.neurons];
    this.empty = el("div", { class: "empty", hidden: "" });
    this.el = el("section", { "aria-label": "Now" }, this.grid, this.empty);
  }

  card(name, title, table, none, ...more) {
    const counted = el("span", { class: "count num" });
    const nothing = el("p", { class: "none", text: none });
    this.cards[name] = { counted, nothing, table: table.el };
    return el("div", { class: `card of-${name}` }, el("header", {}, el("h2", { text: title }), counted, ...more), el("div", { class: "scroll" }, nothing, table.el));
  }

  /** Say how many there are, or that there is nothing. */
  head(name, many, text) {
    const { counted, nothing, table } = this.cards[name];
    put(counted, many ? text : "");
    nothing.hidden = many > 0;
    table.hidden = many === 0;
  }

  show() {
    this.drawn = 0;
  }

  render(at) {
    if (at - this.drawn < EVERY_MS && this.drawn) return EVERY_MS - (at - this.drawn);
    this.drawn = at;
    const { store } = this.app;
    const { now } = store;
    const none = store.neurons().length === 0 && !now.neurons.length && !now.tasks.length && !now.causes.length && store.ring.size === 0;
    if (isEmpty(this, none)) return null;
    this.drawTasks(now);
    this.drawCauses(now);
    this.drawNeurons(now);
    this.drawCallers(now);
    return null;
  }

  drawTasks(now) {
    const tasks = now.tasks.filter((task) => this.app.filters.wants(task.neuron));
    const stuck = tasks.filter((task) => task.stuck).length;
    const unseen = tasks.filter((task) => task.state === "unseen").length;
    const more = `${stuck ? `, ${count(stuck)} stuck` : ""}${now.more ? `, and ${count(now.more)} more` : ""}${unseen ? `, ${count(unseen)} without a seen outcome` : ""}`;
    this.head("tasks", tasks.length, `${plural(tasks.length - unseen, "task")}${more}`);
    this.tasks.fill(tasks, taskCells, { below: taskBelow, look: (task) => (task.stuck ? "loud" : "") });
  }

  drawCauses(now) {
    const causes = now.causes.filter((cause) => this.app.filters.wants(cause.neuron));
    this.head("causes", causes.length, `${plural(causes.length, "cause")}, ${plural(causes.reduce((sum, each) => sum + each.count, 0), "failure")} in 10 minutes`);
    this.causes.fill(causes, causeCells, { below: causeBelow });
  }

  drawNeurons(now) {
    const neurons = now.neurons.filter((neuron) => this.app.filters.wants(neuron.neuron_id));
    const bad = neurons.filter((neuron) => stateOf(neuron) !== "alive").length;
    this.head("neurons", neurons.length, `${count(neurons.length)}${bad ? `, ${count(bad)} in trouble` : ", all alive"}`);
    const at = this.app.store.serverTime();
    // Trouble first; the rest keeps the order of the server, busy ones before idle ones.
    const rows = neurons.map((neuron) => ({ ...neuron, id: neuron.neuron_id })).sort((a, b) => ORDER[stateOf(a)] - ORDER[stateOf(b)]);
    this.neurons.fill(rows, neuronCells, { below: (neuron) => neuronBelow(neuron, at), look: (neuron) => (["missing", "stuck", "gone"].includes(stateOf(neuron)) ? "loud" : "") });
  }

  drawCallers(now) {
    const callers = callersOf(this.app.store.dendrites(), now.tasks);
    const items = callers.slice(0, CALLERS_SHOWN);
    const buttons = fit(this.callers, items.length, () => el("button", { class: "caller", click: (event) => this.app.openCaller(event.currentTarget.prismCaller) }, el("b", { class: "said" }), " ", el("span", { class: "num" })));
    items.forEach((caller, at) => {
      const button = buttons[at];
      const name = caller.instances.size > 1 ? `${caller.name} × ${caller.instances.size}` : caller.name;
      button.prismCaller = { instance: [...caller.instances].join(","), name };
      put(button.firstChild, name);
      put(button.lastChild, caller.open ? `${count(caller.open)} open` : "nothing open");
      dress(button, `caller ${caller.open ? "" : "quiet"}`);
      mark(button, "title", `Show the traces of ${caller.name}`);
    });
  }

  get chosenNeuron() {
    return this.neurons.hasFocus ? this.neurons.groups[this.neurons.current]?.prismItem.neuron_id : null;
  }

  /** Move in the table that has the focus; the first one with rows if none has. */
  move(step) {
    const table = this.tables.find((each) => each.hasFocus);
    if (table) table.focus(step);
    else this.tables.find((each) => each.groups.length > 0)?.focus();
  }

  enter() {}
}
