// The envelope of one Signal, whole: asked from the server, else what the page holds of it.
import { el, put } from "./dom.js";
import { clock, count, lines, plain } from "./format.js";
import { kindOf, preview } from "./types.js";

const MAX_NODES = 4_000;
const MAX_DEPTH = 64;
const MAX_TEXT = 20_000;

export class Envelope {
  /** `filter(values, names)` sets filters; `nameOf(instance)` is the name of a Dendrite, or undefined. */
  constructor({ closed, filter, nameOf }) {
    this.nameOf = nameOf;
    this.closed = closed;
    this.filter = filter;
    this.record = null;
    this.title = el("h2", { class: "kind" });
    this.body = el("div", { class: "body", tabindex: "0", role: "region", "aria-label": "Envelope" });
    this.copy = el("button", { class: "plain", text: "Copy", title: "Copy as JSON", click: () => this.copyIt() });
    const close = el("button", { class: "plain square", text: "×", "aria-label": "Close the envelope (Esc)", click: () => this.close() });
    this.el = el("aside", { class: "envelope", hidden: "", "aria-label": "Envelope of the chosen Signal" }, el("div", { class: "head" }, this.title, this.copy, close), this.body);
  }

  get isOpen() {
    return this.record !== null;
  }

  close() {
    if (!this.isOpen) return;
    this.record = null;
    this.whole = null;
    this.el.hidden = true;
    this.closed();
  }

  async open(record) {
    if (this.record === record) return;
    this.record = record;
    this.whole = record;
    this.el.hidden = false;
    put(this.copy, "Copy");
    this.draw(record, record.cut ? (record.run ? "Shortened: only the end of its text is kept." : "Shortened; asking for the whole of it.") : "");
    // The server has the single pieces of a run, not the whole of it.
    if (!record.cut || record.run) return;
    const [whole, note] = await fetchWhole(record);
    if (this.record !== record) return;
    this.whole = whole ?? record;
    this.draw(this.whole, note);
  }

  draw(record, note) {
    put(this.title, plain(record.type));
    this.title.className = `kind k-${kindOf(record.type)}`;
    const facts = el("dl");
    const fact = (name, value, filter, names = {}) => {
      if (value === null || value === undefined || value === "") return;
      const text = plain(names[value] ? `${names[value]} (${value.slice(0, 8)})` : value);
      const shown = filter ? el("button", { class: "lnk mono", text, title: `Show only this ${name}`, click: () => this.filter(filter, names) }) : text;
      facts.append(el("dt", { text: name }), el("dd", { class: "said" }, shown));
    };
    fact("time", `${new Date(record.ts * 1000).toISOString().slice(0, 10)} ${clock(record.ts)}`);
    fact("neuron", record.neuron, { neuron: record.neuron });
    fact("capabilities", (record.capabilities ?? []).join(", "));
    fact("id", record.id);
    fact("trace", record.trace_id, { trace: record.trace_id });
    fact("parent", record.parent_id);
    for (const end of ["caller", "worker"]) {
      const instance = record[end];
      fact(end, instance, { instance }, { [instance]: this.nameOf(instance) });
    }
    if (record.run) fact("pieces", `${count(record.run.count)} as one, the last at ${clock(record.run.last_ts)}`);
    fact("size", Number.isFinite(record.bytes) ? `${count(record.bytes)} bytes` : null);
    this.body.replaceChildren(facts);
    if (note) this.body.append(el("p", { class: "note", text: note }));
    this.section("says", preview(record), false);
    this.section("payload", record.payload ?? {}, true);
    if (record.meta && Object.keys(record.meta).length) this.section("meta", record.meta, true);
  }

  section(name, value, isJson) {
    const pre = el("pre", { class: "said" });
    if (isJson) writeJson(pre, value);
    else pre.textContent = value;
    this.body.append(el("h3", { text: name }), pre);
  }

  async copyIt() {
    try {
      await navigator.clipboard.writeText(JSON.stringify(this.whole, null, 2));
      put(this.copy, "Copied");
    } catch {
      put(this.copy, "No clipboard");
    }
  }
}

async function fetchWhole(record) {
  try {
    const answer = await fetch(`/api/signals/${record.n}`);
    if (answer.ok) return [await answer.json(), ""];
    return [null, "Shortened: the server no longer keeps the whole of it."];
  } catch {
    return [null, "Shortened: Prism did not answer when asked for the whole of it."];
  }
}

/** Write JSON with colours into a node, bounded in nodes, depth and length. */
function writeJson(into, value) {
  let left = MAX_NODES;
  const say = (text, kind) => into.append(kind ? el("span", { class: kind, text }) : text);
  const write = (each, depth) => {
    left -= 1;
    if (left < 0) return;
    if (typeof each === "string") return say(quoted(each), each === "•••" ? "j-mask" : "j-text");
    if (each === null || typeof each !== "object") return say(String(each), "j-num");
    const keys = Object.keys(each);
    const [open, shut] = Array.isArray(each) ? "[]" : "{}";
    if (!keys.length) return say(open + shut, "j-mark");
    if (depth >= MAX_DEPTH) return say(`${open}… deeper than ${MAX_DEPTH} levels${shut}`, "j-mark");
    const pad = "  ".repeat(Math.min(depth, 24));
    say(`${open}\n`, "j-mark");
    keys.forEach((key, at) => {
      if (left < 0) return;
      say(`${pad}  `);
      if (!Array.isArray(each)) {
        say(plain(key), "j-key");
        say(": ", "j-mark");
      }
      write(each[key], depth + 1);
      say(at < keys.length - 1 ? ",\n" : "\n", "j-mark");
    });
    say(pad + shut, "j-mark");
  };
  write(value, 0);
  if (left < 0) say("\n… more than fits here; Copy has all of it", "j-mark");
}

function quoted(text) {
  const shown = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${count(text.length)} characters)` : text;
  return `"${lines(shown)}"`;
}
