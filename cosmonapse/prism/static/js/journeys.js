// Signals under way on the canvas: a fixed pool of particles, each on the path it really took.
import { SETTLING, kindOf } from "./types.js";

const POOL = 360;
const LEG_MS = 420;
const LONGEST_HOLD_MS = 20_000;
// What is begun in a second at most: more of it no eye can follow.
const PER_SECOND = { journey: 60, single: 60 };
const OUT = 0;
const HELD = 1;
const BACK = 2;

export class Journeys {
  constructor() {
    this.pool = Array.from({ length: POOL }, () => ({ live: false, kind: "task", phase: OUT, at: 0, caller: null, worker: null, task: null, reply: null, from: 0 }));
    this.free = [...this.pool];
    this.live = [];
    this.byTask = new Map();
    this.left = { ...PER_SECOND };
    this.filled = 0;
    this.heat = new Map();
    this.window = { seen: 0, drawn: 0 };
    this.ratio = { seen: 0, drawn: 0 };
    this.turned = 0;
  }

  /** Take in records; `locate(record)` gives the ids of the nodes of its two ends: {caller, worker}, null if unknown. */
  take(records, now, locate) {
    for (const record of records) {
      const kind = kindOf(record.type);
      if (kind === "presence") continue;
      this.window.seen += 1;
      const ends = locate(record);
      this.warm(ends.caller);
      this.warm(ends.worker);
      if (record.type === "TASK") this.begin(record, now, ends);
      else if (SETTLING.has(record.type)) this.finish(record, kind, now, ends);
      else this.single(kind, now, ends);
    }
  }

  warm(id) {
    if (id) this.heat.set(id, Math.min(1, (this.heat.get(id) ?? 0) + 0.08));
  }

  begin(record, now, ends) {
    const one = this.spend("journey");
    if (!one) return;
    this.start(one, { kind: "task", phase: OUT, at: now, ...ends, task: record.id, reply: null, from: 0 });
    this.byTask.set(record.id, one);
  }

  finish(record, kind, now, ends) {
    const one = this.byTask.get(record.parent_id);
    if (one === undefined) {
      if (this.byTask.size < POOL / 2) this.single(kind, now, ends);
      return;
    }
    this.window.drawn += 1;
    one.reply = kind;
    if (ends.worker) one.worker = ends.worker;
    if (ends.caller) one.caller = ends.caller;
  }

  single(kind, now, ends) {
    const one = this.spend("single");
    if (one) this.start(one, { kind, phase: BACK, at: now, ...ends, task: null, reply: null, from: 0 });
  }

  spend(what) {
    if (this.left[what] < 1 || this.free.length === 0) return null;
    this.left[what] -= 1;
    this.window.drawn += 1;
    return this.free.pop();
  }

  start(one, values) {
    Object.assign(one, values, { live: true });
    this.live.push(one);
  }

  /** Move everything on; `now` in ms. */
  step(now) {
    const passed_s = Math.min(0.1, (now - this.filled) / 1000);
    this.filled = now;
    for (const what in PER_SECOND) this.left[what] = Math.min(PER_SECOND[what] / 2, this.left[what] + PER_SECOND[what] * passed_s);
    for (const [id, value] of this.heat) {
      if (value < 0.01) this.heat.delete(id);
      else this.heat.set(id, value * (1 - Math.min(1, passed_s * 2)));
    }
    if (now - this.turned > 1000) {
      this.ratio = this.window;
      this.window = { seen: 0, drawn: 0 };
      this.turned = now;
    }
    let kept = 0;
    for (const one of this.live) {
      this.advance(one, now);
      if (one.live) this.live[kept++] = one;
      else this.end(one);
    }
    this.live.length = kept;
  }

  advance(one, now) {
    const passed = now - one.at;
    if (one.phase === OUT && passed >= 2 * LEG_MS) {
      one.phase = HELD;
      one.at = now;
    } else if (one.phase === HELD && one.reply !== null) {
      one.phase = BACK;
      one.kind = one.reply;
      one.at = now;
    } else if (one.phase === HELD && passed > LONGEST_HOLD_MS) one.live = false;
    else if (one.phase === BACK && passed >= 2 * LEG_MS) one.live = false;
  }

  end(one) {
    if (one.task !== null && this.byTask.get(one.task) === one) this.byTask.delete(one.task);
    one.task = null;
    this.free.push(one);
  }

  clear() {
    for (const one of this.live) {
      one.live = false;
      this.end(one);
    }
    this.live.length = 0;
    this.heat.clear();
  }

  /** Return {leg: 0 | 1, t, out} of a particle; leg 0 is at the caller's side. */
  where(one, now) {
    const t = Math.min(2, Math.max(0, (now - one.at) / LEG_MS));
    if (one.phase === HELD) return { leg: 1, t: 1, held: true };
    const eased = (value) => value * value * (3 - 2 * value);
    if (one.phase === OUT) return t < 1 ? { leg: 0, t: eased(t) } : { leg: 1, t: eased(t - 1) };
    return t < 1 ? { leg: 1, t: 1 - eased(t) } : { leg: 0, t: 1 - eased(t - 1) };
  }

  get busy() {
    return this.live.length > 0 || this.heat.size > 0;
  }
}
