// The theme: auto, light or dark; kept in this browser.
const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: "Auto", light: "Light", dark: "Dark" };
const MEDIA = { auto: "(prefers-color-scheme: light)", light: "all", dark: "not all" };

export class Theme {
  constructor(button, changed) {
    this.button = button;
    this.changed = changed;
    button.addEventListener("click", () => this.next());
    matchMedia(MEDIA.auto).addEventListener("change", changed);
    this.show();
  }

  get name() {
    return document.documentElement.dataset.theme;
  }

  next() {
    const name = ORDER[(ORDER.indexOf(this.name) + 1) % ORDER.length];
    document.documentElement.dataset.theme = name;
    try {
      localStorage.setItem("prism.theme", name);
    } catch {
      // It lasts as long as the tab.
    }
    this.show();
    this.changed();
  }

  show() {
    document.getElementById("light").media = MEDIA[this.name];
    this.button.firstElementChild.textContent = NAMES[this.name];
    this.button.setAttribute("aria-label", `Theme: ${NAMES[this.name]}`);
  }
}

/** Return the value of a colour token as the page has it now. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
