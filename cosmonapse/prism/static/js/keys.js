// The keyboard: one table of keys, which the help shows as well.
import { el } from "./dom.js";

export const KEYS = [
  ["1 2 3 4 5", "Now, Traces, Signals, Map, Fabric"],
  ["/", "search"],
  ["p", "pause what is shown; again: catch up"],
  ["j k ↓ ↑", "next, previous"],
  ["Enter", "open what is chosen"],
  ["Esc", "close the envelope, then drop the filters"],
  ["w", "waterfall or tree of a trace"],
  ["s h", "Signals: fold streams or not; show presence or hide it"],
  ["f", "follow the newest Signals"],
  ["e", "save the shown Signals as JSON lines"],
  ["t", "theme: auto, light, dark"],
  ["?", "this help"],
];
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
      el("button", { class: "plain", text: "Close", on: { click: () => dialog.close() } }),
    );
    document.addEventListener("keydown", (event) => this.press(event));
    document.getElementById("help").addEventListener("click", () => dialog.showModal());
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.dialog.open) return;
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
    else if (key === "/") app.search.focus();
    else if (key === "p") app.pause();
    else if (key === "j" || key === "ArrowDown") app.move(1);
    else if (key === "k" || key === "ArrowUp") app.move(-1);
    else if (key === "Enter" && !target.matches("button, tr, a")) app.view.enter();
    else if (key === "Escape") app.escape();
    else if (key === "t") app.theme.next();
    else if (key === "e") app.views.signals.export();
    else if (key === "f") app.views.signals.toEnd();
    else if (key === "s") app.views.signals.turn({ folding: !app.views.signals.shown.folding });
    else if (key === "h") app.views.signals.turn({ presence: !app.views.signals.shown.presence });
    else if (key === "w") app.views.traces.detail.turn(app.views.traces.detail.mode === "fall" ? "tree" : "fall");
    else if (key === "?") this.dialog.showModal();
    else return false;
    return true;
  }
}
