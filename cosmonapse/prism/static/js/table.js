// A plain table whose rows are kept and refilled, so that nothing jumps; keys move in it.
import { dress, el, mark, put } from "./dom.js";

const key = (item) => item?.id ?? item?.key;

export class Table {
  /**
   * `columns` are { name, head, class, act }: `act(item)` makes the cell a button of its own; the style
   * sheet gives `.c-NAME` its width. `choose(item)` makes rows clickable. Items have an `id` or a `key`.
   */
  constructor(label, columns, choose = null) {
    this.columns = columns;
    this.choose = choose;
    this.groups = [];
    this.current = 0;
    const heads = columns.map(({ name, head, class: look = "" }) => el("th", { text: head, class: `c-${name} ${look}`, scope: "col" }));
    this.el = el("table", { "aria-label": label }, el("colgroup", {}, ...columns.map(({ name }) => el("col", { class: `c-${name}` }))), el("thead", {}, el("tr", {}, ...heads)));
    this.el.addEventListener("focusin", (event) => this.point(this.groups.indexOf(event.target.closest("tbody"))));
  }

  /**
   * Show items. `cells(item)` gives a text or { text, class, title } per column, `below(item)` a text
   * for a line of its own under them or "", `look(item)` the class of it all.
   */
  fill(items, cells, { below = () => "", look = () => "" } = {}) {
    const focused = this.el.contains(document.activeElement) ? document.activeElement.closest("tbody") : null;
    const held = key(focused?.prismItem);
    while (this.groups.length > items.length) this.groups.pop().remove();
    while (this.groups.length < items.length) this.add();
    items.forEach((item, at) => this.show(this.groups[at], item, cells(item), below(item), look(item)));
    const at = held === undefined ? -1 : items.findIndex((item) => key(item) === held);
    // The focus stays with what it was on, not with the place.
    if (at >= 0 && this.groups[at] !== focused) this.groups[at].firstChild.focus({ preventScroll: true });
    else this.point(Math.max(0, Math.min(this.current, items.length - 1)));
  }

  show(group, item, cells, below, look) {
    group.prismItem = item;
    dress(group, `${this.choose ? "link" : ""} ${look}`);
    cells.forEach((cell, column) => {
      const { text, class: name = "", title = null } = typeof cell === "string" ? { text: cell } : cell;
      const box = group.firstChild.children[column];
      put(box.firstChild, text);
      dress(box.firstChild, this.columns[column].act ? `lnk ${name}` : name);
      mark(box, "title", title);
    });
    if (below === "") group.children[1]?.remove();
    else {
      if (group.children.length < 2) group.append(el("tr", { class: "below" }, el("td", { class: "said", colspan: this.columns.length })));
      put(group.lastChild.firstChild, below);
    }
  }

  add() {
    const row = el("tr", {}, ...this.columns.map(({ name, class: look = "", act }) => el("td", { class: `said c-${name} ${look}` }, act ? el("button", { tabindex: "-1" }) : el("span"))));
    const group = el("tbody", {}, row);
    this.columns.forEach(({ act }, at) => act && row.children[at].firstChild.addEventListener("click", (event) => {
      event.stopPropagation();
      act(pressed(group, event));
    }));
    // What is under the pointer may be another item before it is let go.
    group.addEventListener("pointerdown", () => (group.prismPressed = group.prismItem));
    if (this.choose) {
      row.tabIndex = -1;
      group.addEventListener("click", (event) => this.choose(pressed(group, event)));
      row.addEventListener("keydown", (event) => event.key === "Enter" && event.target === row && this.choose(group.prismItem));
    }
    this.groups.push(group);
    this.el.append(group);
  }

  /** Make one row the one that Tab leads to. */
  point(at) {
    if (at < 0) return;
    const before = this.groups[this.current];
    this.current = at;
    for (const group of new Set([before, this.groups[at]])) {
      if (!group) continue;
      const tab = group === this.groups[at] ? 0 : -1;
      if (this.choose) group.firstChild.tabIndex = tab;
      for (const button of group.firstChild.querySelectorAll("button")) button.tabIndex = tab;
    }
  }

  /** Put the focus on the row of now, or `step` rows on; the nearest that there is. */
  focus(step = 0) {
    const at = Math.max(0, Math.min(this.current + step, this.groups.length - 1));
    this.groups[at]?.firstChild.focus();
  }

  get hasFocus() {
    return this.el.contains(document.activeElement);
  }
}

const pressed = (group, event) => (event.detail > 0 ? group.prismPressed : null) ?? group.prismItem;
