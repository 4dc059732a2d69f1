// The lineage of one trace by parent ids: rows of a tree and rows of a waterfall. Pure.
import { QUESTIONS, SETTLING, kindOf, preview } from "./types.js";
import { length } from "./format.js";

const MAX_TICKS = 120;

function families(records) {
  const ids = new Set();
  for (const record of records) ids.add(record.id);
  const children = new Map();
  const roots = [];
  for (const record of records) {
    if (record.parent_id === null || record.parent_id === undefined || record.parent_id === record.id || !ids.has(record.parent_id)) roots.push(record);
    else if (children.has(record.parent_id)) children.get(record.parent_id).push(record);
    else children.set(record.parent_id, [record]);
  }
  return { roots, children };
}

/** Walk parents before children without recursion: a chain may be as long as all that is kept. */
function walk(records, visit) {
  const { roots, children } = families(records);
  const seen = new Set();
  // A ring of parents has no root; its oldest record stands in for one.
  for (const root of [...roots, ...records]) {
    const stack = [[root, 0]];
    while (stack.length) {
      const [record, depth] = stack.pop();
      if (seen.has(record)) continue;
      seen.add(record);
      visit(record, depth, children.get(record.id) ?? []);
      const below = children.get(record.id) ?? [];
      for (let at = below.length - 1; at >= 0; at -= 1) stack.push([below[at], depth + 1]);
    }
  }
}

/** Return [{record, depth}] of every Signal. */
export function treeRows(records) {
  const rows = [];
  walk(records, (record, depth) => rows.push({ record, depth }));
  return rows;
}

/**
 * Return {rows, start, end} with rows {record, depth, kind, label, what, from, to, open, ticks, how}
 * whose times are seconds. `now` ends what is still open.
 */
export function waterfall(records, now) {
  const rows = [];
  const settled = new Map();
  const results = new Map();
  for (const record of records) {
    if (SETTLING.has(record.type) && record.parent_id && !settled.has(record.parent_id)) settled.set(record.parent_id, record);
    if (record.type === "TOOL_RESULT") results.set(callKey(record), record);
  }
  const streams = new Map();
  walk(records, (record, depth) => {
    const row = rowOf(record, depth, { settled, results, streams, now });
    if (row) rows.push(row);
  });
  let start = Infinity;
  let end = -Infinity;
  for (const row of rows) {
    if (row.from < start) start = row.from;
    if (row.to > end) end = row.to;
  }
  return rows.length ? { rows, start, end: Math.max(end, start + 0.001) } : { rows, start: 0, end: 1 };
}

const callKey = (record) => `${record.payload?.call_id ?? record.id}`;

function rowOf(record, depth, { settled, results, streams, now }) {
  const row = { record, depth, kind: kindOf(record.type), label: record.type, what: preview(record), from: record.ts, to: record.ts, open: false, ticks: null, how: "point", neuron: record.neuron };
  if (record.type === "TASK") {
    const reply = settled.get(record.id);
    row.how = "bar";
    row.open = reply === undefined;
    row.to = reply === undefined ? Math.max(now, record.ts) : reply.ts;
    row.what = record.neuron ?? (record.capabilities ?? []).join(", ");
    row.failed = reply?.type === "ERROR";
    row.asked = reply !== undefined && QUESTIONS.has(reply.type);
  } else if (record.type === "THOUGHT_DELTA") {
    const stream = streams.get(record.parent_id);
    if (stream) {
      extend(stream, record);
      return null;
    }
    row.how = "ticks";
    row.ticks = [record.ts];
    row.count = 1;
    row.label = "THOUGHTS";
    row.what = "1 piece";
    streams.set(record.parent_id, row);
  } else if (record.type === "TOOL_CALL") {
    const result = results.get(callKey(record));
    row.how = "bar";
    row.open = result === undefined;
    row.to = result?.ts ?? (settled.get(record.parent_id)?.ts ?? now);
    row.to = Math.max(row.to, row.from);
    row.what = preview(record);
  } else if (record.type === "TOOL_RESULT" && record.payload?.error === undefined) {
    row.what = preview(record);
  }
  return row;
}

function extend(row, record) {
  row.count += 1;
  row.what = `${row.count} pieces`;
  row.to = Math.max(row.to, record.ts);
  row.from = Math.min(row.from, record.ts);
  if (row.ticks.length < MAX_TICKS) row.ticks.push(record.ts);
  else row.how = "band";
}

/** Return instants for an axis over `span` seconds: [offset, text], about `wanted` of them. */
export function axisTicks(span, wanted) {
  const rough = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? power * 10;
  const ticks = [];
  for (let at = 0; at <= span * 1.0001 && ticks.length < 50; at += step) ticks.push([at, at === 0 ? "0" : axisText(at, step)]);
  return ticks;
}

function axisText(at, step) {
  if (step >= 1) return at >= 120 ? length(at) : `${Math.round(at)} s`;
  if (step >= 0.001) return at >= 1 ? `${at.toFixed(step < 0.01 ? 3 : step < 0.1 ? 2 : 1)} s` : `${Math.round(at * 1000)} ms`;
  return `${(at * 1000).toFixed(2)} ms`;
}

/** Return the text that streams or was given as the answer: {text, from: "stream" | "reply", record}. */
export function answerOf(records) {
  let reply = null;
  let streaming = null;
  const pieces = new Map();
  for (const record of records) {
    if (SETTLING.has(record.type)) reply = record;
    else if (record.type === "THOUGHT_DELTA" && record.payload?.kind !== "reasoning") {
      streaming = record.parent_id;
      const own = pieces.get(streaming);
      if (own) own.push(record);
      else pieces.set(streaming, [record]);
    }
  }
  if (reply?.type === "ERROR" || (reply && QUESTIONS.has(reply.type))) return { text: preview(reply), from: "reply", record: reply };
  if (streaming !== null) {
    const own = pieces.get(streaming);
    own.sort((a, b) => (a.payload?.seq ?? a.n) - (b.payload?.seq ?? b.n));
    return { text: own.map((each) => String(each.payload?.delta ?? "")).join(""), from: "stream", record: own[own.length - 1] };
  }
  return reply ? { text: preview(reply), from: "reply", record: reply } : null;
}
