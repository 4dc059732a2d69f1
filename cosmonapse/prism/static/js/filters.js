// What is looked for: kinds, one type, a neuron, instances, a trace, a text. Kept in the address.
import { kindOf } from "./types.js";

const KEYS = ["neuron", "instance", "trace", "type", "text"];
// `instance` may be those of a whole group: the state names up to 200 callers.
const MOST_CHARS = { instance: 200 * 33 };

/** Return a function that tells whether an instance is one of those, joined by commas. */
export function among(instances) {
  const all = new Set(instances.split(","));
  return (instance) => all.has(instance);
}

export class Filters {
  constructor(changed) {
    this.changed = changed;
    this.kinds = new Set();
    this.names = {};
    this.version = 0;
    for (const key of KEYS) this[key] = "";
  }

  /** Set some; `names` is what an instance is called. */
  set(values, names = {}) {
    Object.assign(this, values);
    Object.assign(this.names, names);
    this.touch();
  }

  toggleKind(kind) {
    if (!this.kinds.delete(kind)) this.kinds.add(kind);
    this.touch();
  }

  clear() {
    for (const key of KEYS) this[key] = "";
    this.kinds.clear();
    this.touch();
  }

  touch() {
    this.version += 1;
    this.changed();
  }

  get any() {
    return this.kinds.size > 0 || KEYS.some((key) => this[key] !== "");
  }

  wants(neuron) {
    return !this.neuron || neuron === this.neuron;
  }

  /** The filters as [key, shown value] for chips. */
  list() {
    const found = KEYS.filter((key) => this[key]).map((key) => [key, this.names[this[key]] ?? this[key]]);
    if (this.kinds.size) found.push(["kinds", [...this.kinds].join(", ")]);
    return found;
  }

  drop(key) {
    if (key === "kinds") this.kinds.clear();
    else this[key] = "";
    this.touch();
  }

  /** Return a function of a record, made for the filters as they are now. */
  matcher() {
    const { neuron, instance, trace, type } = this;
    const isWanted = among(instance);
    const kinds = new Set(this.kinds);
    const text = this.text.toLowerCase();
    return (record) =>
      (kinds.size === 0 || kinds.has(kindOf(record.type))) &&
      (type === "" || record.type === type) &&
      (neuron === "" || record.neuron === neuron) &&
      (trace === "" || record.trace_id.startsWith(trace)) &&
      (instance === "" || isWanted(record.caller) || isWanted(record.worker)) &&
      (text === "" || says(record, text));
  }

  write(params) {
    for (const key of KEYS) if (this[key]) params.set(key, this[key]);
    if (this.kinds.size) params.set("kinds", [...this.kinds].join(","));
  }

  read(params) {
    for (const key of KEYS) this[key] = (params.get(key) ?? "").slice(0, MOST_CHARS[key] ?? 200);
    this.kinds = new Set((params.get("kinds") ?? "").split(",").filter(Boolean));
  }
}

/** Tell whether a record holds a text (lower case) in its ids, names, keys or values. */
export function says(record, text) {
  const heads = [record.type, record.neuron, record.trace_id, record.id, record.parent_id, record.worker, record.caller];
  return heads.some((each) => holds(each, text)) || holds(record.payload, text) || holds(record.meta, text);
}

function holds(value, text) {
  if (typeof value === "string") return value.toLowerCase().includes(text);
  if (typeof value === "number") return String(value).includes(text);
  if (value === null || typeof value !== "object") return false;
  for (const key in value) if (key.toLowerCase().includes(text) || holds(value[key], text)) return true;
  return false;
}
