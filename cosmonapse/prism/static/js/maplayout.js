// Where each node of the map and its label stand, and the path of its edge. Pure.
// Rows and columns: no two labels can touch, and no edge runs through one. What finds no room is
// not drawn: the table has it.

const MARGIN_PX = 16;
const TOP_PX = 12;
// Sizes at a scale of 1, by the lines of a label.
const ROW_PX = { 1: 20, 2: 38 };
const LABEL_PX = { 1: 16, 2: 30 };
const NODE_PX = { 1: 8, 2: 16 };
const COLUMN_PX = 148;
const WIDEST_ROW_PX = 88;
const GAP_PX = 6;
export const SYNAPSE_PX = 28;
const CURVE_STEPS = 16;

/** The scale of all sizes in a space. */
const scaleOf = ({ width, height }) => Math.max(1, Math.min(1.4, width / 1100, height / 780));

/** Return how `count` nodes fit a space: columns, rows, lines of a label, how many there is room for. */
function formOf(count, width, height, k) {
  const widest = Math.floor(width / (COLUMN_PX * k));
  const forms = [];
  for (const lines of [2, 1]) {
    const rows = Math.floor(height / (ROW_PX[lines] * k));
    for (let columns = 1; columns <= Math.max(1, widest); columns += 1) forms.push({ lines, columns, rows, capacity: width < COLUMN_PX / 2 ? 0 : rows * columns });
  }
  const whole = forms.find((form) => form.capacity >= count);
  // With too many for any form, few that can be read are better than many that cannot.
  return whole ?? forms.filter((form) => form.lines === 2).at(-1);
}

/**
 * Return {middle, k, spots, hidden, labels}: `spots` maps an id to {x, y, r_px, side, path, label},
 * `path` is [x, y, x, y, ...] from the node to the Synapse; `hidden` counts those without a spot.
 *
 * `sides` are {left, right}, each {nodes: [{id, name, sub, weight}], places}; nodes with the
 * largest weight are drawn if not all can be. `measure(text, size_px, weight)` gives px.
 */
export function layMap(sides, room, measure) {
  const k = scaleOf(room);
  const height = room.height - 2 * TOP_PX;
  const many = sides.right.nodes.length > Math.floor(height / (ROW_PX[2] * k));
  const middle = { x: Math.round(room.width * (many ? 0.36 : 0.44)), y: Math.round(room.height / 2) };
  const fan = Math.max(64, Math.min(220, room.width * 0.13)) + SYNAPSE_PX * k;
  const laid = { middle, k, spots: new Map(), hidden: { left: 0, right: 0 } };
  for (const [side, { nodes, places }] of Object.entries(sides)) {
    const out = side === "right" ? 1 : -1;
    const width = (side === "right" ? room.width - middle.x : middle.x) - fan - MARGIN_PX;
    const form = { ...formOf(nodes.length, width, height, k), width, height, fan, k, out, side };
    laid.hidden[side] = laySide(laid, nodes, places, form, measure);
  }
  return laid;
}

function laySide(laid, nodes, places, form, measure) {
  const hidden = nodes.length > form.capacity ? nodes.length - Math.max(0, form.capacity - 1) : 0;
  const shown = hidden ? select(nodes, form.capacity - 1, places) : nodes;
  const extra = hidden && form.capacity > 0 ? [{ id: moreId(form.side), name: `and ${hidden} more`, sub: "in the table" }] : [];
  places.update([...shown, ...extra].map((node) => node.id), form.capacity);
  const slots = places.slots.length;
  const rows = Math.min(form.rows, Math.ceil(slots / form.columns));
  const columns = Math.ceil(slots / Math.max(1, rows));
  const pitch = Math.min(form.height / Math.max(1, rows), WIDEST_ROW_PX * form.k);
  const grid = { ...form, rows, columns, pitch, column: form.width / Math.max(1, columns) };
  for (const node of [...shown, ...extra]) laid.spots.set(node.id, spotOf(laid.middle, node, places.of.get(node.id), grid, measure));
  return hidden;
}

export const moreId = (side) => `more ${side}`;

/** Choose the `most` with the largest weight; of equal ones those that are drawn already. */
function select(nodes, most, places) {
  const ranked = nodes.map((node, at) => ({ node, at, weight: node.weight ?? 0, stays: places.of.has(node.id) ? 1 : 0 }));
  ranked.sort((a, b) => b.weight - a.weight || b.stays - a.stays || a.at - b.at);
  return ranked.slice(0, Math.max(0, most)).sort((a, b) => a.at - b.at).map(({ node }) => node);
}

function spotOf(middle, node, slot, grid, measure) {
  const { k, out, fan, pitch, rows, lines, column } = grid;
  const [at, row] = [Math.floor(slot / rows), slot % rows];
  const down = rows > 1 ? (2 * row) / (rows - 1) - 1 : 0;
  const node_px = NODE_PX[lines] * k;
  // One column bends round the Synapse; several are a grid, with edges in the gaps of its rows.
  const bulge = grid.columns === 1 ? Math.min(48 * k, grid.width * 0.14) : 0;
  const bend = bulge * Math.sqrt(1 - (0.9 * down) ** 2);
  const away = fan + at * column + bend + node_px;
  const y = middle.y + (row - (rows - 1) / 2) * pitch;
  const x = middle.x + out * away;
  const most = column - bend - 2 * node_px - (GAP_PX + 8) * k;
  const natural = Math.max(measure(node.name, 12 * k, 600), lines === 2 ? measure(node.sub ?? "", 11 * k, 400) : 0);
  const width = Math.max(0, Math.min(Math.ceil(natural), most));
  const height = LABEL_PX[lines] * k;
  const edge = x + out * (node_px + GAP_PX * k);
  const label = { x: out > 0 ? edge : edge - width, y: y - height / 2, width, height, most, lines };
  return { x, y, node_px, out, side: grid.side, path: pathOf(middle, { x, y, at, node_px }, grid), label };
}

function pathOf(middle, { x, y, at, node_px }, { k, out, fan, pitch, columns }) {
  const port = { x: middle.x + out * SYNAPSE_PX * k, y: middle.y };
  if (at === 0) return curve({ x: x - out * 0, y }, port);
  // In the gap below its row, so that it passes between labels; lines of two columns lie apart.
  const gap = y + pitch / 2 + (at - columns / 2) * 2;
  const before = middle.x + out * fan;
  const hook = x - out * (node_px + 6 * k);
  return [...curve({ x, y }, { x: hook, y: gap }, 6), ...curve({ x: before, y: gap }, port)];
}

/** Return points of a curve that leaves and arrives level. */
function curve(from, to, steps = CURVE_STEPS) {
  const points = [];
  const half = (to.x - from.x) / 2;
  for (let step = 0; step <= steps; step += 1) {
    const t = step / steps;
    const v = 1 - t;
    const [a, b, c, d] = [v * v * v, 3 * v * v * t, 3 * v * t * t, t * t * t];
    points.push(a * from.x + b * (from.x + half) + c * (to.x - half) + d * to.x, (a + b) * from.y + (c + d) * to.y);
  }
  return points;
}

/** Return the path on which one node asks another: past the Synapse, or in front of its own side. */
export function arcOf(from, to, middle, k) {
  const mean = (from.y + to.y) / 2;
  const across = mean > middle.y + 40 * k ? Math.max(mean, middle.y + 100 * k) : Math.min(mean, middle.y - 56 * k);
  const isAside = from.side === to.side;
  const bend = isAside ? { x: (from.x + to.x) / 2 - from.out * (60 * k + Math.abs(to.y - from.y) / 3), y: mean } : { x: middle.x, y: 2 * across - mean };
  const path = [];
  for (let step = 0; step <= CURVE_STEPS; step += 1) {
    const t = step / CURVE_STEPS;
    for (const axis of ["x", "y"]) path.push((1 - t) ** 2 * from[axis] + 2 * t * (1 - t) * bend[axis] + t * t * to[axis]);
  }
  return path;
}

/** Return the lengths along a path from its begin to each of its points. */
export function lengthsOf(path) {
  const lengths = [0];
  for (let at = 2; at < path.length; at += 2) lengths.push(lengths.at(-1) + Math.hypot(path[at] - path[at - 2], path[at + 1] - path[at - 1]));
  return lengths;
}

/** Return the point at `t` (0: the node, 1: the Synapse) of a path. */
export function along(path, lengths, t) {
  const goal = t * lengths.at(-1);
  let at = 1;
  while (at < lengths.length - 1 && lengths[at] < goal) at += 1;
  const span = lengths[at] - lengths[at - 1];
  const part = span > 0 ? (goal - lengths[at - 1]) / span : 0;
  const x = path[2 * at - 2];
  const y = path[2 * at - 1];
  return { x: x + (path[2 * at] - x) * part, y: y + (path[2 * at + 1] - y) * part };
}

/** Return how far a point is from a path, in px. */
export function distanceTo(path, x, y) {
  let best = Infinity;
  for (let at = 2; at < path.length; at += 2) {
    const [ax, ay, bx, by] = [path[at - 2], path[at - 1], path[at], path[at + 1]];
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length2 > 0 ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2)) : 0;
    best = Math.min(best, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)));
  }
  return best;
}
