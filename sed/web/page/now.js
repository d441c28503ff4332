/** Now: what each source hears, as it is heard. */

import { onTheme, slot } from "./colours.js";
import { calm, make } from "./dom.js";
import { Scope } from "./scope.js";
import { duration, named, score, time } from "./words.js";

const DEAR_MS = 7; // if drawing takes longer, every other frame is left out
const LATEST = 6;

export class Now {
  constructor(daemon) {
    this.daemon = daemon;
    this.scopes = new Map();
    this.cost = 0;
    this.sight = new IntersectionObserver(
      (seen) =>
        seen.forEach(({ target, isIntersecting }) => {
          const scope = this.scopes.get(target.getAttribute("aria-label"));
          if (scope) scope.seen = isIntersecting;
        }),
      { rootMargin: "100px" },
    );
    this.latest = make("ol", { class: "latest" });
    this.grid = make("div", { class: "scopes" });
    this.element = make(
      "div",
      { class: "view" },
      make("h1", { class: "hidden" }, "Now"),
      this.grid,
      make(
        "section",
        { class: "card", "aria-labelledby": "latest" },
        make("h2", { id: "latest" }, "Latest events"),
        this.latest,
      ),
    );
    daemon.addEventListener("sound", ({ detail }) => this.scopes.get(detail.source)?.hear(detail));
    daemon.addEventListener("state", () => this.state());
    daemon.addEventListener("connection", () => this.state());
    daemon.addEventListener("rules", () => {
      this.scopes.clear();
      if (this.running) this.build();
    });
    for (const name of ["event", "verdict"]) daemon.addEventListener(name, () => this.list());
    onTheme(() => this.scopes.forEach((scope) => scope.picture.theme()));
  }

  show() {
    this.running = true;
    this.build();
    this.list();
    requestAnimationFrame((now) => this.frame(now));
  }

  hide() {
    this.running = false;
  }

  build() {
    const names = this.daemon.sources.map(({ name }) => name);
    if (names.join("\n") === [...this.scopes.keys()].join("\n")) return;
    this.scopes.forEach((scope) => scope.chart.close());
    this.sight.disconnect();
    this.scopes = new Map(names.map((name) => [name, new Scope(this.daemon, name, names.length)]));
    this.grid.replaceChildren(...[...this.scopes.values()].map(({ element }) => element));
    this.scopes.forEach(({ element }) => this.sight.observe(element));
    this.state();
  }

  state() {
    if (this.running) this.build();
    for (const source of this.daemon.sources) this.scopes.get(source.name)?.state(source, this.daemon.connected);
  }

  /** Reduced motion: a step every second; otherwise with every frame of the screen. */
  frame(now) {
    if (!this.running) return;
    const step = calm.matches ? Math.floor(now / 1000) * 1000 : now;
    if (step !== this.step && !(this.skipped = this.cost > DEAR_MS && !this.skipped)) {
      const began = performance.now();
      this.step = step;
      for (const scope of this.scopes.values()) if (scope.seen) scope.draw(step);
      this.cost += 0.1 * (performance.now() - began - this.cost);
    }
    requestAnimationFrame((next) => this.frame(next));
  }

  list() {
    const { daemon } = this;
    if (!this.running) return;
    const newest = [...daemon.recent.values()].sort((a, b) => (a.onset < b.onset ? 1 : -1)).slice(0, LATEST);
    daemon.order = newest.map(({ id }) => id);
    const focused = this.latest.contains(document.activeElement) && document.activeElement.getAttribute("href");
    this.latest.replaceChildren(
      ...newest.map((event) =>
        make(
          "li",
          {},
          make(
            "a",
            { href: `#event/${event.id}` },
            make("i", { class: `dot ${slot(daemon.alerting.indexOf(event.label))}` }),
            make("b", {}, named(event.label)),
            make("span", {}, event.source),
            time(event.onset),
            make("span", { class: "number" }, duration(event)),
            make("span", { class: "number" }, score(event.score)),
          ),
        ),
      ),
    );
    if (focused) this.latest.querySelector(`[href="${focused}"]`)?.focus();
    if (!newest.length) this.latest.append(make("li", { class: "empty" }, "Nothing yet. It listens."));
  }
}
