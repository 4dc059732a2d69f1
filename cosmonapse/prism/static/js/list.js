// The view Signals: everything that is kept and passes the filters, newest at the bottom.
import { dress, el, mark, put } from "./dom.js";
import { clock, count, plain, plural, short, size } from "./format.js";
import { KINDS, TYPES, kindOf, preview } from "./types.js";
import { whole } from "./folds.js";
import { Shown } from "./shown.js";
import { VirtualList } from "./virtual.js";
import { noMatch, nothingYet } from "./empty.js";
import { save } from "./export.js";

const FLOOD = 100;
const FLOOD_MS = 100;

export class ListView {
  constructor(app) {
    this.app = app;
    this.shown = new Shown(app.store, app.filters);
    this.following = true;
    this.chosenSeq = -1;
    this.unread = 0;
    this.drawn = 0;
    this.drawnEnd = 0;
    this.list = new VirtualList({ row_px: 24, label: "Signals", make: makeRow, fill: (row, index) => this.fill(row, index), choose: (index) => this.choose(index), ask: app.ask });
    this.list.onScroll = () => this.scrolled();
    this.count = el("span", { class: "count num" });
    this.follow = el("button", { class: "plain follow", text: "↓ Newest", hidden: "", click: () => this.toEnd() });
    this.head = el("div", { class: "signal-head", "aria-hidden": "true" }, ...["time", "type", "trace", "neuron", "size", "says"].map((text) => el("span", { class: text === "size" ? "right" : "", text })));
    this.holder = el("div", { class: "half" }, this.toolbar(), this.head, this.list.el, this.follow);
    this.empty = el("div", { class: "empty", hidden: "" });
    this.holder.append(this.empty);
    this.el = el("section", { class: "signals", "aria-label": "Signals" }, this.holder);
  }

  toolbar() {
    const { filters } = this.app;
    // Presence has a switch of its own: it is shown beside the others, not instead of them.
    this.kinds = KINDS.filter(([kind]) => kind !== "presence").map(([kind, name]) => el("button", { "data-kind": kind, "aria-pressed": "false", click: () => filters.toggleKind(kind) }, el("i", { class: `dot k-${kind}` }), name));
    this.fold = el("button", { class: "plain", text: "Fold streams", title: "The pieces of a stream as one row that grows (s)", "aria-pressed": "true", click: () => this.turn({ folding: !this.shown.folding }) });
    this.presence = el("button", { class: "plain", text: "Presence", title: "Show REGISTER, HEARTBEAT and DEREGISTER too (h)", "aria-pressed": "false", click: () => this.turn({ presence: !this.shown.presence }) });
    this.type = el("select", { class: "plain type", "aria-label": "Only this type", change: () => filters.set({ type: this.type.value }) });
    this.type.append(el("option", { value: "", text: "Any type" }), ...TYPES.map((type) => el("option", { value: type, text: type })));
    this.neuron = el("select", { class: "plain", "aria-label": "Only this neuron", change: () => filters.set({ neuron: this.neuron.value }) });
    this.exporter = el("button", { class: "plain", text: "Export", title: "Save what is shown as JSON lines (e)", click: () => this.export() });
    return el("div", { class: "bar" }, el("div", { class: "types", role: "group", "aria-label": "Kinds" }, ...this.kinds), el("span", { class: "gap" }), this.count, this.fold, this.presence, this.type, this.neuron, this.exporter);
  }

  show() {
    this.holder.after(this.app.envelope.el);
    if (this.following) this.toEnd();
  }

  turn(values) {
    this.shown.set(values);
    this.app.ask();
  }

  /** Follow the newest unless somebody scrolled away from it. */
  scrolled() {
    this.following = this.list.atEnd;
  }

  toEnd() {
    this.following = true;
    this.app.ask();
  }

  render(at) {
    const { app, list, shown } = this;
    const { end } = app.store.ring;
    // Nobody reads a page that is new in every frame: ten of them a second will do. A pause shows all at once.
    const wait_ms = FLOOD_MS - (at - this.drawn);
    if (this.following && !app.paused && end - this.drawnEnd > FLOOD && wait_ms > 0) return wait_ms;
    this.drawn = at;
    this.drawnEnd = end;
    this.drawTools();
    this.take();
    put(this.count, `${plural(shown.size, "row")} of ${count(app.store.ring.size)}`);
    this.follow.hidden = this.following || shown.size === 0;
    put(this.follow, this.unread > 0 ? `↓ ${count(this.unread)} newer` : "↓ Newest");
    list.chosen = this.chosenSeq < 0 ? -1 : shown.indexOf(this.chosenSeq);
    list.render();
    this.drawEmpty();
    this.el.classList.toggle("open", app.envelope.isOpen);
    return null;
  }

  take() {
    const before = this.shown.size;
    const gone = this.shown.update();
    if (gone === null) {
      this.following = true;
      this.chosenSeq = this.app.envelope.isOpen ? this.chosenSeq : -1;
    }
    this.list.resize(this.shown.size, gone === null || this.following ? 0 : gone);
    if (this.following) {
      this.unread = 0;
      this.list.scrollTo(this.list.room);
    } else this.unread += Math.max(0, this.shown.size - before + (gone ?? 0));
  }

  drawTools() {
    const { filters, store } = this.app;
    for (const button of this.kinds) mark(button, "aria-pressed", `${filters.kinds.has(button.dataset.kind)}`);
    mark(this.fold, "aria-pressed", `${this.shown.folding}`);
    mark(this.presence, "aria-pressed", `${this.shown.wantsPresence}`);
    if (this.type.value !== filters.type) this.type.value = filters.type;
    const names = [...new Set([...store.neurons().map(({ neuron }) => neuron.neuron_id), filters.neuron].filter(Boolean))].sort();
    const key = names.join("\n");
    if (key !== this.names) {
      this.names = key;
      this.neuron.replaceChildren(el("option", { value: "", text: "Any neuron" }), ...names.map((name) => el("option", { value: name, text: plain(name) })));
    }
    if (this.neuron.value !== filters.neuron) this.neuron.value = filters.neuron;
  }

  drawEmpty() {
    const { app } = this;
    const which = this.shown.size > 0 ? "" : app.filters.any && app.store.ring.size > 0 ? "filters" : "nothing";
    this.empty.hidden = which === "";
    if (which === this.isEmpty && which !== "nothing") return;
    this.isEmpty = which;
    if (which === "filters") this.empty.replaceChildren(noMatch(app));
    else if (which === "nothing") nothingYet(app, this.empty);
  }

  fill(row, index) {
    const record = this.shown.at(index);
    const fold = this.shown.rowAt(index);
    const pieces = fold?.count ?? 0;
    if (record === undefined || (row.prismRecord === record && row.prismPieces === pieces)) return;
    row.prismRecord = record;
    row.prismPieces = pieces;
    dress(row, `signal-row row${kindOf(record.type) === "presence" ? " faint" : ""}`);
    const [when, type, trace, neuron, bytes, what] = row.children;
    put(when, clock(record.ts));
    put(type, pieces > 1 ? `${plain(record.type)} × ${count(pieces)}` : plain(record.type));
    dress(type, `kind k-${kindOf(record.type)}`);
    put(trace, short(record.trace_id));
    put(neuron, plain(record.neuron ?? (record.capabilities ?? []).join(",")));
    put(bytes, size(pieces > 1 ? fold.bytes : record.bytes));
    put(what, pieces > 1 ? plain(fold.text) : preview(record));
  }

  choose(index) {
    const seq = this.shown.seqAt(index);
    const record = this.shown.at(index);
    if (record === undefined) return;
    this.chosenSeq = seq;
    this.following = false;
    this.list.reveal(index);
    const row = this.shown.rowAt(index);
    this.app.envelope.open(row.count > 1 ? whole(row, this.app.store.ring) : record);
    this.app.ask();
  }

  move(step) {
    const at = this.chosenSeq < 0 ? -1 : this.shown.indexOf(this.chosenSeq);
    const next = at < 0 ? this.shown.size - 1 : at + step;
    if (next >= 0 && next < this.shown.size) this.choose(next);
  }

  enter() {
    const record = this.shown.at(this.shown.indexOf(this.chosenSeq));
    if (record) this.app.openTrace(record.trace_id);
  }

  /** Save every Signal that passes, each piece of a stream by itself. */
  export() {
    const { ring, hello } = this.app.store;
    const matches = this.app.filters.matcher();
    const isHidden = ({ type }) => kindOf(type) === "presence" && !this.shown.wantsPresence;
    const records = [];
    for (let seq = ring.start; seq < ring.end; seq += 1) if (matches(ring.at(seq)) && !isHidden(ring.at(seq))) records.push(ring.at(seq));
    save(records, hello?.namespace ?? "signals");
  }
}

function makeRow() {
  return el("div", { class: "signal-row" }, el("span", { class: "when" }), el("span", { class: "kind" }), el("span", { class: "trace" }), el("span", { class: "clip said" }), el("span", { class: "bytes num" }), el("span", { class: "clip said" }));
}
