// The keyboard: one table of keys, which the help shows as well.
import { el } from "./dom.js";

export const KEYS = [
  ["1 2 3 4 5", "Now, Traces, Signals, Map, Fabric"],
  ["/", "search"],
  ["p", "pause what is shown; again: catch up"],
  ["j k ↓ ↑", "next, previous"],
  ["Enter", "open what is chosen"],
  ["i", "the card of the chosen Neuron"],
  ["Esc", "close the envelope, then drop the filters"],
  ["w", "waterfall or tree of a trace"],
  ["s h", "Signals: fold streams or not; show presence or hide it"],
  ["f", "follow the newest Signals"],
  ["e", "save the shown Signals as JSON lines"],
  ["t", "theme: auto, light, dark"],
  ["?", "this help"],
];
const ACTS = {
  "/": (app) => app.search.focus(),
  p: (app) => app.pause(),
  j: (app) => app.move(1),
  k: (app) => app.move(-1),
  i: (app) => app.openCard(),
  t: (app) => app.theme.next(),
  e: (_, { signals }) => signals.export(),
  f: (_, { signals }) => signals.toEnd(),
  s: (_, { signals }) => signals.turn({ folding: !signals.shown.folding }),
  h: (_, { signals }) => signals.turn({ presence: !signals.shown.presence }),
  w: (_, { traces: { detail } }) => detail.turn(detail.mode === "fall" ? "tree" : "fall"),
  "?": (app) => app.keys.dialog.showModal(),
  Escape: (app) => app.escape(),
};
Object.assign(ACTS, { ArrowDown: ACTS.j, ArrowUp: ACTS.k });
const VIEWS = { 1: "now", 2: "traces", 3: "signals", 4: "map", 5: "fabric" };

export class Keys {
  constructor(app, dialog) {
    this.app = app;
    this.dialog = dialog;
    const list = el("dl");
    for (const [keys, does] of KEYS) list.append(el("dt", {}, ...keys.split(" ").flatMap((key) => [el("kbd", { text: key }), " "])), el("dd", { text: does }));
    dialog.append(
      el("h2", { id: "keys-title", text: "Prism looks and never sends" }),
      list,
      el("p", { text: "Values under keys such as token, password or authorization are masked before they reach this page." }),
      el("button", { class: "plain", text: "Close", click: () => dialog.close() }),
    );
    document.addEventListener("keydown", (event) => this.press(event));
    document.getElementById("help").addEventListener("click", () => dialog.showModal());
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (target.matches("input, select")) {
      if (event.key === "Escape" || (event.key === "Enter" && target.matches("input"))) target.blur();
      return;
    }
    if (this.act(event.key, target)) event.preventDefault();
  }

  act(key, target) {
    const { app } = this;
    if (key in VIEWS) app.go(VIEWS[key]);
    else if (key === "Enter" && !target.matches("button, tr, a")) app.view.enter();
    else if (Object.hasOwn(ACTS, key)) ACTS[key](app, app.views);
    else return false;
    return true;
  }
}
