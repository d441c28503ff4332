/** Events: all that were heard, newest first, by label, source, score and verdict. */

import { slot } from "./colours.js";
import { ask } from "./daemon.js";
import { make, select } from "./dom.js";
import { Lookback } from "./lookback.js";
import { count, day, duration, named, score, time, clock, verdictWords } from "./words.js";

const PAGE = 50;
const DAYS = [
  ["", "any time"],
  ["1", "the last 24 hours"],
  ["7", "the last 7 days"],
  ["30", "the last 30 days"],
];
const SCORES = [
  ["", "any score"],
  ["0.5", "0.5 and more"],
  ["0.8", "0.8 and more"],
  ["0.95", "0.95 and more"],
];
const VERDICTS = [
  ["", "any verdict"],
  ["none", "not judged"],
  ["right", "right"],
  ["wrong", "false alarm"],
  ["other", "other label"],
];

export class Events extends Lookback {
  /** `label=siren&verdict=none` and the like. */
  show(query = "") {
    this.chosen = new URLSearchParams(query);
    this.shown = true;
    this.list = make("ol", { class: "list" });
    this.more = make(
      "button",
      { type: "button", class: "more", hidden: true, onclick: () => this.load(this.next) },
      "Show more",
    );
    this.told = make("span", { class: "sub", role: "status" });
    this.element.replaceChildren(
      make("header", { class: "bar-top" }, make("h1", {}, "Events"), this.told),
      this.filters(),
      this.list,
      this.more,
    );
    return this.load();
  }

  filters() {
    const all = (word, names) => [["", word], ...names.map((name) => [name, named(name)])];
    const { alerting, labels, sources } = this.daemon;
    const fields = [
      ["label", "Label", all("any label", [...alerting, ...labels.filter((label) => !alerting.includes(label))])],
      [
        "source",
        "Source",
        all(
          "any source",
          sources.map(({ name }) => name),
        ),
      ],
      ["min_score", "Score", SCORES],
      ["days", "Time", DAYS],
      ["verdict", "Verdict", VERDICTS],
    ];
    return make(
      "form",
      { class: "filters", role: "search", "aria-label": "Filters", onsubmit: (sent) => sent.preventDefault() },
      ...fields.map(([name, text, options]) =>
        make(
          "label",
          {},
          make("span", { class: "hidden" }, text),
          select(name, options, this.chosen.get(name) ?? "", (change) => this.choose(name, change.target.value)),
        ),
      ),
      (this.saved = make("a", { class: "csv", download: true }, "CSV")),
    );
  }

  choose(name, value) {
    if (value) this.chosen.set(name, value);
    else this.chosen.delete(name);
    history.replaceState(null, "", `#events${this.chosen.size ? `?${this.chosen}` : ""}`);
    this.load();
  }

  query() {
    const query = new URLSearchParams(this.chosen),
      days = query.get("days");
    query.delete("days");
    if (days) query.set("since", new Date(Date.now() - days * 86_400_000).toISOString());
    return query;
  }

  async load(after = null) {
    const query = this.query(),
      asked = (this.asked = {});
    this.saved.href = `/events?${new URLSearchParams([...query, ["format", "csv"]])}`;
    query.set("limit", after ? PAGE : Math.max(PAGE, Math.min(1000, this.list.querySelectorAll("li[data-id]").length)));
    if (after) query.set("after", after);
    try {
      const { events, next } = await ask(`/events?${query}`);
      if (asked === this.asked && this.shown) this.build(events, next, after);
    } catch (error) {
      this.list.replaceChildren(
        make("li", { class: "empty", role: "alert" }, `The events cannot be read: ${error.message}`),
      );
    }
  }

  build(events, next, after) {
    const focused = document.activeElement?.closest?.("li[data-id]")?.dataset.id;
    if (!after) {
      this.list.replaceChildren();
      this.day = null;
      this.daemon.order = [];
    }
    for (const event of events) {
      const date = day(event.onset);
      if (date !== this.day) this.list.append(make("li", { class: "day" }, make("h2", {}, (this.day = date))));
      this.list.append(this.line(event));
      this.daemon.order.push(event.id);
    }
    this.next = next;
    this.more.hidden = !next;
    const shown = this.daemon.order.length;
    this.told.textContent = shown ? `${next ? "the newest " : ""}${count(shown, "event")}` : "";
    if (!shown)
      this.list.append(
        make("li", { class: "empty" }, this.chosen.size ? "No event is like that." : "Nothing was heard yet."),
      );
    if (focused) this.list.querySelector(`[data-id="${focused}"] a`)?.focus();
  }

  line(event) {
    const bar = make("i");
    bar.style.width = `${100 * event.score}%`;
    return make(
      "li",
      { "data-id": event.id, class: slot(this.daemon.alerting.indexOf(event.label)) },
      make(
        "a",
        { href: `#event/${event.id}` },
        time(event.onset, clock(event.onset)),
        make("b", {}, make("i", { class: "dot" }), named(event.label)),
        make("span", { class: "source" }, event.source),
        make("span", { class: "number" }, duration(event)),
        make(
          "span",
          { class: "scored" },
          make("span", { class: "bar" }, bar),
          make("span", { class: "number" }, score(event.score)),
        ),
        make("span", { class: `said ${event.verdict?.verdict ?? ""}` }, verdictWords(event.verdict)),
      ),
    );
  }

  key(key) {
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
    if (!step) return false;
    const links = [...this.list.querySelectorAll("li[data-id] a")],
      at = links.indexOf(document.activeElement);
    links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
    return true;
  }
}
