// Traces in words: their status, what was asked and answered, where their Signals are. Pure.
import { age, count, length, perSecond, plain, plural } from "./format.js";

const WORDS = { done: "done", running: "running", asking: "asking", failed: "failed", stopped: "stopped", unseen: "no outcome seen", other: "no task" };
export const ASKS = { clarification: "asks", permission: "asks for permission", escalation: "asks somebody to take over" };
const PINS = { failed: "kept longer, because it failed", slow: "kept longer, because it was slow" };

export const wordOf = (status) => WORDS[status] ?? plain(status);

export function promptOf({ prompt, beginning, tasks }) {
  if (prompt) return plain(prompt);
  return beginning === "gone" ? "(its beginning is gone)" : tasks ? "(empty input)" : "(no task)";
}

export const callerOf = ({ caller }) => (caller ? plain(caller.name || caller.instance.slice(0, 8)) : "");

/** The neuron of the first task, and how many others there are. */
export function neuronsOf({ neuron, neurons = [], more_neurons = 0 }) {
  const first = neuron ?? neurons[0] ?? "";
  const more = neurons.filter((each) => each !== first).length + more_neurons;
  return more ? `${plain(first)} +${more}` : plain(first);
}

/** How long it has lasted by now; `at` is the clock of the server. */
export const lasted = ({ status, began_ts, took_s }, at) => (status === "running" ? Math.max(0, at - began_ts) : took_s);

/** The line under a row of the list: what a person must know of it beyond the neuron. */
export function remarkOf({ status, beginning, pinned, cause, ask, retries }) {
  const said = [];
  if (status === "asking" && ask) said.push(plain(ask.question));
  if (status === "failed" && cause) said.push(plain(cause.code));
  if (retries) said.push(plural(retries, "retry", "retries"));
  if (beginning === "gone") said.push("beginning gone");
  if (pinned) said.push(`kept: ${plain(pinned)}`);
  return said.join(" · ");
}

/** The line of facts below the prompt. */
export function factsOf(trace, at, clock) {
  const took = trace.status === "running" ? `${age(lasted(trace, at))} so far` : length(trace.took_s);
  const thought = Number.isFinite(trace.first_thought_s) ? `first thought after ${length(trace.first_thought_s)}` : "";
  return [neuronsOf(trace), callerOf(trace) && `asked by ${callerOf(trace)}`, took, thought, `began ${clock(trace.began_ts)}`].filter(Boolean).join("  ·  ");
}

/** How much of it there is, and what is not. */
export function countsOf({ signals, errors, dropped, beginning, pinned }) {
  const said = [plural(signals, "Signal")];
  if (errors) said.push(plural(errors, "error"));
  if (beginning === "gone") said.push("its beginning is gone: Prism came later");
  if (dropped) said.push(`${plural(dropped, "Signal")} of the middle not kept`);
  if (PINS[pinned]) said.push(PINS[pinned]);
  return said.join(", ");
}

/** What its models did, or "". */
export function modelWords(model, tokens_s) {
  if (!model) return "";
  const said = [(model.models ?? []).map(plain).join(", ") || "a model"];
  if (Number.isFinite(model.tokens_in)) said.push(`${count(model.tokens_in)} tokens in`);
  if (Number.isFinite(model.tokens_out)) said.push(`${count(model.tokens_out)} out`);
  if (tokens_s !== null) said.push(`${perSecond(tokens_s)} tokens/s`);
  if (model.retries) said.push(plural(model.retries, "retry", "retries"));
  if (model.finish_reason) said.push(`ended: ${plain(model.finish_reason)}`);
  if (Number.isFinite(model.cost)) said.push(`cost ${model.cost.toPrecision(3)} ${plain(model.currency ?? "")}`.trim());
  return said.join("  ·  ");
}

/** What stands first of a trace that failed or asks: { text, class }; null of any other. */
export function headlineOf({ status, cause, ask }) {
  if (status === "failed" && cause) return { class: "st-failed", text: `${plain(cause.neuron ?? "nobody")} failed, ${plain(cause.code)}: ${plain(cause.message ?? "")}` };
  if (status !== "asking" || !ask) return null;
  return { class: "st-asking", text: `${plain(ask.neuron ?? "It")} ${ASKS[ask.kind] ?? "asks"}: ${plain(ask.question)}\nMay answer: ${plain(ask.who ?? "its caller")}. Prism only looks.` };
}

/** A summary made of records alone, where the server tells none. */
export function summaryOf(id, records, first) {
  const task = records.find(({ type }) => type === "TASK");
  const names = [...new Set(records.filter(({ type }) => type === "TASK").map(({ neuron, capabilities }) => neuron ?? (capabilities ?? []).join(", ")))];
  const began_ts = records[0]?.ts ?? 0;
  const last_ts = records.reduce((last, { ts }) => Math.max(last, ts), began_ts);
  return {
    id: records[0]?.trace_id ?? id, v: 0, began_ts, last_ts, took_s: last_ts - began_ts, first_thought_s: null, status: "other", prompt: first,
    caller: task?.caller ? { instance: task.caller, name: "" } : null, neuron: names[0] ?? null, neurons: names.slice(0, 8), more_neurons: Math.max(0, names.length - 8),
    tasks: names.length, signals: records.length, errors: records.filter(({ type }) => type === "ERROR").length, retries: 0, beginning: "seen", dropped: 0, pinned: "", cause: null, ask: null, model: null,
  };
}
