// One trace: what was asked and said, where its time went, and the tree of its Signals.
import { dress, el, put } from "./dom.js";
import { age, clock, count, length, lines, plain, short } from "./format.js";
import { kindOf, preview } from "./types.js";
import { answerOf, axisTicks, treeRows, waterfall } from "./lineage.js";
import { VirtualList } from "./virtual.js";
import { WORDS, neuronsOf, promptOf } from "./tracewords.js";

const MAX_TEXT = 20_000;
const INDENT_PX = 12;
const DEEPEST = 8;

export class TraceDetail {
  constructor(app) {
    this.app = app;
    this.id = null;
    this.mode = "fall";
    this.rows = [];
    this.version = -1;
    this.prompt = el("h2", { class: "clip said" });
    this.state = el("span", { class: "state" });
    this.facts = el("span", { class: "num" });
    this.only = el("button", { class: "lnk", title: "Show only this trace", on: { click: () => this.id && app.filters.set({ trace: this.id }) } });
    this.answer = el("div", { class: "answer said", tabindex: "0", role: "region", "aria-label": "What was answered" });
    this.modes = [["fall", "Waterfall"], ["tree", "Tree"]].map(([mode, text]) => el("button", { text, "aria-pressed": "false", on: { click: () => this.turn(mode) } }));
    this.count = el("span", { class: "count num" });
    const facts = el("div", { class: "facts" }, this.prompt, el("div", { class: "line" }, this.state, this.facts, this.only), this.answer);
    const bar = el("div", { class: "bar" }, el("div", { class: "segments", role: "group", "aria-label": "How to show it" }, ...this.modes), el("span", { class: "gap" }), el("button", { class: "plain", text: "Map", title: "Who took part in this trace, as a map", on: { click: () => this.toMap() } }), this.count);
    this.fall = new VirtualList({ row_px: 24, label: "Waterfall", make: makeSpan, fill: (row, at) => this.fillSpan(row, at), choose: (at) => this.choose(at), ask: app.ask });
    this.tree = new VirtualList({ row_px: 24, label: "Tree of Signals", make: makeTree, fill: (row, at) => this.fillTree(row, at), choose: (at) => this.choose(at), ask: app.ask });
    this.axis = el("div", { class: "axis num", "aria-hidden": "true" });
    this.grid = el("div", { class: "lines", "aria-hidden": "true" });
    this.holder = el("div", { class: "fall" }, this.axis, this.grid, this.fall.el, this.tree.el);
    this.el = el("div", { class: "detail" }, facts, bar, this.holder);
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.version = -1;
      app.ask();
    }).observe(this.axis);
  }

  get list() {
    return this.mode === "fall" ? this.fall : this.tree;
  }

  open(id) {
    if (id === this.id) return;
    this.id = id;
    this.version = -1;
    this.fall.scrollTo(0);
    this.tree.scrollTo(0);
    this.said = "";
    this.answer.textContent = "";
    this.answer.scrollTop = 0;
  }

  toMap() {
    if (!this.id) return;
    this.app.filters.set({ trace: this.id });
    this.app.go("map");
  }

  turn(mode) {
    this.mode = mode;
    this.version = -1;
    this.app.ask();
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

  move(step) {
    const at = this.rows.findIndex((row) => row.record === this.app.envelope.record);
    const next = at < 0 ? 0 : at + step;
    if (next >= 0 && next < this.rows.length) this.choose(next);
  }

  render() {
    const trace = this.app.store.traces.get(this.id);
    if (trace === undefined) {
      if (this.id !== null) put(this.facts, "This trace is no longer kept.");
      return;
    }
    this.drawFacts(trace);
    if (trace.version !== this.version || trace.open > 0) this.collect(trace);
    this.renderRows();
  }

  collect(trace) {
    this.version = trace.version;
    const records = trace.records();
    this.drawAnswer(records);
    const isFall = this.mode === "fall";
    this.modes[0].setAttribute("aria-pressed", isFall);
    this.modes[1].setAttribute("aria-pressed", !isFall);
    this.axis.hidden = this.grid.hidden = this.fall.el.hidden = !isFall;
    this.tree.el.hidden = isFall;
    this.holder.style.gridTemplateRows = isFall ? "" : "minmax(0, 1fr)";
    if (isFall) {
      const { rows, start, end } = waterfall(records, this.app.store.serverTime());
      Object.assign(this, { rows, start, span: end - start });
      this.drawAxis();
    } else this.rows = treeRows(records);
    this.start = trace.startTs && !isFall ? trace.startTs : this.start;
    this.list.resize(this.rows.length);
  }

  renderRows() {
    this.list.chosen = this.app.envelope.isOpen ? this.rows.findIndex((row) => row.record === this.app.envelope.record) : -1;
    this.list.render();
  }

  drawFacts(trace) {
    const running = trace.status === "running";
    put(this.prompt, promptOf(trace));
    put(this.state, WORDS[trace.status]);
    dress(this.state, `state st-${trace.status}`);
    const lasted = running ? `${age(this.app.store.serverTime() - trace.startTs)} so far` : length(trace.took_s);
    put(this.facts, `${neuronsOf(trace)}  ·  ${lasted}  ·  began ${clock(trace.startTs)}`);
    put(this.only, `trace ${short(trace.id)}`);
    this.only.title = `Show only ${trace.id}`;
    put(this.count, `${count(trace.size)} Signals${trace.cut ? ", older ones no longer kept" : ""}${trace.errors ? `, ${count(trace.errors)} errors` : ""}`);
  }

  /** Show what streams as it comes; what is on the page already stays there. */
  drawAnswer(records) {
    const answer = answerOf(records);
    const text = answer === null ? "" : lines(answer.text.slice(-MAX_TEXT));
    const failed = answer?.record.type === "ERROR";
    dress(this.answer, `answer said${failed ? " st-failed" : answer === null ? " none" : ""}`);
    if (answer === null) {
      this.said = "";
      put(this.answer, "No answer yet");
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
    put(took, span.how === "point" ? `+${length(span.from - this.start)}` : span.open ? `${length(span.to - span.from)}…` : length(span.to - span.from));
    this.drawTrack(track, span);
  }

  drawTrack(track, span) {
    const key = `${span.record.n}|${span.to}|${this.start}|${this.span}|${span.count ?? 0}|${span.open}`;
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
    if (span.how === "bar") track.replaceChildren(bar(span.open ? "open" : ""));
    else if (span.how === "band") track.replaceChildren(bar(""));
    else if (span.how === "ticks") track.replaceChildren(bar("base"), ...span.ticks.map((ts) => placed(el("i", { class: "tick" }), `${this.percent(ts)}%`)));
    else track.replaceChildren(placed(el("i", { class: "point" }), `${from}%`));
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
    put(what, preview(record));
    put(took, clock(record.ts).slice(3));
  }
}

function placed(node, left) {
  node.style.left = left;
  return node;
}

function makeSpan() {
  const name = el("div", { class: "name" }, el("span", { class: "kind" }), el("span", { class: "what clip said" }));
  return el("div", { class: "span-row" }, name, el("div", { class: "track" }), el("span", { class: "took num" }));
}

function makeTree() {
  const name = el("div", { class: "name" }, el("span", { class: "kind" }), el("span", { class: "what clip said" }));
  return el("div", { class: "tree-row" }, el("span", { class: "when" }), name, el("span", { class: "took num" }));
}
