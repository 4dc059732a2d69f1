// Where each Dendrite stands: callers on the left, workers on the right. Pure.
// A place is given once and kept; one that joins takes a free one and moves nobody.

const PER_ARC = 15;
const ARCS = 2;
const BEND = 0.9;

/** Return the k-th of fractions that fill (0, 1) evenly: 1/2, 1/4, 3/4, 1/8, ... */
export function fraction(k) {
  let number = k + 1;
  let value = 0;
  for (let part = 0.5; number > 0; part /= 2, number >>= 1) if (number & 1) value += part;
  return value;
}

export class Places {
  constructor() {
    this.sides = { left: [], right: [] };
    this.of = new Map();
  }

  /** Bring in line with [{id, side}]; return how many found no place. */
  update(wanted) {
    const ids = new Map(wanted.map((each) => [each.id, each.side]));
    for (const [id, { side, slot }] of this.of) {
      if (ids.get(id) === side) continue;
      this.sides[side][slot] = undefined;
      this.of.delete(id);
    }
    let homeless = 0;
    for (const { id, side } of wanted) {
      if (this.of.has(id)) continue;
      const slots = this.sides[side];
      let slot = 0;
      while (slots[slot] !== undefined) slot += 1;
      if (slot >= PER_ARC * ARCS) {
        homeless += 1;
        continue;
      }
      slots[slot] = id;
      this.of.set(id, { side, slot });
    }
    return homeless;
  }

  /** Return {x, y, side} for a space of this size, in px. */
  spot(id, width, height) {
    const place = this.of.get(id);
    if (place === undefined) return null;
    const { side, slot } = place;
    const arc = Math.floor(slot / PER_ARC);
    // Even steps downwards, not along the arc: names are lines of text and need the height.
    const down = 2 * fraction(slot % PER_ARC) - 1 + (arc ? 0.04 : 0);
    const rx = Math.min(width * (arc ? 0.37 : 0.28), 620);
    const ry = Math.min(height * (arc ? 0.43 : 0.42), 540);
    const out = rx * Math.sqrt(1 - (BEND * down) ** 2);
    return { x: width / 2 + (side === "right" ? out : -out), y: height * 0.465 + ry * down, side };
  }
}
