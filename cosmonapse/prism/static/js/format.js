// Values as text for people: times, lengths, sizes, payloads. Pure.

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const NUMBER = new Intl.NumberFormat("en");
const two = (value) => String(value).padStart(2, "0");

function visible(char) {
  const code = char.codePointAt(0);
  if (char === "\n") return "↵";
  if (char === "\t") return "→";
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return `⟨${code.toString(16).padStart(4, "0")}⟩`;
}

/** Return text on one line with every control and direction character made visible. */
export function plain(text) {
  return String(text).replace(CONTROL, visible);
}

/** The same, but line ends and tabs stay. */
export function lines(text) {
  return String(text).replace(CONTROL, (char) => (char === "\n" || char === "\t" ? char : visible(char)));
}

/** Return a wall-clock time with milliseconds. */
export function clock(ts) {
  if (!Number.isFinite(ts) || Math.abs(ts) > 8e12) return "–";
  const at = new Date(ts * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export const seconds = (ts) => clock(ts).slice(0, 8);

/** Return a length of time with about three digits. */
export function length(value_s) {
  if (!Number.isFinite(value_s)) return "–";
  const s = Math.max(0, value_s);
  if (s === 0) return "0 ms";
  if (s < 0.0009995) return `${Math.round(s * 1e6)} µs`;
  if (s < 0.01) return `${(s * 1000).toFixed(2)} ms`;
  if (s < 0.1) return `${(s * 1000).toFixed(1)} ms`;
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 10) return `${s.toFixed(2)} s`;
  if (s < 60) return `${s.toFixed(1)} s`;
  return age(s);
}

/** Return an age in at most two units. */
export function age(value_s) {
  if (!Number.isFinite(value_s)) return "–";
  const s = Math.max(0, Math.floor(value_s));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function size(bytes) {
  if (!Number.isFinite(bytes)) return "–";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export const count = (value) => (Number.isFinite(value) ? NUMBER.format(value) : "–");

/** Return a number with its noun: "1 task", "1,200 tasks"; `many` if it is not the noun with an s. */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function perSecond(value) {
  if (!Number.isFinite(value)) return "–";
  return value > 0 && value < 10 ? value.toFixed(1) : NUMBER.format(Math.round(value));
}

/** Return the eight characters that people print of a trace. */
export const short = (id) => (typeof id === "string" ? id.slice(0, 8) : "–");

/** Return a value as JSON of at most about `budget` characters; never walks further than that. */
export function compact(value, budget = 240) {
  const out = [];
  let left = budget;
  const say = (text) => {
    out.push(text);
    left -= text.length;
  };
  const walk = (each, depth) => {
    if (left <= 0) return;
    if (typeof each === "string") return say(JSON.stringify(each.length > left ? `${each.slice(0, left)}…` : each));
    if (each === null || typeof each !== "object") return say(String(each));
    if (depth > 12) return say("…");
    const isArray = Array.isArray(each);
    say(isArray ? "[" : "{");
    let first = true;
    for (const key in each) {
      if (left <= 0) break;
      if (!first) say(", ");
      first = false;
      if (!isArray) say(`${key}: `);
      walk(each[key], depth + 1);
    }
    say(isArray ? "]" : "}");
  };
  walk(value, 0);
  return left <= 0 ? `${out.join("")}…` : out.join("");
}
