// Two charts over the last two minutes, drawn by uPlot: how many, and how long.
import { el } from "./dom.js";
import { perSecond } from "./format.js";
import { token } from "./theme.js";

const SECONDS = 120;
let loading = null;

/** Load uPlot when the first chart is wanted: the other views do without it. */
function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = el("script", { src: "/static/vendor/uPlot.iife.min.js" });
    script.addEventListener("load", () => resolve(globalThis.uPlot));
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  return loading;
}

export class Chart {
  /** `series` are [label, colour token]. */
  constructor(into, series) {
    this.into = into;
    this.series = series;
    this.plot = null;
    this.values = null;
    new ResizeObserver(([{ contentRect }]) => this.plot?.setSize({ width: Math.floor(contentRect.width), height: Math.floor(contentRect.height) })).observe(into);
  }

  /** Show arrays of numbers, oldest first, the last one of now. */
  async draw(values) {
    this.values = values;
    const UPlot = await library();
    const data = [Array.from({ length: SECONDS }, (_, at) => at - SECONDS + 1), ...values.map(padded)];
    if (this.plot === null) this.plot = this.make(UPlot, data);
    else this.plot.setData(data);
  }

  make(UPlot, data) {
    const box = this.into.getBoundingClientRect();
    const axis = { stroke: token("--faint"), font: `11px ${token("--font")}`, grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
    return new UPlot({
      width: Math.max(100, Math.floor(box.width)),
      height: Math.max(60, Math.floor(box.height)),
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      padding: [8, 20, 0, 0],
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(1, (high ?? 0) * 1.1)] } },
      axes: [
        { ...axis, size: 24, space: 64, splits: [-120, -90, -60, -30, 0], values: (_, splits) => splits.map((at) => (at === 0 ? "now" : `${at} s`)) },
        { ...axis, size: 56, space: 32, values: (_, splits) => splits.map((at) => perSecond(at)) },
      ],
      series: [{}, ...this.series.map(([label, colour]) => ({ label, stroke: token(colour), width: 1.5, spanGaps: this.series.length > 1, points: { show: this.series.length > 1, size: 4, fill: token(colour) } }))],
    }, data, this.into);
  }

  /** Draw anew with the colours as they are now. */
  retheme() {
    this.plot?.destroy();
    this.plot = null;
    if (this.values) this.draw(this.values);
  }
}

function padded(values) {
  const last = (values ?? []).slice(-SECONDS);
  return [...new Array(SECONDS - last.length).fill(null), ...last];
}
