// The view Traces: all traces that the server keeps, and beside them the chosen one.
import { dress, el, mark, put } from "./dom.js";
import { age, count, length, plain, plural, seconds } from "./format.js";
import { VirtualList } from "./virtual.js";
import { TraceDetail } from "./tracedetail.js";
import { Mentions, SORTS, STATUSES, chosen, nameCallers, namesIn } from "./tracelist.js";
import { callerOf, lasted, neuronsOf, promptOf, remarkOf, wordOf } from "./tracewords.js";
import { noMatch, nothingYet } from "./empty.js";

const SLOW_S = 30;
const EVERY_MS = 100;
// Sorting a thousand traces that change is not worth every frame.
const BUSY_MS = 250;
const ROW_PX = 64;

export class TraceView {
  constructor(app) {
    this.app = app;
    this.status = "";
    this.caller = "";
    this.sort = "newest";
    this.items = [];
    this.chosenId = null;
    this.mentions = new Mentions(app.store, app.filters);
    this.list = new VirtualList({ row_px: ROW_PX, label: "Traces", make: makeRow, fill: (row, index) => this.fill(row, index), choose: (index) => this.open(this.items[index].id), ask: app.ask });
    this.segments = STATUSES.map(([status, text]) => el("button", { text, "aria-pressed": "false", click: () => this.turn({ status }) }));
    this.neurons = el("select", { class: "plain", "aria-label": "Only traces of this neuron", change: () => app.filters.set({ neuron: this.neurons.value }) });
    this.callers = el("select", { class: "plain", "aria-label": "Only traces of this caller", change: () => this.turn({ caller: this.callers.value }) });
    this.sorts = el("select", { class: "plain", "aria-label": "Order", change: () => this.turn({ sort: this.sorts.value }) }, ...SORTS.map(([value, text]) => el("option", { value, text })));
    this.count = el("div", { class: "count num" });
    this.empty = el("div", { class: "empty", hidden: "" });
    const bar = el("div", { class: "choices" }, el("div", { class: "segments", role: "group", "aria-label": "Status" }, ...this.segments), this.neurons, this.callers, this.sorts, this.count);
    this.detail = new TraceDetail(app);
    this.el = el("section", { class: "traces", "aria-label": "Traces" }, el("div", { class: "half left" }, bar, this.list.el), this.detail.el, this.empty);
    this.drawn = 0;
    this.collected = 0;
  }

  turn(values) {
    Object.assign(this, values);
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
    const isAnew = this.drawn === 0;
    this.drawn = at;
    if (isAnew || at - this.collected >= BUSY_MS) {
      this.collected = at;
      this.collect();
      this.drawTools();
    }
    this.list.render();
    this.drawEmpty();
    const again_ms = this.detail.render(at);
    this.el.classList.toggle("open", this.app.envelope.isOpen);
    const runs = this.items.some(({ status }) => status === "running");
    return runs ? EVERY_MS : again_ms;
  }

  /** List the traces, and hold what is in sight where it is. */
  collect() {
    const { store, filters } = this.app;
    const top = Math.floor(this.list.top / ROW_PX);
    const before = this.list.top > 0 ? this.items[top]?.id : undefined;
    const { status, caller, sort } = this;
    nameCallers(store.traceSummaries.values(), store.dendrites());
    const items = chosen(store.traceSummaries.values(), { status, caller, sort, filters, mentioned: this.mentions.update(), at: store.serverTime() });
    this.items = items;
    const after = before === undefined ? -1 : items.findIndex(({ id }) => id === before);
    this.list.resize(items.length, after < 0 ? 0 : top - after);
    if (this.chosenId === null && items.length) this.open(items[0].id);
    this.mark();
  }

  /** The address may have the short form of an id: the row is that of the whole one. */
  mark() {
    const id = this.detail.trace.summary?.id ?? this.chosenId;
    this.list.chosen = id === null ? -1 : this.items.findIndex((each) => each.id === id);
  }

  drawTools() {
    const { store, filters } = this.app;
    this.segments.forEach((button, index) => mark(button, "aria-pressed", STATUSES[index][0] === this.status ? "true" : "false"));
    const { neurons, callers } = namesIn(store.traceSummaries.values());
    choices(this.neurons, "Any neuron", neurons, filters.neuron);
    choices(this.callers, "Any caller", callers, this.caller);
    const all = store.traceSummaries.size;
    const pinned = this.items.filter((each) => each.pinned).length;
    put(this.count, `${this.items.length < all ? `${count(this.items.length)} of ` : ""}${plural(all, "trace")}${pinned ? `, ${count(pinned)} of them kept longer` : ""}`);
  }

  drawEmpty() {
    const { app } = this;
    const isNew = app.store.traceSummaries.size === 0 && this.detail.trace.id === null;
    const isNone = this.items.length === 0 && this.detail.trace.id === null;
    this.empty.hidden = !isNone;
    if (isNew) nothingYet(app, this.empty);
    else if (isNone && this.isEmpty !== "filters") this.empty.replaceChildren(noMatch(app));
    this.isEmpty = isNew ? "nothing" : isNone ? "filters" : "";
    if (!isNew) this.empty.prismKey = "";
    this.el.firstElementChild.hidden = isNew;
    this.detail.el.hidden = isNone;
  }

  fill(row, index) {
    const trace = this.items[index];
    const [prompt, took, who, when, state, remark] = row.children;
    const lasted_s = lasted(trace, this.app.store.serverTime());
    const isRunning = trace.status === "running";
    put(prompt, promptOf(trace));
    put(took, isRunning ? age(lasted_s) : length(lasted_s));
    dress(took, isRunning && lasted_s > SLOW_S ? "right num warn" : "right num");
    const caller = callerOf(trace);
    put(who, `${caller ? `${caller} → ` : ""}${neuronsOf(trace)}`);
    put(when, seconds(trace.began_ts));
    put(state, wordOf(trace.status));
    dress(state, `state st-${trace.status}`);
    put(remark, remarkOf(trace) || plural(trace.signals, "Signal"));
  }

  move(step) {
    const at = this.list.chosen;
    const next = at < 0 ? 0 : at + step;
    if (next < 0 || next >= this.items.length) return;
    this.list.reveal(next);
    this.open(this.items[next].id);
  }

  enter() {
    this.detail.focus();
  }
}

/** Fill a list to choose from, without a change while nothing changes: it may be open. */
function choices(select, any, names, value) {
  const all = value && !names.includes(value) ? [...names, value] : names;
  const key = all.join("\n");
  if (select.prismNames !== key) {
    select.prismNames = key;
    select.replaceChildren(el("option", { value: "", text: any }), ...all.map((name) => el("option", { value: name, text: plain(name) })));
  }
  if (select.value !== value) select.value = value;
}

function makeRow() {
  const part = (name) => el("span", { class: name });
  return el("div", { class: "trace-row" }, part("clip said"), part("right num"), part("clip said who"), part("right num when"), part("state"), part("clip said remark"));
}
