// The lineage of one trace by parent ids: rows of a tree and rows of a waterfall. Pure.
import { QUESTIONS, SETTLING, kindOf, preview } from "./types.js";
import { length, plural } from "./format.js";

const MAX_TICKS = 120;

function families(records) {
  const ids = new Set();
  for (const record of records) ids.add(record.id);
  const children = new Map();
  const followers = new Map();
  const roots = [];
  for (const record of records) {
    const first = firstAttempt(record);
    if (first !== null && ids.has(first)) gather(followers, first, record);
    else if (record.parent_id === null || record.parent_id === undefined || record.parent_id === record.id || !ids.has(record.parent_id)) roots.push(record);
    else gather(children, record.parent_id, record);
  }
  return { roots, children, followers };
}

function gather(groups, key, record) {
  const group = groups.get(key);
  if (group) group.push(record);
  else groups.set(key, [record]);
}

/** Return the id of the TASK that a retry tries again, or null. */
function firstAttempt({ type, id, meta }) {
  const first = meta?.idempotency_key;
  return type === "TASK" && typeof first === "string" && first !== id ? first : null;
}

/** Walk parents before children, a retry right after what it tries again. Without recursion: a chain may be as long as all that is kept. */
function walk(records, visit) {
  const { roots, children, followers } = families(records);
  const seen = new Set();
  // A ring of parents has no root; its oldest record stands in for one.
  for (const root of [...roots, ...records]) {
    const stack = [[root, 0]];
    while (stack.length) {
      const [record, depth] = stack.pop();
      if (seen.has(record)) continue;
      seen.add(record);
      visit(record, depth, followers.get(record.id)?.length ?? 0);
      const push = (group, below) => {
        for (let at = group.length - 1; at >= 0; at -= 1) stack.push([group[at], below]);
      };
      push(followers.get(record.id) ?? [], depth);
      push(children.get(record.id) ?? [], depth + 1);
    }
  }
}

/** Return [{record, depth}] of every Signal. */
export function treeRows(records) {
  const rows = [];
  walk(records, (record, depth) => rows.push({ record, depth }));
  return rows;
}

/** Return a Map of the first Signal that settles each TASK, by the id of the TASK. */
export function settlings(records) {
  const settled = new Map();
  for (const record of records) if (SETTLING.has(record.type) && record.parent_id && !settled.has(record.parent_id)) settled.set(record.parent_id, record);
  return settled;
}

/** Return a Map of the results of tools, by the key of their call. */
export function toolResults(records) {
  const results = new Map();
  for (const record of records) if (record.type === "TOOL_RESULT") results.set(callKey(record), record);
  return results;
}

export const callKey = (record) => `${record.payload?.call_id ?? record.id}`;

const ms = (value) => (Number.isFinite(value) && value >= 0 && value < 1e12 ? value / 1000 : null);

/**
 * Return when a TASK waited and ran, as { queuedAt, started, queued_s }, in seconds; null where its
 * reply does not tell. A worker counts on a clock of its own: all stays within the TASK and its reply.
 */
export function timesOf(task, reply) {
  const queued_s = ms(reply?.meta?.queued_ms);
  if (queued_s === null) return { queuedAt: null, started: null, queued_s: null };
  const end = Math.max(task.ts, reply.ts);
  const started = Math.max(task.ts, end - (ms(reply.meta.ran_ms) ?? 0));
  return { queuedAt: Math.max(task.ts, started - queued_s), started, queued_s };
}

/** Return the instants of a record: those of all its pieces if it is a run of thoughts. */
function instants({ ts, run }) {
  return Array.isArray(run?.at) && run.at.length ? run.at.map((at) => ts + (ms(at) ?? 0)) : [ts];
}

/** Return the end of a record, which is that of its last piece. */
const endOf = ({ ts, run }) => Math.max(ts, Number.isFinite(run?.last_ts) ? run.last_ts : ts);

/**
 * Return {rows, start, end} with rows {record, depth, kind, label, what, from, to, open, ticks, how},
 * and for a TASK also {started, queuedAt, queued_s, firstThought, attempt, attempts}; all times are
 * seconds. `now` ends what is still open.
 */
export function waterfall(records, now) {
  const rows = [];
  const about = { settled: settlings(records), results: toolResults(records), streams: new Map(), tasks: new Map(), attempts: new Map(), now };
  walk(records, (record, depth, retries) => {
    if (retries) about.attempts.set(record.id, retries + 1);
    const row = rowOf(record, depth, about);
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

function rowOf(record, depth, about) {
  const row = { record, depth, kind: kindOf(record.type), label: record.type, what: preview(record), from: record.ts, to: record.ts, open: false, ticks: null, how: "point", neuron: record.neuron };
  if (record.type === "TASK") return taskRow(row, about);
  if (record.type === "THOUGHT_DELTA") return thoughtRow(row, about);
  if (record.type === "TOOL_CALL") {
    const result = about.results.get(callKey(record));
    row.how = "bar";
    row.open = result === undefined && !about.settled.has(record.parent_id);
    row.to = Math.max(row.from, result?.ts ?? about.settled.get(record.parent_id)?.ts ?? about.now);
  }
  return row;
}

function taskRow(row, { settled, tasks, attempts, now }) {
  const { record } = row;
  const reply = settled.get(record.id);
  row.how = "bar";
  row.open = reply === undefined;
  row.to = Math.max(reply === undefined ? now : reply.ts, record.ts);
  row.what = record.neuron ?? (record.capabilities ?? []).join(", ");
  row.failed = reply?.type === "ERROR";
  row.asked = reply !== undefined && QUESTIONS.has(reply.type);
  Object.assign(row, timesOf(record, reply));
  row.firstThought = null;
  const first = firstAttempt(record);
  row.attempts = attempts.get(first ?? record.id) ?? 1;
  row.attempt = first === null ? 1 : Number.isInteger(record.meta.attempt) ? record.meta.attempt : 2;
  if (row.attempts > 1 || row.attempt > 1) row.what += `, attempt ${row.attempt} of ${Math.max(row.attempt, row.attempts)}`;
  tasks.set(record.id, row);
  return row;
}

/** All thoughts of a task, and all of its reasoning, are one row each. */
function thoughtRow(row, { streams, tasks }) {
  const { record } = row;
  const isReasoning = record.payload?.kind === "reasoning";
  const task = tasks.get(record.parent_id);
  if (task) task.firstThought = Math.min(task.firstThought ?? Infinity, record.ts);
  const key = `${record.parent_id} ${isReasoning}`;
  const stream = streams.get(key);
  if (stream) {
    extend(stream, record);
    return null;
  }
  row.how = "ticks";
  row.ticks = [];
  row.count = 0;
  row.label = isReasoning ? "REASONING" : "THOUGHTS";
  extend(row, record);
  streams.set(key, row);
  return row;
}

function extend(row, record) {
  row.count += record.run?.count ?? 1;
  row.what = plural(row.count, "piece");
  row.to = Math.max(row.to, endOf(record));
  row.from = Math.min(row.from, record.ts);
  for (const ts of instants(record)) {
    if (row.ticks.length < MAX_TICKS) row.ticks.push(ts);
    else row.how = "band";
  }
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
      gather(pieces, streaming, record);
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
