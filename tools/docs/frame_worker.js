// Search runs in a Worker, which browsers refuse to a page that was opened from disk. There, and
// only there, this class runs the script of the Worker in a hidden frame of the page instead.
(() => {
  "use strict";
  if (location.protocol !== "file:") return;

  class FrameWorker extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = [];
    #loaded = false;
    onmessage = null;
    onmessageerror = null;
    onerror = null;

    constructor(url) {
      super();
      const address = new URL(url, document.baseURI).href;
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      const inner = this.#frame.contentWindow;
      inner.postMessage = (data) => this.#hand(this, data);
      inner.importScripts = (...urls) => Promise.all(urls.map((each) => this.#load(each)));
      this.#load(address).then(() => {
        this.#loaded = true;
        for (const data of this.#waiting.splice(0)) this.#hand(inner, data);
      });
    }

    postMessage(data) {
      if (this.#loaded) this.#hand(this.#frame.contentWindow, data);
      else this.#waiting.push(data);
    }

    terminate() {
      this.#frame.remove();
    }

    #hand(target, message) {
      const data = structuredClone(message); // neither side sees what the other changes
      setTimeout(() => {
        const event = new MessageEvent("message", { data });
        target.dispatchEvent(event);
        if (target === this && this.onmessage) this.onmessage(event);
      });
    }

    #load(address) {
      return new Promise((done, failed) => {
        const inner = this.#frame.contentDocument;
        const script = inner.createElement("script");
        script.src = address;
        script.onload = done;
        script.onerror = failed;
        inner.body.append(script);
      });
    }
  }

  window.Worker = FrameWorker;
})();
