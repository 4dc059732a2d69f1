// One trace: what was asked and said, where its time went, and the tree of its Signals.
import { dress, el, mark, put } from "./dom.js";
import { clock, length, lines, plain, plural, short } from "./format.js";
import { kindOf, preview } from "./types.js";
import { answerOf, axisTicks, treeRows, waterfall } from "./lineage.js";
import { timeSpent, timeWords, tokensPerSecond } from "./timespent.js";
import { VirtualList } from "./virtual.js";
import { WholeTrace } from "./wholetrace.js";
import { countsOf, factsOf, headlineOf, modelWords, promptOf, summaryOf, wordOf } from "./tracewords.js";

const WORTH_SAYING = 0.05;
const MAX_TEXT = 20_000;
const INDENT_PX = 12;
const DEEPEST = 8;
const LEGEND = [["wait", "waits for a worker"], ["run", "runs"], ["tick", "thought"], ["point", "one Signal"]];

export class TraceDetail {
  constructor(app) {
    this.app = app;
    this.trace = new WholeTrace({ store: app.store, changed: () => this.again() });
    this.mode = "fall";
    this.rows = [];
    this.version = -1;
    this.prompt = el("h2", { class: "clip said" });
    this.state = el("span", { class: "state" });
    this.facts = el("span", { class: "num" });
    this.only = el("button", { class: "lnk num", hidden: "", text: "trace", click: () => this.summary && app.filters.set({ trace: this.summary.id }) });
    this.spent = el("div", { class: "line spent said" });
    this.model = el("div", { class: "line model said" });
    this.note = el("div", { class: "line note" });
    this.answer = el("div", { class: "answer said", tabindex: "0", role: "region", "aria-label": "What was answered" });
    this.modes = [["fall", "Waterfall"], ["tree", "Tree"]].map(([mode, text]) => el("button", { text, "aria-pressed": "false", click: () => this.turn(mode) }));
    this.count = el("span", { class: "count clip" });
    this.legend = el("div", { class: "says" }, ...LEGEND.map(([name, text]) => el("span", {}, el("i", { class: name }), text)));
    const facts = el("div", { class: "facts" }, this.prompt, el("div", { class: "line" }, this.state, this.facts, this.only), this.spent, this.model, this.note, this.answer);
    const bar = el("div", { class: "bar" }, el("div", { class: "segments", role: "group", "aria-label": "How to show it" }, ...this.modes), this.legend, el("span", { class: "gap" }), this.count, el("button", { class: "plain", text: "Map", title: "Who took part in this trace, as a map", click: () => this.toMap() }));
    this.fall = new VirtualList({ row_px: 24, label: "Waterfall", make: makeSpan, fill: (row, at) => this.fillSpan(row, at), choose: (at) => this.choose(at), ask: app.ask });
    this.tree = new VirtualList({ row_px: 24, label: "Tree of Signals", make: makeTree, fill: (row, at) => this.fillTree(row, at), choose: (at) => this.choose(at), ask: app.ask });
    this.axis = el("div", { class: "axis num", "aria-hidden": "true" });
    this.grid = el("div", { class: "lines", "aria-hidden": "true" });
    this.holder = el("div", { class: "fall" }, this.axis, this.grid, this.fall.el, this.tree.el);
    this.el = el("div", { class: "detail" }, facts, bar, this.holder);
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.again();
    }).observe(this.axis);
  }

  get list() {
    return this.mode === "fall" ? this.fall : this.tree;
  }

  again() {
    this.version = -1;
    this.app.ask();
  }

  open(id) {
    if (id === this.trace.id) return;
    this.trace.open(id);
    this.version = -1;
    this.summary = null;
    this.rows = [];
    this.list.resize(0);
    this.fall.scrollTo(0);
    this.tree.scrollTo(0);
    this.said = "";
    this.answer.textContent = "";
    this.answer.scrollTop = 0;
  }

  toMap() {
    if (!this.summary) return;
    this.app.filters.set({ trace: this.summary.id });
    this.app.go("map");
  }

  turn(mode) {
    this.mode = mode;
    this.again();
  }

  focus() {
    this.list.el.focus();
    if (this.rows.length) this.choose(0);
  }

  choose(at) {
    const row = this.rows[at];
    if (!row) return;
    this.list.reveal(at);
    this.app.envelope.open(row.record);
    this.app.ask();
  }

  /** The row that is open: its record may have grown since. */
  get chosenAt() {
    return this.app.envelope.isOpen ? this.rows.findIndex((row) => row.record.n === this.app.envelope.record.n) : -1;
  }

  move(step) {
    const at = this.chosenAt;
    const next = at < 0 ? 0 : at + step;
    if (next >= 0 && next < this.rows.length) this.choose(next);
  }

  /** Draw it as it is at `at` ms; return in how many ms to look again, or null. */
  render(at) {
    const { trace } = this;
    if (trace.id === null) return null;
    const again_ms = trace.look(at);
    const records = trace.records();
    this.summary = trace.summary ?? (trace.told === "asking" ? null : summaryOf(trace.id, records, records.length ? preview(records[0]) : ""));
    this.drawNote();
    if (this.summary !== null) {
      this.drawFacts(this.summary);
      if (trace.version !== this.version || this.summary.status === "running") this.collect(records);
    }
    this.renderRows();
    return again_ms;
  }

  collect(records) {
    this.version = this.trace.version;
    this.drawAnswer(records);
    const isFall = this.mode === "fall";
    this.modes[0].setAttribute("aria-pressed", isFall);
    this.modes[1].setAttribute("aria-pressed", !isFall);
    this.axis.hidden = this.grid.hidden = this.fall.el.hidden = this.legend.hidden = !isFall;
    this.tree.el.hidden = isFall;
    this.holder.style.gridTemplateRows = isFall ? "" : "minmax(0, 1fr)";
    const now = this.summary.status === "running" ? this.app.store.serverTime() : this.summary.last_ts;
    put(this.spent, timeWords(timeSpent(records, now)));
    put(this.model, modelWords(this.summary.model, tokensPerSecond(records)));
    if (isFall) {
      const { rows, start, end } = waterfall(records, now);
      Object.assign(this, { rows, start, span: end - start });
      this.drawAxis();
    } else {
      this.rows = treeRows(records);
      this.start = records[0]?.ts ?? 0;
    }
    this.list.resize(this.rows.length);
  }

  renderRows() {
    this.list.chosen = this.chosenAt;
    this.list.render();
  }

  /** Say where it is from, if it is not from the server. */
  drawNote() {
    const { told, id, list } = this.trace;
    const has = list.length ? "What this tab has of it is shown." : "This tab has nothing of it either.";
    const asking = list.length ? "" : `Asking Prism for ${short(id)}.`;
    put(this.note, { asking, whole: "", gone: `Prism no longer keeps the trace ${short(id)}. ${has}`, failed: `Prism does not answer. ${has}` }[told]);
  }

  drawFacts(summary) {
    put(this.prompt, promptOf(summary));
    put(this.state, wordOf(summary.status));
    dress(this.state, `state st-${summary.status}`);
    put(this.facts, factsOf(summary, this.app.store.serverTime(), clock));
    this.only.hidden = false;
    put(this.only, `trace ${short(summary.id)}`);
    this.only.title = `Show only ${summary.id}`;
    put(this.count, countsOf(summary));
    this.count.title = this.count.textContent;
  }

  /** Show what streams as it comes; what is on the page already stays there. */
  drawAnswer(records) {
    // Of a trace that failed or asks, the root cause or the question stands in place of an answer.
    const headline = headlineOf(this.summary);
    const answer = headline ?? answerOf(records);
    const text = answer === null ? "" : lines(answer.text.slice(-MAX_TEXT));
    const look = headline?.class ?? (answer === null ? "none" : answer.record.type === "ERROR" ? "st-failed" : "");
    dress(this.answer, `answer said ${look}`);
    if (answer === null) {
      this.said = "";
      put(this.answer, records.length === 0 ? "" : "No answer yet");
      return;
    }
    if (text === this.said) return;
    this.answer.prismText = null;
    const isAtEnd = this.answer.scrollTop + this.answer.clientHeight >= this.answer.scrollHeight - 24;
    if (this.said && text.startsWith(this.said)) this.answer.append(text.slice(this.said.length));
    else this.answer.textContent = text;
    this.said = text;
    if (isAtEnd && answer.from === "stream") this.answer.scrollTop = this.answer.scrollHeight;
  }

  drawAxis() {
    const px = Math.max(80, this.width ?? 600);
    const ticks = axisTicks(this.span, Math.floor(px / 96));
    const texts = ticks.map(([, text]) => text).join("|") + this.span;
    if (texts === this.axisText) return;
    this.axisText = texts;
    const left = ([at]) => `${((100 * at) / this.span).toFixed(3)}%`;
    this.axis.replaceChildren(...ticks.map((tick) => placed(el("span", { text: tick[1] }), left(tick))));
    this.grid.replaceChildren(...ticks.map((tick) => placed(el("i"), left(tick))));
  }

  percent(ts) {
    return Math.max(0, Math.min(100, (100 * (ts - this.start)) / this.span));
  }

  fillSpan(row, at) {
    const span = this.rows[at];
    if (!span) return;
    const [name, track, took] = row.children;
    const [type, what] = name.children;
    name.style.paddingLeft = `${16 + INDENT_PX * Math.min(span.depth, DEEPEST)}px`;
    put(type, plain(span.label));
    dress(type, `kind k-${span.kind}`);
    put(what, span.what.slice(0, 200));
    const [waited, lasted] = took.children;
    put(lasted, span.how === "point" ? `+${length(span.from - this.start)}` : span.open ? `${length(span.to - span.from)}…` : length(span.to - span.from));
    // A wait that nobody would see in the bar is told when the row is pointed at.
    put(waited, span.queued_s >= WORTH_SAYING * (span.to - span.from) && span.queued_s > 0 ? `queued ${length(span.queued_s)}` : "");
    mark(row, "title", titleOf(span));
    this.drawTrack(track, span);
  }

  drawTrack(track, span) {
    const key = `${span.record.n}|${span.to}|${this.start}|${this.span}|${span.count ?? 0}|${span.open}|${span.firstThought}|${this.width}`;
    if (track.prismKey === key) return;
    track.prismKey = key;
    const kind = span.failed ? "error" : span.asked ? "question" : span.kind;
    track.className = `track k-${kind}`;
    const from = this.percent(span.from);
    const wide = Math.max(0, this.percent(span.to) - from);
    const bar = (name) => {
      const piece = placed(el("i", { class: `piece ${name}` }), `${from}%`);
      piece.style.width = `${wide}%`;
      return piece;
    };
    if (span.how === "bar") track.replaceChildren(...this.bars(span));
    else if (span.how === "band") track.replaceChildren(bar(""));
    else if (span.how === "ticks") track.replaceChildren(bar("base"), ...span.ticks.map((ts) => placed(el("i", { class: "tick" }), `${this.percent(ts)}%`)));
    else track.replaceChildren(placed(el("i", { class: "point" }), `${from}%`));
  }

  /** Of a TASK: light until a worker began, then full, and a mark at the first thought. */
  bars(span) {
    const piece = (name, from, to) => {
      const made = placed(el("i", { class: `piece ${name}` }), `${this.percent(from)}%`);
      made.style.width = `${Math.max(0, this.percent(to) - this.percent(from))}%`;
      return made;
    };
    // Less than this share of what is shown is no part that an eye finds.
    const waits = Number.isFinite(span.started) && span.started - span.from > this.span * 0.003;
    const made = waits ? [piece("wait", span.from, span.started)] : [];
    made.push(piece(span.open ? "open" : "", waits ? span.started : span.from, span.to));
    if (Number.isFinite(span.firstThought)) made.push(placed(el("i", { class: "first" }), `${this.percent(span.firstThought)}%`));
    return made;
  }

  fillTree(row, at) {
    const each = this.rows[at];
    if (!each) return;
    const { record, depth } = each;
    const [when, name, took] = row.children;
    const [type, what] = name.children;
    put(when, `+${length(record.ts - this.start)}`);
    name.style.paddingLeft = `${INDENT_PX * Math.min(depth, 24)}px`;
    put(type, plain(record.type));
    dress(type, `kind k-${kindOf(record.type)}`);
    put(what, `${record.run ? `${plural(record.run.count, "piece")}  ` : ""}${preview(record)}`);
    put(took, clock(record.ts).slice(3));
  }
}

function placed(node, left) {
  node.style.left = left;
  return node;
}

/** A TASK in words: queued, begun, first thought, done. */
function titleOf(span) {
  if (span.record.type !== "TASK") return null;
  const said = [];
  if (span.queued_s !== null) said.push(`queued ${length(span.queued_s)}`, `began after ${length(span.started - span.from)}`);
  if (Number.isFinite(span.firstThought)) said.push(`first thought after ${length(span.firstThought - span.from)}`);
  said.push(span.open ? "not done yet" : `${span.failed ? "failed" : span.asked ? "asked" : "done"} after ${length(span.to - span.from)}`);
  return said.join(", ");
}

function makeSpan() {
  const name = el("div", { class: "name" }, el("span", { class: "kind" }), el("span", { class: "what clip said" }));
  return el("div", { class: "span-row" }, name, el("div", { class: "track" }), el("span", { class: "took num" }, el("span", { class: "waited" }), el("span")));
}

function makeTree() {
  const name = el("div", { class: "name" }, el("span", { class: "kind" }), el("span", { class: "what clip said" }));
  return el("div", { class: "tree-row" }, el("span", { class: "when" }), name, el("span", { class: "took num" }));
}
