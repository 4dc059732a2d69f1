// The card of a Neuron in a dialog: what it is for, takes and gives. Asked for when it is opened.
import { el, put } from "./dom.js";
import { lines, plain } from "./format.js";

const said = (tag, text) => el(tag, { class: "said", text: lines(text) });

export class NeuronCard {
  constructor(dialog) {
    this.dialog = dialog;
    this.title = el("h2", { id: "card-title", class: "said" });
    this.status = el("p", { class: "said", role: "status" });
    this.rest = el("div", { tabindex: "0", role: "region", "aria-label": "Fields and replicas" });
    dialog.append(this.title, this.status, this.rest, el("button", { class: "plain", text: "Close", autofocus: "", click: () => dialog.close() }));
  }

  async open(id) {
    this.id = id;
    put(this.title, plain(id));
    put(this.status, "Asking a replica …");
    this.rest.hidden = true;
    if (!this.dialog.open) this.dialog.showModal();
    const { error, description, fields, ...facts } = await asked(id);
    if (this.id !== id) return; // another one was opened meanwhile
    put(this.status, lines(error ?? description) || "It does not tell what it is for.");
    if (error) return;
    this.rest.hidden = false;
    this.rest.replaceChildren(...fieldsOf("Input", fields.input), ...fieldsOf("Output", fields.output), el("h3", { text: "Who serves it" }), el("dl", {}, ...factsOf(facts)));
  }
}

async function asked(id) {
  try {
    return await (await fetch(`/api/card?neuron=${encodeURIComponent(id)}`)).json();
  } catch {
    return { error: "Prism did not answer." };
  }
}

function fieldsOf(title, rows) {
  const head = el("h3", { text: title });
  if (!rows?.length) return [head, said("p", rows ? "any object" : "It does not tell.")];
  const heads = ["name", "type", "required", "description"].map((text) => el("th", { text, scope: "col" }));
  const line = ([name, kind, isRequired, text]) => el("tr", {}, ...[name, kind, isRequired ? "yes" : "no", text].map((each) => said("td", each)));
  return [head, el("table", { "aria-label": title }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows.map(line)))];
}

function factsOf({ capabilities, version, versions, replicas }) {
  const facts = [["capabilities", capabilities.join(", ")], ["version", version], ...replicas.map((each) => [each.dendrite_id, [each.digest ?? "no card", each.version, each.state].filter(Boolean).join(", ")])];
  if (versions > 1) facts.push(["differ", `${versions} versions of its card: update the older replicas`]);
  return facts.filter(([, text]) => text).flatMap(([name, text]) => [said("dt", name), said("dd", text)]);
}
