// Save records as JSON lines, as a file of the browser; nothing leaves the machine.
import { el } from "./dom.js";

export function save(records, name) {
  const text = records.map((record) => JSON.stringify(record)).join("\n");
  const href = URL.createObjectURL(new Blob([text, text ? "\n" : ""], { type: "application/x-ndjson" }));
  const at = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
  const link = el("a", { href, download: `prism-${name.replace(/[^\w.-]+/g, "_").slice(0, 60)}-${at}.jsonl` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
