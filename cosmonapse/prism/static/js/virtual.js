// A list of any length of which only the rows in sight exist.
import { el, mark } from "./dom.js";

const SPARE = 2;

export class VirtualList {
  /**
   * `make` returns a row element, `fill(row, index)` shows item `index` in it, `choose(index)` is
   * called for a click or Enter, `ask` asks for a frame.
   */
  constructor({ row_px, label, make, fill, choose, ask }) {
    Object.assign(this, { row_px, make, fill, choose, ask });
    this.count = 0;
    this.chosen = -1;
    this.rows = [];
    this.sizer = el("div", { class: "sizer" });
    this.el = el("div", { class: "list", role: "listbox", tabindex: "0", "aria-label": label }, this.sizer);
    this.height = 0;
    this.top = 0;
    this.id = `list-${label.replace(/\W+/g, "-").toLowerCase()}`;
    new ResizeObserver(([entry]) => {
      this.height = entry.contentRect.height;
      this.ask();
    }).observe(this.el);
    this.el.addEventListener("scroll", () => {
      this.top = this.el.scrollTop;
      this.onScroll?.();
      this.ask();
    }, { passive: true });
    this.sizer.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.choose(row.prismIndex);
    });
  }

  get room() {
    return Math.max(0, this.count * this.row_px - this.height);
  }

  get atEnd() {
    return this.top >= this.room - this.row_px;
  }

  scrollTo(top) {
    this.top = Math.max(0, Math.min(this.room, top));
    this.el.scrollTop = this.top;
  }

  /** Set how many there are; `shift` rows went (or, negative, came) above what is in sight. */
  resize(count, shift = 0) {
    if (count !== this.count) {
      this.count = count;
      this.sizer.style.height = `${count * this.row_px}px`;
    }
    if (shift) this.scrollTo(this.top - shift * this.row_px);
  }

  reveal(index) {
    const top = index * this.row_px;
    if (top < this.top) this.scrollTo(top);
    else if (top + this.row_px > this.top + this.height) this.scrollTo(top + this.row_px - this.height);
  }

  render() {
    const top = Math.min(this.top, this.room);
    const first = Math.max(0, Math.floor(top / this.row_px) - SPARE);
    const last = Math.min(this.count, Math.ceil((top + this.height) / this.row_px) + SPARE);
    const wanted = Math.max(0, last - first);
    while (this.rows.length < wanted) this.addRow();
    const pool = this.rows.length;
    for (let slot = 0; slot < pool; slot += 1) {
      // Index i always lives in row i modulo the pool: scrolling by one refills one.
      const index = first + ((((slot - first) % pool) + pool) % pool);
      const row = this.rows[slot];
      row.hidden = index >= last;
      if (index < last) this.show(row, index);
    }
    mark(this.el, "aria-activedescendant", this.chosen >= first && this.chosen < last ? `${this.id}-${this.chosen % pool}` : null);
  }

  addRow() {
    const row = this.make();
    row.classList.add("row");
    row.setAttribute("role", "option");
    row.id = `${this.id}-${this.rows.length}`;
    this.rows.push(row);
    this.sizer.append(row);
  }

  show(row, index) {
    const place = `translateY(${index * this.row_px}px)`;
    if (row.prismPlace !== place) {
      row.prismPlace = place;
      row.style.transform = place;
    }
    if (row.prismIndex !== index) {
      row.prismIndex = index;
      row.setAttribute("aria-posinset", index + 1);
    }
    mark(row, "aria-setsize", this.count);
    mark(row, "aria-selected", index === this.chosen);
    this.fill(row, index);
  }
}
