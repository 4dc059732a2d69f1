// The view Traces: all traces, newest first, and beside them the chosen one.
import { dress, el, put } from "./dom.js";
import { age, count, length, seconds } from "./format.js";
import { VirtualList } from "./virtual.js";
import { TraceDetail } from "./tracedetail.js";
import { WORDS, neuronsOf, promptOf } from "./tracewords.js";
import { noMatch, nothingYet } from "./empty.js";

const STATUSES = [["", "All"], ["running", "Running"], ["failed", "Failed"], ["asking", "Asking"]];
const SLOW_S = 30;
const EVERY_MS = 100;

export class TraceView {
  constructor(app) {
    this.app = app;
    this.status = "";
    this.items = [];
    this.chosenId = null;
    this.list = new VirtualList({ row_px: 48, label: "Traces", make: makeRow, fill: (row, index) => this.fill(row, index), choose: (index) => this.open(this.items[index].id), ask: app.ask });
    this.count = el("span", { class: "count num" });
    this.segments = STATUSES.map(([status, text]) => el("button", { text, "aria-pressed": "false", on: { click: () => this.only(status) } }));
    this.empty = el("div", { class: "empty", hidden: "" });
    const bar = el("div", { class: "bar" }, el("div", { class: "segments", role: "group", "aria-label": "Status" }, ...this.segments), el("span", { class: "gap" }), this.count);
    this.detail = new TraceDetail(app);
    this.el = el("section", { class: "traces", "aria-label": "Traces" }, el("div", { class: "half left" }, bar, this.list.el), this.detail.el, this.empty);
    this.drawn = 0;
  }

  only(status) {
    this.status = status;
    this.drawn = 0;
    this.list.scrollTo(0);
    this.app.ask();
  }

  show() {
    this.detail.el.after(this.app.envelope.el);
    this.drawn = 0;
  }

  open(id) {
    this.chosenId = id;
    this.drawn = 0;
    this.detail.open(id);
    this.app.ask();
  }

  render(at) {
    if (at - this.drawn < EVERY_MS) {
      this.list.render();
      this.detail.renderRows();
      return EVERY_MS - (at - this.drawn);
    }
    this.drawn = at;
    this.collect();
    this.segments.forEach((button, index) => button.setAttribute("aria-pressed", STATUSES[index][0] === this.status));
    put(this.count, count(this.items.length));
    this.list.render();
    this.drawEmpty();
    this.detail.render();
    this.el.classList.toggle("open", this.app.envelope.isOpen);
    return this.items.some((trace) => trace.open > 0) ? EVERY_MS : null;
  }

  /** List the traces, newest first, and hold what is in sight where it is. */
  collect() {
    const { store, filters } = this.app;
    const wants = filters.any ? filters.matcher() : null;
    const before = this.items[Math.floor(this.list.top / 48)];
    const items = [];
    const { order } = store.traces;
    for (let at = order.length - 1; at >= 0; at -= 1) {
      const trace = order[at];
      if (trace.size === 0 || !trace.works) continue;
      if (this.status && trace.status !== this.status) continue;
      if (wants === null || trace.records().some(wants)) items.push(trace);
    }
    this.items = items;
    const shift = before && this.list.top > 0 ? items.indexOf(before) - Math.floor(this.list.top / 48) : 0;
    this.list.resize(items.length, before && items.includes(before) ? -shift : 0);
    if (this.chosenId === null && items.length && !this.detail.id) this.open(items[0].id);
    this.list.chosen = this.chosenId === null ? -1 : items.findIndex((trace) => trace.id === this.chosenId);
  }

  drawEmpty() {
    const { app } = this;
    const none = this.items.length === 0 && !this.status;
    const filtered = none && app.filters.any;
    this.empty.hidden = !none;
    if (filtered && this.isEmpty !== "filters") this.empty.replaceChildren(noMatch(app));
    else if (none && !filtered) nothingYet(app, this.empty);
    this.isEmpty = filtered ? "filters" : none ? "nothing" : "";
    if (filtered) this.empty.prismKey = "";
    this.el.firstElementChild.hidden = none;
    this.detail.el.hidden = none;
  }

  fill(row, index) {
    const trace = this.items[index];
    const [prompt, took, sub, when] = row.children;
    const [state, neuron, signals] = sub.children;
    const running = trace.status === "running";
    const lasted = running ? this.app.store.serverTime() - trace.startTs : trace.took_s;
    put(prompt, promptOf(trace));
    put(took, running ? age(lasted) : length(lasted));
    dress(took, running && lasted > SLOW_S ? "right num warn" : "right num");
    put(state, WORDS[trace.status]);
    dress(state, `state st-${trace.status}`);
    put(neuron, neuronsOf(trace));
    put(signals, `${count(trace.size)} Signal${trace.size === 1 ? "" : "s"}`);
    put(when, seconds(trace.startTs));
  }

  move(step) {
    const at = this.items.findIndex((trace) => trace.id === this.chosenId);
    const next = at < 0 ? 0 : at + step;
    if (next < 0 || next >= this.items.length) return;
    this.list.reveal(next);
    this.open(this.items[next].id);
  }

  enter() {
    this.detail.focus();
  }
}

function makeRow() {
  const sub = el("div", { class: "sub" }, el("span", { class: "state" }), el("span", { class: "clip said" }), el("span", { class: "num" }));
  return el("div", { class: "trace-row" }, el("span", { class: "clip said" }), el("span", { class: "right num" }), sub, el("span", { class: "right num when" }));
}
