// Paints the constellation on a canvas: the Synapse, Dendrites, their Neurons, what is under way.
import { token } from "./theme.js";
import { perSecond, plain } from "./format.js";

const STATES = ["alive", "stuck", "gone", "draining", "away"];
const KINDS = ["task", "reply", "error", "question", "stream", "tool", "auction", "stop", "presence"];
// Sizes at a scale of 1; a large screen shows all of it larger.
const SYNAPSE_PX = 28;
const NEURON_GAP_PX = 28;
const MOST_NEURONS = 5;

export class Sky {
  constructor(canvas) {
    this.canvas = canvas;
    this.sheet = canvas.getContext("2d");
    // Names and circles change once a second at most: they are painted aside and laid on top.
    this.front = document.createElement("canvas").getContext("2d");
    this.pen = this.sheet;
    this.width = 0;
    this.height = 0;
    this.k = 1;
    this.stars = [];
    this.retheme();
  }

  retheme() {
    this.colour = { text: token("--text"), soft: token("--soft"), faint: token("--faint"), line: token("--line-strong"), bg: token("--bg"), panel: token("--panel"), accent: token("--accent") };
    for (const state of STATES) this.colour[state] = token(`--s-${state}`);
    for (const kind of KINDS) this.colour[`k-${kind}`] = token(`--t-${kind}`);
    this.font = token("--font");
    this.frontKey = null;
  }

  resize(width, height) {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.width = width;
    this.height = height;
    this.k = Math.max(1, Math.min(1.5, width / 1100, height / 780));
    for (const pen of [this.sheet, this.front]) {
      pen.canvas.width = Math.round(width * ratio);
      pen.canvas.height = Math.round(height * ratio);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.frontKey = null;
  }

  get middle() {
    return { x: this.width / 2, y: this.height * 0.465 };
  }

  /** Work out where everything stands: stars {instance, name, x, y, side, neurons: [...]}. */
  lay(nodes, places) {
    this.stars = [];
    for (const node of nodes) {
      const spot = places.spot(node.instance, this.width, this.height);
      if (spot === null) continue;
      const out = spot.side === "right" ? 1 : -1;
      const all = node.neurons.slice(0, MOST_NEURONS);
      const neurons = all.map((neuron, at) => ({ neuron, node, x: spot.x + out * 40 * this.k, y: spot.y + (at - (all.length - 1) / 2) * NEURON_GAP_PX * this.k, r: this.k * Math.min(18, 7 + 1.8 * Math.sqrt(neuron.open ?? 0)) }));
      this.stars.push({ ...spot, node, out, neurons, more: node.neurons.length - all.length });
    }
  }

  /** Return the Neuron or Dendrite at a point, or null. */
  at(x, y) {
    for (const star of this.stars) {
      for (const each of star.neurons) {
        const isOnName = (x - each.x) * star.out > -14 && (x - each.x) * star.out < 150 * this.k && Math.abs(y - each.y) < 13 * this.k;
        if (isOnName) return { star, neuron: each.neuron, x: each.x, y: each.y };
      }
      const reach = this.k * (star.neurons.length ? 12 : 130);
      if ((x - star.x) * star.out > -12 && (x - star.x) * star.out < reach && Math.abs(y - star.y) < 13 * this.k) return { star, neuron: null, x: star.x, y: star.y };
    }
    return null;
  }

  /** `key` changes whenever names, states, figures or filters do. */
  paint({ journeys, now, rate, connected, lit, reduced, key }) {
    if (this.width === 0 || this.height === 0) return;
    const pen = this.sheet;
    pen.clearRect(0, 0, this.width, this.height);
    for (const star of this.stars) this.edge(star, journeys.heat.get(star.node.instance) ?? 0, lit(star.node, null));
    if (!reduced) this.particles(journeys, now);
    if (key !== this.frontKey) {
      this.frontKey = key;
      this.pen = this.front;
      this.pen.clearRect(0, 0, this.width, this.height);
      this.synapse(rate, connected);
      for (const star of this.stars) this.star(star, lit);
      this.pen.globalAlpha = 1;
      this.pen = this.sheet;
    }
    pen.globalAlpha = 1;
    pen.drawImage(this.front.canvas, 0, 0, this.width, this.height);
  }

  bend(star) {
    const { x, y } = this.middle;
    return { x: (star.x + x) / 2, y: star.y + (y - star.y) * 0.18 };
  }

  edge(star, heat, isLit) {
    const { pen, colour } = this;
    const { x, y } = this.middle;
    const bend = this.bend(star);
    pen.globalAlpha = (isLit ? 1 : 0.25) * (0.55 + 0.45 * heat);
    pen.strokeStyle = heat > 0.05 ? colour.accent : colour.line;
    pen.lineWidth = 1 + 2 * heat;
    pen.beginPath();
    pen.moveTo(star.x, star.y);
    pen.quadraticCurveTo(bend.x, bend.y, x, y);
    pen.stroke();
  }

  synapse(rate, connected) {
    const { pen, colour } = this;
    const { x, y } = this.middle;
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x, y, SYNAPSE_PX * this.k, 0, 2 * Math.PI);
    pen.fillStyle = colour.panel;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = connected ? colour.accent : colour.gone;
    pen.setLineDash(connected ? [] : [4, 4]);
    pen.stroke();
    pen.setLineDash([]);
    this.text(connected ? perSecond(rate) : "gone", x, y + 4 * this.k, connected ? colour.text : colour.gone, 13, "center", 600);
    this.text("Synapse", x, y + (SYNAPSE_PX + 18) * this.k, colour.soft, 12, "center", 500);
    this.text("Signals/s", x, y + (SYNAPSE_PX + 34) * this.k, colour.faint, 11, "center");
  }

  text(words, x, y, colour, size_px, align, weight = 400, most_px = 0) {
    const { pen } = this;
    pen.font = `${weight} ${Math.round(size_px * this.k)}px ${this.font}`;
    pen.textAlign = align;
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.strokeStyle = this.colour.bg;
    const shown = most_px ? this.clip(words, most_px) : words;
    pen.strokeText(shown, x, y);
    pen.fillStyle = colour;
    pen.fillText(shown, x, y);
  }

  clip(words, most_px) {
    const text = plain(words).slice(0, 80);
    if (this.pen.measureText(text).width <= most_px) return text;
    let end = text.length;
    while (end > 1 && this.pen.measureText(`${text.slice(0, end)}…`).width > most_px) end -= 1;
    return `${text.slice(0, end)}…`;
  }

  star(star, lit) {
    const { pen, colour } = this;
    const align = star.out > 0 ? "left" : "right";
    const isLit = lit(star.node, null);
    pen.globalAlpha = isLit ? 1 : 0.3;
    for (const each of star.neurons) {
      pen.beginPath();
      pen.moveTo(star.x, star.y);
      pen.lineTo(each.x, each.y);
      pen.lineWidth = 1;
      pen.strokeStyle = colour.line;
      pen.stroke();
    }
    pen.beginPath();
    pen.arc(star.x, star.y, this.k * (star.neurons.length ? 5 : 8), 0, 2 * Math.PI);
    pen.fillStyle = colour.panel;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = star.node.known ? colour.soft : colour.faint;
    pen.stroke();
    const room = (star.out > 0 ? this.width - star.x : star.x) - 60;
    if (!star.neurons.length) {
      this.text(star.node.name, star.x + star.out * 18 * this.k, star.y - this.k, colour.text, 12, align, 500, room);
      this.text(star.node.role || "asks, hosts nothing", star.x + star.out * 18 * this.k, star.y + 13 * this.k, colour.faint, 11, align, 400, room);
    }
    for (const each of star.neurons) this.neuron(each, star, align, lit, room - 48);
    if (star.more > 0) this.text(`and ${star.more} more Neurons`, star.x + star.out * 60 * this.k, star.y + (MOST_NEURONS / 2 + 0.5) * NEURON_GAP_PX * this.k, colour.faint, 11, align);
  }

  neuron({ neuron, node, x, y, r }, star, align, lit, room) {
    const { pen, colour } = this;
    const hue = colour[neuron.state] ?? colour.away;
    pen.globalAlpha = lit(node, neuron) ? 1 : 0.3;
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fillStyle = colour.panel;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = hue;
    pen.setLineDash(neuron.state === "gone" || neuron.state === "away" ? [3, 3] : []);
    pen.stroke();
    pen.setLineDash([]);
    if (neuron.state !== "gone" && neuron.state !== "away") {
      pen.beginPath();
      pen.arc(x, y, r - 3.5, 0, 2 * Math.PI);
      pen.fillStyle = hue;
      pen.fill();
    }
    const left = x + star.out * (r + 8);
    this.text(neuron.neuron_id, left, y - this.k, colour.text, 12, align, 600, room);
    const word = neuron.state === "alive" ? loadOf(neuron) : `${neuron.state}  ${neuron.state === "gone" ? "" : loadOf(neuron)}`;
    this.text(`${word.trim()}  ·  ${node.name}`, left, y + 12 * this.k, neuron.state === "alive" ? colour.faint : hue, 11, align, 400, room);
  }

  particles(journeys, now) {
    const { pen, colour } = this;
    const stars = new Map(this.stars.map((star) => [star.node.instance, star]));
    for (const one of journeys.live) {
      const caller = stars.get(one.caller);
      const worker = stars.get(one.worker);
      const spot = journeys.where(one, now);
      if (spot.held) {
        this.held(one, worker, now);
        continue;
      }
      const star = spot.leg === 0 ? caller : worker;
      if (!star) continue;
      const t = spot.leg === 0 ? spot.t : 1 - spot.t;
      this.dot(this.along(star, t, spot.leg === 1 ? one.neuron : null), colour[`k-${one.kind}`], one.task === null ? 3 : 4);
    }
    pen.globalAlpha = 1;
  }

  /** Return the point at `t`, from the Dendrite's end (0; its Neuron if one is named) to the Synapse. */
  along(star, t, neuronId) {
    const goal = neuronId === null ? null : star.neurons.find(({ neuron }) => neuron.neuron_id === neuronId);
    if (goal && t < 0.16) {
      const part = t / 0.16;
      return { x: goal.x + (star.x - goal.x) * part, y: goal.y + (star.y - goal.y) * part };
    }
    const u = goal ? (t - 0.16) / 0.84 : t;
    const { x, y } = this.middle;
    const bend = this.bend(star);
    const v = 1 - u;
    return { x: v * v * star.x + 2 * v * u * bend.x + u * u * x, y: v * v * star.y + 2 * v * u * bend.y + u * u * y };
  }

  held(one, worker, now) {
    if (!worker) return;
    const goal = worker.neurons.find(({ neuron }) => neuron.neuron_id === one.neuron) ?? worker;
    const turn = (one.at % 6283) + now / 900;
    const r = (goal.r ?? 6) + 5 * this.k;
    this.dot({ x: goal.x + r * Math.cos(turn), y: goal.y + r * Math.sin(turn) }, this.colour["k-task"], 2);
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

export function loadOf(neuron) {
  const running = neuron.running ?? 0;
  if (!running && !neuron.queued) return "idle";
  const of = neuron.concurrency ? `/${neuron.concurrency}` : "";
  return `${running}${of} running${neuron.queued ? `, ${neuron.queued} queued` : ""}`;
}
