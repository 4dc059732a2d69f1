// The types of Signals, in kinds that share a colour, and one line for what each one says. Pure.
import { compact, plain } from "./format.js";

export const KINDS = [
  ["task", "Tasks", ["TASK"]],
  ["reply", "Replies", ["AGENT_OUTPUT", "FINAL"]],
  ["error", "Errors", ["ERROR"]],
  ["question", "Questions", ["CLARIFICATION", "CLARIFICATION_ANSWER", "PERMISSION", "PERMISSION_DECISION", "ESCALATION"]],
  ["stream", "Thoughts", ["THOUGHT_DELTA", "PLAN", "CRITIQUE", "CONSENSUS", "CONTEXT_SYNC", "MEMORY_APPEND"]],
  ["tool", "Tools", ["TOOL_CALL", "TOOL_RESULT"]],
  ["auction", "Bids", ["TASK_OFFER", "BID", "TASK_AWARDED", "TASK_DECLINED"]],
  ["stop", "Stops", ["STOP", "STOPPED"]],
  ["presence", "Presence", ["REGISTER", "HEARTBEAT", "DEREGISTER", "DISCOVER"]],
];
export const TYPES = KINDS.flatMap(([, , types]) => types);
const KIND_OF = new Map(KINDS.flatMap(([kind, , types]) => types.map((type) => [type, kind])));

export const kindOf = (type) => KIND_OF.get(type) ?? "presence";

/** Types that settle the TASK they answer. */
export const SETTLING = new Set(["AGENT_OUTPUT", "FINAL", "ERROR", "CLARIFICATION", "PERMISSION", "ESCALATION"]);
export const QUESTIONS = new Set(["CLARIFICATION", "PERMISSION", "ESCALATION"]);

const TEXT_KEYS = ["prompt", "question", "text", "query", "message", "response", "answer", "content", "value", "result", "output"];

/** Return the one text in a value that people would read, or null. */
function gist(value) {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  for (const key of TEXT_KEYS) if (typeof value[key] === "string" && value[key]) return value[key];
  return null;
}

const said = (value) => gist(value) ?? compact(value);

const SAYS = {
  TASK: (p) => said(p.input),
  AGENT_OUTPUT: (p) => said(p.output),
  FINAL: (p) => said(p.result),
  ERROR: (p) => `${p.code ?? "?"}  ${p.message ?? ""}`,
  CLARIFICATION: (p) => said(p.question),
  CLARIFICATION_ANSWER: (p) => said(p.answer ?? p.input),
  PERMISSION: (p) => `may I ${said(p.action)}${p.scope ? `: ${said(p.scope)}` : ""}`,
  PERMISSION_DECISION: (p) => `${p.granted ? "granted" : "not granted"}${p.reason ? `: ${said(p.reason)}` : ""}`,
  ESCALATION: (p) => `${said(p.reason)}${p.target ? ` → ${said(p.target)}` : ""}`,
  THOUGHT_DELTA: (p) => said(p.delta),
  TOOL_CALL: (p) => `${said(p.tool_name)}(${compact(p.args ?? {}, 160).replace(/^\{|\}$/g, "")})`,
  TOOL_RESULT: (p) => `${said(p.tool_name)} → ${p.error === undefined ? said(p.result) : `error: ${said(p.error)}`}`,
  REGISTER: (p) => `${p.role ?? ""} ${compact(p.capabilities ?? [], 120)}`,
  HEARTBEAT: (p) => `${p.status ?? "?"}, ${p.running ?? 0} running, ${p.queued ?? 0} queued`,
  DEREGISTER: (p) => said(p.reason ?? ""),
};

/** Return what a record says, on one line. */
export function preview(record) {
  const payload = record.payload ?? {};
  const says = SAYS[record.type];
  return plain((says ? String(says(payload) ?? "") : said(payload)).slice(0, 400));
}
