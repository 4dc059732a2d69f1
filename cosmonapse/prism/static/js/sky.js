// Paints the map on a canvas: edges, the Synapse, rings of the nodes, what is under way.
import { token } from "./theme.js";
import { SYNAPSE_PX, along, arcOf, distanceTo, lengthsOf } from "./maplayout.js";

const STATES = ["alive", "stuck", "gone", "draining", "away"];
const KINDS = ["task", "reply", "error", "question", "stream", "tool", "auction", "stop", "presence"];
const EDGE_REACH_PX = 6;

export class Sky {
  constructor(canvas) {
    this.canvas = canvas;
    this.sheet = canvas.getContext("2d");
    // Circles change once a second at most: they are painted aside and laid on top.
    this.front = document.createElement("canvas").getContext("2d");
    this.pen = this.sheet;
    this.width = 0;
    this.height = 0;
    this.k = 1;
    this.stars = new Map();
    this.arcs = [];
    this.retheme();
  }

  retheme() {
    this.colour = { soft: token("--soft"), faint: token("--faint"), line: token("--line-strong"), panel: token("--panel"), accent: token("--accent") };
    for (const state of STATES) this.colour[state] = token(`--s-${state}`);
    for (const kind of KINDS) this.colour[`k-${kind}`] = token(`--t-${kind}`);
    this.colour.missing = this.colour.gone;
    this.font = token("--font");
    this.frontKey = null;
  }

  resize(width, height) {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.width = width;
    this.height = height;
    for (const pen of [this.sheet, this.front]) {
      pen.canvas.width = Math.round(width * ratio);
      pen.canvas.height = Math.round(height * ratio);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.frontKey = null;
  }

  /** Return the width of a text in px. */
  measure(text, size_px, weight) {
    this.sheet.font = `${weight} ${size_px}px ${this.font}`;
    return this.sheet.measureText(text).width;
  }

  /** Take a layout; `nodes` maps an id to its node, those of no node are what stands for the rest; `asks`: who asked whom. */
  lay({ spots, middle, k }, nodes, asks) {
    this.middle = middle;
    this.k = k;
    this.stars.clear();
    for (const [id, spot] of spots) {
      const node = nodes.get(id) ?? null;
      const most = spot.node_px - 2;
      const r = node?.kind === "neuron" ? Math.min(most, most * 0.55 + 1.4 * Math.sqrt(node.open)) : most * 0.5;
      this.stars.set(id, { id, node, ...spot, r, line: lineOf(spot.path), lengths: lengthsOf(spot.path) });
    }
    this.arcs = [];
    for (const ask of asks) {
      const [from, to] = [this.stars.get(ask.from), this.stars.get(ask.to)];
      if (!from || !to || from === to) continue;
      const path = arcOf(from, to, middle, k);
      this.arcs.push({ ask, path, line: lineOf(path), x: path[16], y: path[17], node_px: 8, out: 1, node: null });
    }
    this.frontKey = null;
  }

  /** Return the star at a point, or the arc or the star whose edge is there, a red one before others, or null. */
  at(x, y, failed) {
    const stars = [...this.stars.values()];
    const isThere = ({ path }) => distanceTo(path, x, y) < EDGE_REACH_PX;
    return stars.find((star) => Math.hypot(x - star.x, y - star.y) <= star.node_px + 2) ?? this.arcs.find(isThere) ?? stars.find((star) => failed(star.id) && isThere(star)) ?? stars.find(isThere) ?? null;
  }

  /** `key` changes whenever states, figures or filters do. */
  paint({ journeys, now, connected, standbys, lit, failed, reduced, key }) {
    if (this.width === 0 || this.height === 0 || !this.middle) return;
    const pen = this.sheet;
    pen.clearRect(0, 0, this.width, this.height);
    // Red ones last: edges of one row lie close together.
    for (const red of [false, true]) for (const star of this.stars.values()) if (failed(star.id) === red) this.edge(star, journeys.heat.get(star.id) ?? 0, lit(star.id), red);
    for (const arc of this.arcs) this.arc(arc);
    if (!reduced) this.particles(journeys, now);
    if (key !== this.frontKey) {
      this.frontKey = key;
      this.pen = this.front;
      this.pen.clearRect(0, 0, this.width, this.height);
      this.synapse(connected, standbys);
      for (const star of this.stars.values()) this.star(star, lit(star.id));
      this.pen.globalAlpha = 1;
      this.pen = this.sheet;
    }
    pen.globalAlpha = 1;
    pen.drawImage(this.front.canvas, 0, 0, this.width, this.height);
  }

  edge(star, heat, isLit, isRed) {
    const { pen, colour } = this;
    pen.globalAlpha = (isLit ? 1 : 0.25) * (isRed ? 1 : 0.55 + 0.45 * heat);
    pen.strokeStyle = isRed ? colour.gone : heat > 0.05 ? colour.accent : colour.line;
    pen.lineWidth = (isRed ? 2 : 1) + heat;
    pen.stroke(star.line);
  }

  /** Who asked whom, with an arrow in the middle. */
  arc({ ask, path, line, x, y }) {
    const { pen, colour } = this;
    pen.globalAlpha = 0.9;
    pen.strokeStyle = pen.fillStyle = ask.failed ? colour.gone : colour["k-task"];
    pen.lineWidth = 1.5;
    pen.stroke(line);
    pen.beginPath();
    const turn = Math.atan2(path[19] - path[15], path[18] - path[14]);
    for (const [far, more] of [[7, 0], [6, 2.4], [6, -2.4]]) pen.lineTo(x + far * Math.cos(turn + more), y + far * Math.sin(turn + more));
    pen.fill();
  }

  circle(x, y, r, hue, width, dash = []) {
    const { pen, colour } = this;
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fillStyle = colour.panel;
    pen.fill();
    pen.lineWidth = width;
    pen.strokeStyle = hue;
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
  }

  synapse(connected, standbys) {
    const { pen, colour, k } = this;
    const { x, y } = this.middle;
    pen.globalAlpha = 1;
    this.circle(x, y, SYNAPSE_PX * k, connected ? colour.accent : colour.gone, 2, connected ? [] : [4, 4]);
    pen.beginPath();
    pen.arc(x, y, 10 * k, 0, 2 * Math.PI);
    pen.fillStyle = connected ? colour.accent : colour.gone;
    pen.fill();
    for (const { x: sx, y: sy } of standbys) this.circle(sx, sy, 5 * k, colour.soft, 2, [3, 2]);
  }

  star(star, isLit) {
    const { pen, colour } = this;
    const { node, x, y, r } = star;
    pen.globalAlpha = isLit ? 1 : 0.3;
    if (node?.kind !== "neuron") {
      this.circle(x, y, r, node === null ? colour.faint : colour.soft, 2, node === null ? [2, 3] : []);
      return;
    }
    const total = Object.values(node.replicas).reduce((sum, each) => sum + each, 0);
    const hue = colour[node.state] ?? colour.away;
    this.circle(x, y, r, total ? colour.panel : hue, 2, total ? [] : [3, 3]);
    let from = -Math.PI / 2;
    for (const state of STATES) {
      const part = total ? (node.replicas[state] / total) * 2 * Math.PI : 0;
      if (part === 0) continue;
      const gap = part < 6 ? Math.min(0.2, part / 4) : 0;
      pen.beginPath();
      pen.arc(x, y, r, from + gap / 2, from + part - gap / 2);
      pen.lineWidth = 3;
      pen.strokeStyle = colour[state];
      pen.stroke();
      from += part;
    }
    if (node.state === "gone" || node.state === "missing" || node.state === "away") return;
    pen.beginPath();
    pen.arc(x, y, Math.max(2, r - 4), 0, 2 * Math.PI);
    pen.fillStyle = hue;
    pen.fill();
  }

  particles(journeys, now) {
    for (const one of journeys.live) {
      const spot = journeys.where(one, now);
      const star = this.stars.get(spot.leg === 0 ? one.caller : one.worker);
      if (!star) continue;
      if (spot.held) this.held(one, star, now);
      else this.dot(along(star.path, star.lengths, spot.leg === 0 ? spot.t : 1 - spot.t), this.colour[`k-${one.kind}`], one.task === null ? 3 : 4);
    }
    this.pen.globalAlpha = 1;
  }

  held(one, star, now) {
    const turn = (one.at % 6283) + now / 900;
    const r = star.r + 4;
    this.dot({ x: star.x + r * Math.cos(turn), y: star.y + r * Math.sin(turn) }, this.colour["k-task"], 2);
  }

  dot({ x, y }, hue, size) {
    const { pen } = this;
    const r = size * this.k;
    pen.fillStyle = hue;
    pen.globalAlpha = 0.22;
    pen.beginPath();
    pen.arc(x, y, r * 2.2, 0, 2 * Math.PI);
    pen.fill();
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fill();
  }
}

function lineOf(path) {
  const line = new Path2D();
  for (let at = 0; at < path.length; at += 2) line.lineTo(path[at], path[at + 1]);
  return line;
}
