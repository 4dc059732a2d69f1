// The line to the Prism server: one EventSource, opened again when it ends, with where we were.
const FIRST_MS = 500;
const LONGEST_MS = 4_000;
// The server says something every second; so long a silence means that it is not there.
const SILENCE_MS = 6_000;
// A browser opens six connections to one server: a tab that nobody sees gives its own back.
const HIDDEN_MS = 5_000;

export class Stream {
  constructor(store, changed) {
    this.store = store;
    this.changed = changed;
    this.source = null;
    this.run = null;
    this.downSince = null;
    this.wait_ms = FIRST_MS;
    this.heardAt = performance.now();
    this.resting = false;
    this.displacedBy = null;
    this.wantsToken = false;
    setInterval(() => this.watch(), 1_000);
    let hiding = 0;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => this.rest(), HIDDEN_MS);
      else this.wake();
    });
  }

  rest() {
    this.resting = true;
    this.source?.close();
    this.source = null;
  }

  /** Go on from where we were: what the server still keeps comes at once. */
  wake() {
    if (!this.resting || this.displacedBy !== null) return;
    this.resting = false;
    this.open();
  }

  open() {
    if (this.resting) return;
    this.source?.close();
    const since = this.run === null ? "" : `?since=${this.store.last}`;
    const source = new EventSource(`/api/stream${since}`);
    this.source = source;
    this.heardAt = performance.now();
    source.addEventListener("error", () => source === this.source && this.lost());
    this.hear(source, "hello", (hello) => this.greet(hello));
    this.hear(source, "signals", (records) => this.store.add(records));
    this.hear(source, "state", (state) => this.store.setState(state));
    this.hear(source, "now", (now) => this.store.setNow(now));
    this.hear(source, "traces", (traces) => this.store.setTraces(traces));
    this.hear(source, "missed", ({ count }) => this.store.miss(count));
    this.hear(source, "displaced", ({ most }) => this.displace(most));
  }

  hear(source, name, call) {
    source.addEventListener(name, (event) => {
      if (source !== this.source) return;
      this.heardAt = performance.now();
      call(JSON.parse(event.data));
      this.changed();
    });
  }

  greet(hello) {
    const wasHere = this.run !== null && this.run !== hello.run;
    if (wasHere) this.store.forget();
    else if (this.store.last && hello.first > this.store.last + 1) this.store.miss(hello.first - this.store.last - 1);
    this.run = hello.run;
    // All summaries come anew: those that went meanwhile are told to nobody.
    this.store.setTraces({ anew: true });
    this.store.hello = hello;
    this.downSince = null;
    this.wait_ms = FIRST_MS;
    this.wantsToken = false;
    // We asked for what follows a number of the run before: ask again, for everything.
    if (wasHere) this.open();
  }

  /** Make room for another tab: to come back at once would only displace the next one. */
  displace(most) {
    this.displacedBy = most;
    this.downSince = Date.now() / 1000;
    this.rest();
  }

  /** An EventSource does not tell the status of a refusal. */
  async look() {
    try {
      this.wantsToken = (await fetch("/api/health")).status === 401;
    } catch {
      this.wantsToken = false;
    }
    this.changed();
  }

  lost() {
    this.source?.close();
    this.source = null;
    this.downSince ??= Date.now() / 1000;
    this.look();
    setTimeout(() => this.open(), this.wait_ms);
    this.wait_ms = Math.min(LONGEST_MS, this.wait_ms * 2);
    this.changed();
  }

  watch() {
    if (this.source !== null && performance.now() - this.heardAt > SILENCE_MS) this.lost();
  }
}
