// Who keeps which slot of one side of the map. Pure.
// A slot is given once and kept: one that joins takes a free one and moves nobody, until none is
// left and there must be more of them.

/** Return how many slots to lay out for `count`: some are free, so that not each one moves all. */
export function level(count) {
  let slots = Math.min(count, 4);
  while (slots < count) slots = Math.ceil(slots * 1.3);
  return slots;
}

export class Places {
  constructor() {
    this.slots = [];
    this.of = new Map();
  }

  /** Bring in line with `ids`, in the order that a new layout gives them; `most` slots at most. */
  update(ids, most) {
    const wanted = new Set(ids);
    for (const [id, slot] of this.of) {
      if (wanted.has(id)) continue;
      this.slots[slot] = undefined;
      this.of.delete(id);
    }
    const wide = Math.min(most, level(ids.length));
    const isLoose = this.slots.length > Math.max(most, level(wide + 1));
    if (ids.length > this.slots.length || isLoose) this.renew(ids, wide);
    else for (const id of ids) if (!this.of.has(id)) this.give(id, this.free());
  }

  renew(ids, wide) {
    this.slots = new Array(wide).fill(undefined);
    this.of.clear();
    const first = (wide - ids.length) >> 1;
    ids.forEach((id, at) => this.give(id, first + at));
  }

  give(id, slot) {
    this.slots[slot] = id;
    this.of.set(id, slot);
  }

  /** Return the free slot that is nearest to the middle. */
  free() {
    const middle = (this.slots.length - 1) / 2;
    let best = -1;
    this.slots.forEach((id, slot) => {
      if (id === undefined && (best < 0 || Math.abs(slot - middle) < Math.abs(best - middle))) best = slot;
    });
    return best;
  }
}
