/** A view of what was heard, loaded anew soon after something happens: events may come in showers. */

import { make } from "./dom.js";

const SOON = 500; // ms

export class Lookback {
  constructor(daemon) {
    this.daemon = daemon;
    this.element = make("div", { class: "view" });
    for (const name of ["event", "verdict"]) daemon.addEventListener(name, () => this.soon());
  }

  hide() {
    this.shown = false;
    clearTimeout(this.waiting);
    this.waiting = null;
  }

  soon() {
    if (!this.shown || this.waiting) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.load();
    }, SOON);
  }
}
