// Prism: what hears, what keeps and what shows, joined. Nothing here sends anything but GET.
import { put } from "./dom.js";
import { Envelope } from "./envelope.js";
import { FabricView } from "./fabric.js";
import { Filters } from "./filters.js";
import { Frames } from "./frames.js";
import { Keys } from "./keys.js";
import { ListView } from "./list.js";
import { MapView } from "./map.js";
import { NeuronCard } from "./neuroncard.js";
import { NowView } from "./now.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { Theme } from "./theme.js";
import { TraceView } from "./traceview.js";
import { Vitals } from "./vitals.js";

const TICK_MS = 1_000;
const TYPING_MS = 120;
// Links to views by the names that they had before.
const FORMER = { constellation: "map", health: "fabric" };

class App {
  constructor() {
    this.store = new Store();
    this.frames = new Frames((at) => this.draw(at));
    this.ask = () => this.frames.ask();
    this.liveSince = Date.now() / 1000;
    this.filters = new Filters(() => this.filtered());
    this.search = document.getElementById("search");
    this.stage = document.getElementById("view");
    this.envelope = new Envelope({ closed: this.ask, filter: (values, names) => this.filters.set(values, names), nameOf: (instance) => this.store.dendrites().find((each) => each.instance === instance)?.dendrite_id });
    this.views = { now: new NowView(this), traces: new TraceView(this), signals: new ListView(this), map: new MapView(this), fabric: new FabricView(this) };
    this.stream = new Stream(this.store, () => this.heard());
    this.vitals = new Vitals(this);
    this.theme = new Theme(document.getElementById("theme"), () => this.retheme());
    this.card = new NeuronCard(document.getElementById("card"));
    this.keys = new Keys(this, document.getElementById("keys"));
    this.pauseButton = document.getElementById("pause");
    this.stage.append(...Object.values(this.views).map((view) => view.el));
    this.listen();
    this.fromAddress();
    this.stream.open();
    setInterval(this.ask, TICK_MS);
  }

  get paused() {
    return this.store.held !== null;
  }

  listen() {
    let typing = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.filters.set({ text: this.search.value }), TYPING_MS);
    });
    this.pauseButton.addEventListener("click", () => this.pause());
    for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => this.go(tab.dataset.view));
    addEventListener("hashchange", () => this.fromAddress());
    document.addEventListener("visibilitychange", this.ask);
  }

  heard() {
    if (this.stream.downSince === null && this.run !== this.stream.run) {
      this.run = this.stream.run;
      this.liveSince = Date.now() / 1000;
    }
    this.ask();
  }

  /** Read view, trace and filters from the address, so that a reload and a link find them again. */
  fromAddress() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
    const [word, trace] = path.split("/");
    const name = FORMER[word] ?? word;
    if (location.hash === this.address) return;
    this.filters.read(new URLSearchParams(query ?? ""));
    this.search.value = this.filters.text;
    this.filters.version += 1;
    if (name === "traces" && trace) this.views.traces.open(trace);
    this.go(Object.hasOwn(this.views, name) ? name : "now");
  }

  toAddress() {
    const params = new URLSearchParams();
    this.filters.write(params);
    const trace = this.name === "traces" && this.views.traces.chosenId ? `/${encodeURIComponent(this.views.traces.chosenId)}` : "";
    const query = params.toString();
    const address = `#/${this.name}${trace}${query ? `?${query}` : ""}`;
    // Compared with what we wrote: somebody may have typed another one that we have not read yet.
    if (address === this.address) return;
    this.address = address;
    history.replaceState(null, "", address);
  }

  go(name) {
    if (this.name !== name) {
      this.name = name;
      this.view = this.views[name];
      this.envelope.close();
      for (const [key, view] of Object.entries(this.views)) view.el.classList.toggle("away", key !== name);
      this.stage.setAttribute("aria-labelledby", `tab-${name}`);
      for (const tab of document.querySelectorAll(".tabs button")) tab.setAttribute("aria-selected", tab.dataset.view === name);
      this.view.show();
    }
    this.ask();
  }

  openTrace(id) {
    this.go("traces");
    this.views.traces.open(id);
  }

  /** Show the traces that one caller asked for. */
  openCaller({ instance, name }) {
    this.filters.set({ instance }, { [instance]: name });
    this.go("traces");
  }

  /** Show the card of a Neuron; without one that of the chosen one. */
  openCard(neuron = this.view.chosenNeuron ?? this.filters.neuron) {
    if (neuron) this.card.open(neuron);
  }

  filtered() {
    if (this.search.value !== this.filters.text) this.search.value = this.filters.text;
    this.views.traces.drawn = 0;
    this.views.now.drawn = 0;
    this.views.fabric.drawn = 0;
    this.ask();
  }

  pause() {
    this.store.pause(!this.paused);
    this.pauseButton.setAttribute("aria-pressed", this.paused);
    put(this.pauseButton.firstElementChild, this.paused ? "Resume" : "Pause");
    this.ask();
  }

  move(step) {
    const { detail } = this.views.traces;
    if (this.view === this.views.traces && detail.holder.contains(document.activeElement)) detail.move(step);
    else this.view.move(step);
  }

  escape() {
    if (this.envelope.isOpen) this.envelope.close();
    else if (this.filters.any) this.filters.clear();
    else document.activeElement?.blur();
  }

  retheme() {
    for (const view of Object.values(this.views)) view.retheme?.();
    this.ask();
  }

  draw(at) {
    if (document.hidden) return null;
    this.vitals.render();
    const next = this.view.render(at);
    this.toAddress();
    return next;
  }
}

new App();
