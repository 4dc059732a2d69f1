// What a trace is called: its status, what was asked, who works on it. Pure.
import { plain } from "./format.js";
import { preview } from "./types.js";

export const WORDS = { done: "done", running: "running", asking: "asking", failed: "failed", stopped: "stopped", other: "no task" };

export function promptOf(trace) {
  if (trace.first !== null) return preview(trace.first) || "(empty input)";
  return trace.cut ? "(its beginning is no longer kept)" : preview(trace.records()[0]);
}

export function neuronsOf(trace) {
  const first = trace.first?.neuron ?? trace.records()[0]?.neuron;
  const names = new Set([...trace.tasks.values()].slice(0, 50).map(({ record }) => record.neuron ?? (record.capabilities ?? []).join(",")));
  if (names.size === 0) return plain(first ?? "");
  const [one] = names;
  return plain(names.size === 1 ? one : `${one} +${names.size - 1}`);
}
