// A plain table whose rows are kept and refilled, so that nothing jumps.
import { dress, el, fit, mark, put } from "./dom.js";

export class Table {
  /** `columns` are [head, class, width]; `choose(item)` makes rows clickable. */
  constructor(label, columns, choose = null) {
    this.columns = columns;
    this.choose = choose;
    this.body = el("tbody");
    const groups = el("colgroup", {}, ...columns.map(([, , width]) => {
      const col = el("col");
      if (width) col.style.width = width;
      return col;
    }));
    this.el = el("table", { "aria-label": label }, groups, el("thead", {}, el("tr", {}, ...columns.map(([head, name]) => el("th", { text: head, class: name.includes("right") ? "right" : "", scope: "col" })))), this.body);
  }

  /** Show items; `cells(item)` gives one [text, class, title] or text per column. */
  fill(items, cells, isChosen = () => false) {
    const rows = fit(this.body, items.length, () => this.row());
    items.forEach((item, at) => {
      const row = rows[at];
      row.prismItem = item;
      dress(row, `${this.choose ? "link" : ""}${isChosen(item) ? " chosen" : ""}`);
      cells(item).forEach((cell, column) => {
        const [text, name, title] = Array.isArray(cell) ? cell : [cell];
        const box = row.children[column];
        put(box.firstChild, text);
        dress(box.firstChild, name ?? "");
        mark(box, "title", title ?? null);
      });
    });
  }

  row() {
    const row = el("tr", {}, ...this.columns.map(([, name]) => el("td", { class: `said ${name}` }, el("span"))));
    if (this.choose) {
      row.tabIndex = 0;
      row.addEventListener("click", () => this.choose(row.prismItem));
      row.addEventListener("keydown", (event) => event.key === "Enter" && this.choose(row.prismItem));
    }
    return row;
  }
}
