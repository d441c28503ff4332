/** Today: when each label was heard; by the hour, the day or the week. */

import { slot } from "./colours.js";
import { ask } from "./daemon.js";
import { make } from "./dom.js";
import { Lookback } from "./lookback.js";
import { Tip, roving } from "./tip.js";
import { clock, count, day, duration, moment, named, score, seconds, verdictWords } from "./words.js";

const ZOOMS = ["hour", "day", "week"];
const MINUTES = { hour: 1, day: 15, week: 60 }; // of a slot, where there are too many events to draw each
const SINGLE = 400; // events, each with a mark of its own
const SHORT = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const TICKS = { hour: 6, day: 8, week: 7 };

/** Where the period around a moment begins, in the viewer's zone; weeks begin on Monday. */
function begin(zoom, when) {
  const at = new Date(when);
  at.setMinutes(0, 0, 0);
  if (zoom !== "hour") at.setHours(0);
  if (zoom === "week") at.setDate(at.getDate() - ((at.getDay() + 6) % 7));
  return at;
}

/** The moment `n` periods later; days have 23 to 25 hours. */
function later(zoom, from, n) {
  const at = new Date(from);
  if (zoom === "hour") return new Date(at.getTime() + n * 3_600_000);
  at.setDate(at.getDate() + n * (zoom === "day" ? 1 : 7));
  return at;
}

export class Today extends Lookback {
  constructor(daemon) {
    super(daemon);
    this.element.classList.add("today");
    this.tip = new Tip();
  }

  /** `zoom/moment`, both of which may be missing. */
  show(which = "") {
    const [zoom, when] = which.split("/");
    this.zoom = ZOOMS.includes(zoom) ? zoom : "day";
    const asked = when ? new Date(Number(when)) : new Date();
    this.from = begin(this.zoom, Number.isNaN(asked.getTime()) ? new Date() : asked);
    this.to = later(this.zoom, this.from, 1);
    this.shown = true;
    return this.load();
  }

  link(zoom, when) {
    return `#today/${zoom}/${when.getTime()}`;
  }

  async load() {
    const { zoom, from } = this,
      within = `since=${from.toISOString()}&until=${this.to.toISOString()}`;
    try {
      const { counts } = await ask(`/counts?every=${60 * MINUTES[zoom]}&${within}`);
      const total = counts.reduce((sum, { count: n }) => sum + n, 0);
      const { events } = total <= SINGLE ? await ask(`/events?limit=${SINGLE}&${within}`) : { events: null };
      if (this.shown && zoom === this.zoom && +from === +this.from) this.build(counts, events, total);
    } catch (error) {
      this.element.replaceChildren(
        make("p", { class: "empty", role: "alert" }, `The events cannot be read: ${error.message}`),
      );
    }
  }

  build(counts, events, total) {
    const focused = this.element.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const heard = [...new Set(counts.map(({ label }) => label))];
    const rows = [...this.daemon.alerting, ...heard.filter((label) => !this.daemon.alerting.includes(label))];
    if (events) this.daemon.order = events.map(({ id }) => id);
    this.tip.hide();
    this.element.replaceChildren(
      this.head(total),
      make(
        "section",
        { class: "card timeline", "aria-label": "Timeline" },
        ...rows.map((label) => this.row(label, counts, events)),
        this.axis(),
        this.tip.element,
      ),
      total ? this.sum(counts) : make("p", { class: "empty" }, "Nothing was heard in this time."),
    );
    if (focused) this.element.querySelector(`[href="${focused}"]`)?.focus();
  }

  head(total) {
    const { zoom, from, to } = this;
    const title = {
      hour: `${day(from)}, ${from.toLocaleTimeString([], SHORT)} to ${to.toLocaleTimeString([], SHORT)}`,
      day: from.toDateString() === new Date().toDateString() ? "Today" : day(from),
      week: `${day(from)} to ${day(later("day", to, -1))}`,
    }[zoom];
    const centre = zoom === "week" && from <= Date.now() && Date.now() < to ? new Date() : from;
    return make(
      "header",
      { class: "bar-top" },
      make("h1", {}, title),
      make("span", { class: "sub" }, count(total, "event")),
      make(
        "nav",
        { class: "segments", "aria-label": "Zoom" },
        ...ZOOMS.map((each) =>
          make(
            "a",
            { href: this.link(each, this.focusOf(each, centre)), "aria-current": each === zoom ? "true" : null },
            each,
          ),
        ),
      ),
      make(
        "nav",
        { class: "segments", "aria-label": "Period" },
        make("a", { href: this.link(zoom, later(zoom, from, -1)), rel: "prev", "aria-label": `earlier ${zoom}` }, "‹"),
        make("a", { href: this.link(zoom, new Date()) }, "now"),
        make("a", { href: this.link(zoom, later(zoom, from, 1)), rel: "next", "aria-label": `later ${zoom}` }, "›"),
      ),
    );
  }

  /** Zooming in leads to the present, if it is in sight. */
  focusOf(zoom, centre) {
    const now = Date.now();
    return this.from <= now && now < this.to ? new Date(now) : centre;
  }

  row(label, counts, events) {
    const place = this.daemon.alerting.indexOf(label),
      mine = counts.filter((each) => each.label === label);
    const known = this.daemon.sources.map(({ name }) => name);
    const sources = [...known, ...new Set(mine.map(({ source }) => source).filter((name) => !known.includes(name)))];
    const n = mine.reduce((sum, each) => sum + each.count, 0);
    const lanes = sources.map((source) => {
      const marks = events
        ? events
            .filter((event) => event.label === label && event.source === source)
            .reverse()
            .map((event) => this.mark(event))
        : this.columns(
            mine.filter((each) => each.source === source),
            counts,
          );
      return make(
        "div",
        { class: "lane", role: "group", "aria-label": `${named(label)} at ${source}`, onkeydown: roving(marks) },
        sources.length > 1 ? make("span", { class: "lane-name", "aria-hidden": "true" }, source) : null,
        ...marks,
      );
    });
    return make(
      "div",
      { class: `row ${slot(place)}` },
      make(
        "div",
        { class: "row-name" },
        make("b", {}, named(label)),
        make("span", { class: "number" }, n.toLocaleString()),
      ),
      make("div", { class: "lanes" }, ...lanes),
    );
  }

  share(when) {
    return (100 * (when - this.from)) / (this.to - this.from);
  }

  mark(event) {
    const onset = seconds(event.onset) * 1000,
      ended = event.offset ? seconds(event.offset) * 1000 : onset;
    const said = verdictWords(event.verdict);
    const text =
      `${named(event.label)} at ${event.source}, ${clock(onset)}, ${duration(event)}, score ${score(event.score)}` +
      (said ? `, ${said}` : "");
    const mark = make("a", {
      class: `mark ${event.verdict?.verdict ?? ""}`,
      href: `#event/${event.id}`,
      "aria-label": text,
    });
    mark.style.left = `${this.share(onset)}%`;
    mark.style.width = `${Math.max(0, this.share(ended) - this.share(onset))}%`;
    return this.tip.on(mark, text);
  }

  /** How many there were in each slot; each leads to its hour, or its day. */
  columns(mine, counts) {
    const step = 60_000 * MINUTES[this.zoom],
      most = Math.max(...counts.map(({ count: n }) => n));
    return mine.map(({ begin: at, count: n, label, source }) => {
      const from = Date.parse(at),
        into = this.zoom === "week" ? "day" : "hour";
      const text = `${n.toLocaleString()} × ${named(label)} at ${source}, ${moment(from)} to ${clock(from + step)}`;
      const column = make("a", { class: "column", href: this.link(into, new Date(from)), "aria-label": text });
      column.style.left = `${this.share(from)}%`;
      column.style.width = `${this.share(from + step) - this.share(from)}%`;
      column.style.height = `${Math.max(8, 100 * Math.sqrt(n / most))}%`;
      return this.tip.on(column, text);
    });
  }

  axis() {
    const n = TICKS[this.zoom],
      ticks = [];
    for (let i = 0; i < n; i++) {
      const at =
        this.zoom === "week" ? later("day", this.from, i) : new Date(+this.from + (i * (this.to - this.from)) / n);
      const tick = make("span", {}, this.zoom === "week" ? day(at) : at.toLocaleTimeString([], SHORT));
      tick.style.left = `${this.share(at)}%`;
      ticks.push(tick);
    }
    const now = Date.now();
    if (this.from <= now && now < this.to) {
      const line = make("i", { class: "present", title: "now" });
      const future = make("i", { class: "future" });
      line.style.left = future.style.left = `${this.share(now)}%`;
      ticks.push(future, line);
    }
    return make("div", { class: "axis", "aria-hidden": "true" }, make("div", {}, ...ticks));
  }

  sum(counts) {
    const bySource = new Map();
    for (const { source, label, count: n } of counts) {
      const labels = bySource.get(source) ?? bySource.set(source, new Map()).get(source);
      labels.set(label, (labels.get(label) ?? 0) + n);
    }
    return make(
      "p",
      { class: "sums" },
      ...[...bySource].map(([source, labels]) =>
        make(
          "span",
          {},
          make("b", {}, source),
          " ",
          [...labels].map(([label, n]) => `${n.toLocaleString()} ${named(label)}`).join(", "),
        ),
      ),
    );
  }

  key(key) {
    const at = ZOOMS.indexOf(this.zoom),
      zoom = { "+": ZOOMS[at - 1], "-": ZOOMS[at + 1] }[key];
    if (zoom) location.hash = this.link((this.zoom = zoom), this.focusOf(zoom, this.from));
    else if (key === "ArrowLeft") this.element.querySelector("[rel=prev]")?.click();
    else if (key === "ArrowRight") this.element.querySelector("[rel=next]")?.click();
    else return false;
    return true;
  }
}
