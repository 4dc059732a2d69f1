// Traces as they follow from the kept records: built as records come, gone as they go. Pure.
import { QUESTIONS, SETTLING, kindOf } from "./types.js";

export class Trace {
  constructor(id) {
    this.id = id;
    this.head = 0;
    this.kept = [];
    this.tasks = new Map();
    this.open = 0;
    this.errors = 0;
    this.works = false;
    this.cut = false;
    this.first = null;
    this.outcome = null;
    this.lastTs = 0;
    this.startTs = 0;
    this.version = 0;
  }

  get size() {
    return this.kept.length - this.head;
  }

  /** The records that are kept, oldest first. */
  records() {
    return this.head ? this.kept.slice(this.head) : this.kept;
  }

  add(record) {
    this.version += 1;
    this.kept.push(record);
    if (!this.startTs) this.startTs = record.ts;
    if (record.ts > this.lastTs) this.lastTs = record.ts;
    if (!this.works && kindOf(record.type) !== "presence") this.works = true;
    if (record.type === "TASK") this.begin(record);
    else if (SETTLING.has(record.type)) this.settle(record);
  }

  begin(record) {
    if (this.tasks.has(record.id)) return;
    this.first ??= record;
    this.tasks.set(record.id, { record, settled: null });
    this.open += 1;
    // The TASK that follows a question goes on where that stopped.
    if (this.outcome !== null && this.outcome.id === record.parent_id) this.outcome = null;
  }

  settle(record) {
    if (record.type === "ERROR") this.errors += 1;
    const task = this.tasks.get(record.parent_id);
    if (task !== undefined && task.settled === null) {
      task.settled = record;
      this.open -= 1;
    }
    this.outcome = record;
  }

  /** Forget the oldest record. */
  shed() {
    this.version += 1;
    this.cut = true;
    const gone = this.kept[this.head];
    this.kept[this.head] = undefined;
    this.head += 1;
    if (this.head > 64 && this.head * 2 > this.kept.length) {
      this.kept = this.kept.slice(this.head);
      this.head = 0;
    }
    if (gone.type === "ERROR") this.errors -= 1;
    const task = this.tasks.get(gone.id);
    if (task === undefined) return;
    if (task.settled === null) this.open -= 1;
    this.tasks.delete(gone.id);
    if (this.first === gone) this.first = this.tasks.values().next().value?.record ?? null;
  }

  /** done, running, asking, failed, stopped or other (nobody asked for anything). */
  get status() {
    if (this.open > 0) return "running";
    const outcome = this.outcome;
    if (outcome === null) return "other";
    if (QUESTIONS.has(outcome.type)) return "asking";
    if (outcome.type !== "ERROR") return "done";
    return outcome.payload?.code === "CANCELLED" ? "stopped" : "failed";
  }

  get took_s() {
    return this.lastTs - this.startTs;
  }
}

export class Traces {
  constructor() {
    this.clear();
  }

  clear() {
    this.byId = new Map();
    this.order = [];
    this.dead = 0;
    this.born = 0;
  }

  get(id) {
    return this.byId.get(id);
  }

  add(record) {
    let trace = this.byId.get(record.trace_id);
    if (trace === undefined) {
      trace = new Trace(record.trace_id);
      this.byId.set(record.trace_id, trace);
      this.order.push(trace);
      this.born += 1;
    }
    trace.add(record);
  }

  shed(record) {
    const trace = this.byId.get(record.trace_id);
    if (trace === undefined) return;
    trace.shed();
    if (trace.size > 0) return;
    this.byId.delete(record.trace_id);
    this.dead += 1;
    if (this.dead > 256 && this.dead * 2 > this.order.length) {
      this.order = this.order.filter((each) => each.size > 0);
      this.dead = 0;
    }
  }
}
