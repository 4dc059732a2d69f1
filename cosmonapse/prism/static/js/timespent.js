// Where the time of a trace went: every instant belongs to the one thing that was waited for. Pure.
import { length, plain } from "./format.js";
import { callKey, settlings, timesOf, toolResults } from "./lineage.js";
import { QUESTIONS } from "./types.js";

const SHOWN = 5;
// A part below this share of the whole is told with the others, as "the rest".
const SMALL = 0.01;

/**
 * Return [{ name, s }], the longest first; the sum is the whole time. `now` ends what is still open.
 *
 * Of things at the same time, the one that ends last was waited for. What a task asks others for is
 * theirs; the rest is its own.
 */
export function timeSpent(records, now) {
  const { roots, below, from, to } = tasksOf(records, now);
  const spent = new Map();
  if (!(to > from)) return [];
  const give = (name, s) => s > 0 && spent.set(name, (spent.get(name) ?? 0) + s);
  const stack = [{ name: "other", from, to, items: roots }];
  while (stack.length) {
    const { name, from: begin, to: end, items } = stack.pop();
    let left = Math.max(0, end - begin);
    // Latest end first: what is claimed so far is always one piece up to the end.
    let free = end;
    for (const item of [...items].sort((a, b) => b.to - a.to)) {
      const till = Math.min(item.to, free);
      const since = Math.max(item.from, begin);
      free = Math.min(free, since);
      if (!(till > since)) continue;
      left -= till - since;
      if (item.id === undefined) give(item.name, till - since);
      else stack.push({ name: item.name, from: since, to: till, items: below.get(item.id) ?? [] });
    }
    give(name, left);
  }
  return [...spent].map(([name, s]) => ({ name, s })).sort((a, b) => b.s - a.s);
}

/** Return the parts of a trace as items { name, from, to, id }, those of each TASK under its id. */
function tasksOf(records, now) {
  const settled = settlings(records);
  const results = toolResults(records);
  const thinks = new Set();
  const tasks = new Map();
  let from = Infinity;
  let to = -Infinity;
  for (const record of records) {
    if (record.type === "TASK") tasks.set(record.id, record);
    else if (record.type === "THOUGHT_DELTA") thinks.add(record.parent_id);
    from = Math.min(from, record.ts);
    to = Math.max(to, record.ts);
  }
  const below = new Map();
  const roots = [];
  const put = (parent, item) => {
    if (!tasks.has(parent)) roots.push(item);
    else if (below.has(parent)) below.get(parent).push(item);
    else below.set(parent, [item]);
  };
  const asked = questions(records);
  for (const record of records) {
    if (record.type === "TASK") {
      const reply = settled.get(record.id);
      const end = Math.max(record.ts, reply?.ts ?? now);
      const name = plain(record.neuron ?? (record.capabilities ?? []).join(", "));
      // A ring of parents would ask for itself.
      put(record.parent_id === record.id ? null : (asked.get(record.parent_id)?.parent ?? record.parent_id), { id: record.id, name: thinks.has(record.id) ? `${name} thinking` : name, from: record.ts, to: end });
      queue(record, reply, put);
      to = Math.max(to, end);
    } else if (record.type === "TOOL_CALL") {
      const end = results.get(callKey(record))?.ts ?? settled.get(record.parent_id)?.ts ?? now;
      put(record.parent_id, { name: `tool ${plain(record.payload?.tool_name ?? "?")}`, from: record.ts, to: Math.max(record.ts, end) });
    } else if (QUESTIONS.has(record.type)) {
      const answered = asked.get(record.id).till;
      if (answered !== null) put(asked.get(record.id).parent, { name: "waiting for an answer", from: record.ts, to: answered });
    }
  }
  retries(tasks, settled, put);
  return { roots, below, from, to };
}

function queue(task, reply, put) {
  const { queuedAt, started } = timesOf(task, reply);
  if (started === null) return;
  put(task.id, { name: "queued", from: queuedAt, to: started });
  put(task.id, { name: "on the way", from: task.ts, to: queuedAt });
}

/** Return a Map of questions by id: { till, the start of the TASK that follows or null; parent, that of the TASK that asked }. */
function questions(records) {
  const found = new Map();
  const parents = new Map();
  for (const record of records) {
    if (record.type === "TASK") {
      const question = found.get(record.parent_id);
      if (question !== undefined) question.till ??= record.ts;
      parents.set(record.id, question === undefined ? record.parent_id : question.parent);
    } else if (QUESTIONS.has(record.type)) found.set(record.id, { till: null, parent: parents.get(record.parent_id) ?? null });
  }
  return found;
}

/** Between an attempt that failed and the next one nothing runs. */
function retries(tasks, settled, put) {
  const last = new Map();
  for (const [id, task] of tasks) {
    const key = task.meta?.idempotency_key ?? id;
    const before = last.get(key);
    const ended = before === undefined ? undefined : settled.get(before);
    if (ended !== undefined && ended.ts < task.ts) put(task.parent_id, { name: "waiting to try again", from: ended.ts, to: task.ts });
    last.set(key, id);
  }
}

/** Say it in words: "1.07 s: 600 ms assistant thinking, 240 ms tool glossary, 12 ms queued". */
export function timeWords(parts) {
  const whole = parts.reduce((sum, { s }) => sum + s, 0);
  if (!(whole > 0)) return "";
  const told = parts.slice(0, SHOWN).filter(({ s }) => s >= whole * SMALL);
  const rest = whole - told.reduce((sum, { s }) => sum + s, 0);
  const words = told.map(({ name, s }) => `${length(s)} ${name}`);
  if (rest >= whole * SMALL) words.push(`${length(rest)} the rest`);
  return `${length(whole)}: ${words.join(", ")}`;
}

/** Return how many tokens a second the models of a trace wrote, or null if that is not told. */
export function tokensPerSecond(records) {
  const settled = settlings(records);
  const first = new Map();
  let tokens = 0;
  let wrote_s = 0;
  for (const { type, parent_id, ts } of records) if (type === "THOUGHT_DELTA" && !first.has(parent_id)) first.set(parent_id, ts);
  for (const record of records) {
    if (record.type !== "TASK") continue;
    const reply = settled.get(record.id);
    const usage = (reply?.payload?.output ?? reply?.payload?.result)?.usage;
    const written = [usage?.completion_tokens, usage?.output_tokens, usage?.generated_tokens].find(Number.isFinite);
    if (written === undefined) continue;
    tokens += written;
    wrote_s += Math.max(0, reply.ts - (first.get(record.id) ?? timesOf(record, reply).started ?? record.ts));
  }
  return tokens > 0 && wrote_s > 0.001 ? tokens / wrote_s : null;
}
