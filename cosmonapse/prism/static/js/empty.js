// What an empty view says: what to type next, with the real address.
import { el } from "./dom.js";
import { plain } from "./format.js";

/** Quote for a POSIX shell. */
const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

function command(text) {
  const button = el("button", { text: "Copy", "aria-label": `Copy: ${text}` });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
  });
  return el("div", { class: "command" }, el("code", { class: "said", text: plain(text) }), button);
}

function words(app) {
  const { hello } = app.store;
  const alive = app.store.neurons().find(({ neuron }) => neuron.state === "alive");
  return { url: hello?.url ?? "", namespace: hello?.namespace ?? "", neuron: alive?.neuron.neuron_id ?? "" };
}

/** Fill `into` with what to do when nothing was said yet; made anew only if the words change. */
export function nothingYet(app, into) {
  const { url, namespace, neuron } = words(app);
  const key = JSON.stringify([url, namespace, neuron]);
  if (into.prismKey === key && into.firstChild) return;
  into.prismKey = key;
  const box = el("div");
  if (!url) box.append(el("h2", { text: "Looking for Prism" }), el("p", { text: "This page has not heard from its server yet." }));
  else if (neuron) {
    box.append(
      el("h2", { text: `Nobody has asked ${plain(neuron)} anything yet` }),
      el("p", { text: "Ask it from another terminal, and watch the TASK travel:" }),
      command(`cosmo dispatch --url=${quote(url)} -n ${quote(namespace)} --neuron ${quote(neuron)} --input '{"prompt": "hello"}' --stream`),
    );
  } else {
    box.append(
      el("h2", { text: `Nothing is being said in ${plain(namespace)} yet` }),
      el("p", { text: "Start a worker and point its connect_synapse at this Synapse, then ask it:" }),
      command(`cosmo dispatch --url=${quote(url)} -n ${quote(namespace)} --neuron ID --input '{"prompt": "hello"}'`),
      el("p", { text: "No worker at hand? The demo brings a Synapse, two replicas and a Flask edge of its own, and prints their addresses:" }),
      command("cosmo demo --keep"),
      el("p", { text: "Then look at that one:" }),
      command("cosmo prism --url=<the Synapse it prints> -n demo --port 7171"),
    );
  }
  into.replaceChildren(box);
}

export function isEmpty({ app, empty, grid }, none) {
  empty.hidden = !none;
  grid.hidden = none;
  if (none) nothingYet(app, empty);
  return none;
}

/** Return what to do when the filters let nothing through. */
export function noMatch(app) {
  const clear = el("button", { class: "plain", text: "Clear the filters", click: () => app.filters.clear() });
  return el("div", {}, el("h2", { text: "Nothing that is kept passes these filters" }), el("p", { text: "New Signals that do will show up here." }), el("p", {}, clear));
}
