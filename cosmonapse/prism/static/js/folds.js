// The pieces of a stream as one row that grows: those of one task and kind that no other Signal of it parts. Pure.

const MOST_TEXT = 400;
const MOST_OPEN = 2_000;

/** One row that stands for many THOUGHT_DELTAs. */
export class Fold {
  constructor(seq, record) {
    Object.assign(this, { seq, record, count: 0, bytes: 0, text: "" });
  }

  add(record) {
    this.count += 1;
    this.bytes += record.bytes;
    if (this.text.length < MOST_TEXT) this.text += String(record.payload?.delta ?? "").slice(0, MOST_TEXT);
  }
}

export class Folds {
  constructor() {
    this.clear();
  }

  clear() {
    this.open = new Map();
  }

  /** Take in a record: return null if it belongs to a row that there is, else the row that it begins. */
  take(seq, record, start) {
    const { type, parent_id: task } = record;
    if (type !== "THOUGHT_DELTA" || !task) {
      if (task) this.open.delete(task);
      return seq;
    }
    const kind = record.payload?.kind ?? "";
    const held = this.open.get(task);
    // A row goes with its first piece; what comes after that begins another one.
    if (held !== undefined && held.kind === kind && held.fold.seq >= start) {
      held.fold.add(record);
      return null;
    }
    const fold = new Fold(seq, record);
    fold.add(record);
    this.open.delete(task);
    this.open.set(task, { kind, fold });
    if (this.open.size > MOST_OPEN) this.open.delete(this.open.keys().next().value);
    return fold;
  }
}

/** Return the record that a fold stands for: the first one with the text of all that the ring has of it. */
export function whole(fold, ring) {
  const { record, seq } = fold;
  const parts = [];
  let last = record;
  for (let at = Math.max(seq, ring.start); at < ring.end && parts.length < fold.count; at += 1) {
    const each = ring.at(at);
    if (each.type !== "THOUGHT_DELTA" || each.parent_id !== record.parent_id || (each.payload?.kind ?? "") !== (record.payload?.kind ?? "")) continue;
    parts.push(String(each.payload?.delta ?? ""));
    last = each;
  }
  return { ...record, bytes: fold.bytes, payload: { ...record.payload, delta: parts.join("") }, run: { count: fold.count, last_ts: last.ts } };
}
