/** One event: its picture, its sound, how its score went, the rule that made it, and what people say of it. */

import { Chart } from "./chart.js";
import { onTheme, slot } from "./colours.js";
import { ask } from "./daemon.js";
import { make } from "./dom.js";
import { Curves, Picture, bytes } from "./strip.js";
import { decibels, duration, lasting, moment, named, ruleWords, score, seconds, time } from "./words.js";
import { Verdict } from "./verdict.js";

const AGAIN_MS = 1000;
const POST_SECONDS = 3; // a clip goes on after its event, and is written then
const WRITING_SECONDS = 1.5;

export class EventView {
  constructor(daemon) {
    this.daemon = daemon;
    this.element = make("article", { class: "view event" });
    onTheme(() => {
      this.picture?.theme();
      this.chart?.redraw?.();
    });
    daemon.addEventListener("event", ({ detail }) => {
      if (detail.id === this.id) this.load();
    });
    daemon.addEventListener("verdict", ({ detail }) => {
      if (detail.id === this.id) this.verdict?.show(detail.verdict);
    });
  }

  show(id) {
    this.id = id;
    this.element.replaceChildren();
    return this.load();
  }

  hide() {
    this.audio?.pause();
    this.chart?.close();
    this.id = this.event = this.verdict = this.audio = this.chart = this.picture = null;
    clearTimeout(this.again);
  }

  async load() {
    const id = this.id;
    try {
      const event = await ask(`/events/${encodeURIComponent(id)}`);
      if (id === this.id) this.build(event);
    } catch (error) {
      if (id === this.id) this.element.replaceChildren(make("p", { class: "empty", role: "alert" }, error.message));
    }
  }

  build(event) {
    this.event = event;
    this.chart?.close();
    const { daemon } = this,
      place = daemon.alerting.indexOf(event.label);
    this.place = make(
      "div",
      { class: `clip ${event.clip ? "kept" : ""}` },
      make("p", { class: "empty" }, "Its clip is being fetched."),
    );
    this.verdict = new Verdict(daemon, event);
    this.element.className = `view event ${slot(place)}`;
    this.element.replaceChildren(
      make(
        "header",
        {},
        make("a", { class: "back", href: this.back ?? "#events" }, "All events"),
        (this.beside = this.steps()),
        make("h1", {}, make("i", { class: `dot ${slot(place)}` }), named(event.label)),
        make("p", { class: "where" }, time(event.onset, moment(event.onset)), ` at ${event.source}, ${event.node}`),
      ),
      make("section", { class: "card", "aria-label": "What was heard" }, this.place),
      make(
        "div",
        { class: "columns" },
        make("section", { class: "card" }, make("h2", {}, "Was it one?"), this.verdict.element),
        make("section", { class: "card" }, make("h2", {}, "The rule that made it"), ...this.rule(event)),
        make("section", { class: "card" }, make("h2", {}, "In numbers"), this.facts(event)),
      ),
    );
    this.fetch();
  }

  /** To the events beside it, as they were last listed. */
  steps() {
    const order = this.daemon.order ?? [],
      at = order.indexOf(this.id);
    const step = (id, text, rel) => (id ? make("a", { href: `#event/${id}`, rel, class: "step" }, text) : null);
    return make(
      "span",
      { class: "steps" },
      at < 0 ? null : step(order[at - 1], "Later", "prev"),
      at < 0 ? null : step(order[at + 1], "Earlier", "next"),
    );
  }

  /** What is beside it is known now. */
  soon() {
    if (this.event) this.beside.replaceWith((this.beside = this.steps()));
  }

  rule({ source, label }) {
    const rule = this.daemon.rules.sources[source]?.[label];
    if (!rule) return [make("p", {}, `${source} is no longer listened to for it: there is no rule now.`)];
    return [
      make(
        "ul",
        { class: "rule" },
        ...ruleWords(rule, this.daemon.sound.row_seconds).map((text) => make("li", {}, text)),
      ),
      make("p", { class: "small" }, "As the rules are now; they may have been others then."),
    ];
  }

  facts(event) {
    const behind = event.detected_at && seconds(event.detected_at) - seconds(event.onset);
    const rows = [
      ["Highest score", score(event.score)],
      ["Lasted", duration(event)],
      ["Loudness", decibels(event.level_dbfs)],
      ["Certain after", behind === null ? "unknown" : lasting(behind)],
      ["Sound lost in it", event.lost_samples ? `${event.lost_samples.toLocaleString()} samples` : "none"],
      ["Model", event.model],
      ["Id", make("code", {}, event.id)],
    ];
    return make(
      "dl",
      { class: "facts" },
      ...rows.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]),
    );
  }

  async fetch() {
    const { id } = this;
    clearTimeout(this.again);
    try {
      if (!this.daemon.whole.clips.allowed) throw new Error("Sound is not kept on this box (privacy.audio = false).");
      if (!this.event.clip)
        throw new Error(
          this.daemon.whole.clips.enabled
            ? "No clip was kept of it."
            : "No clip was kept of it. [clips] enabled = true keeps one of every event.",
        );
      if (this.early()) {
        this.again = setTimeout(() => this.fetch(), AGAIN_MS);
        return this.place.replaceChildren(make("p", { class: "empty" }, "Its clip is being written."));
      }
      const heard = await ask(`/clips/${id}/scores`);
      if (id === this.id) this.draw(heard);
    } catch (error) {
      if (id !== this.id) return;
      if (error.status === 429) this.again = setTimeout(() => this.fetch(), AGAIN_MS); // busy
      this.place.replaceChildren(make("p", { class: "empty" }, error.message));
    }
  }

  /** Whether the clip may still be being written: a page that asks in vain complains in the console. */
  early() {
    const { offset, detected_at: certain, open } = this.event,
      { daemon } = this;
    const after = (Date.now() + daemon.ahead) / 1000 - seconds(offset ?? certain ?? this.event.onset);
    return open || after < (daemon.whole.clips.post ?? POST_SECONDS) + WRITING_SECONDS;
  }

  /** The clip's picture with its curves, and a player under it; a click into the picture plays from there. */
  draw(heard) {
    const { daemon, event } = this,
      { sound, labels } = daemon;
    const from = seconds(heard.begins),
      to = from + heard.seconds,
      onset = seconds(event.onset);
    this.picture = new Picture(sound, heard.seconds + 1);
    const curves = new Curves(sound.row_seconds, heard.seconds + 1, labels.length);
    this.picture.put(bytes(heard.mel), seconds(heard.mel_at));
    this.picture.expose();
    curves.put(bytes(heard.scores), seconds(heard.scores_at));
    const canvas = make("canvas", {
      role: "img",
      "aria-label":
        `Spectrogram of the clip of ${heard.seconds.toFixed(1)} s, and the scores in it; ${named(event.label)} from 0 s` +
        (event.duration ? ` to ${event.duration.toFixed(2)} s` : ""),
    });
    this.audio = make("audio", {
      controls: true,
      preload: "metadata",
      src: `/clips/${event.id}.flac`,
      "aria-label": `Clip of ${named(event.label)}`,
    });
    const cursor = make("i", { class: "cursor" });
    this.place.replaceChildren(
      make(
        "figure",
        {},
        canvas,
        cursor,
        make(
          "figcaption",
          { class: "small" },
          "Seconds from its onset; dashed: the score it has to reach. " +
            "The curve is what the model makes of the clip alone.",
        ),
      ),
      this.audio,
    );
    const spans = [{ label: event.label, onset, offset: event.offset ? seconds(event.offset) : null }];
    const rules = daemon.rules.sources[event.source] ?? {};
    this.chart = new Chart(canvas, { sound, all: labels, labels: daemon.alerting, rules, lanes: 1 });
    this.chart.redraw = () =>
      this.chart.draw({ from, to, zero: onset, picture: this.picture, curves, spans, focus: event.label });
    this.chart.redraw();
    this.follow(canvas, cursor, heard.seconds);
  }

  follow(canvas, cursor, length) {
    const { audio, chart } = this;
    const move = () => {
      cursor.style.left = `${chart.left + (audio.currentTime / length) * chart.wide}px`;
      cursor.classList.toggle("on", audio.currentTime > 0);
      if (!audio.paused && audio.isConnected) requestAnimationFrame(move);
    };
    for (const name of ["play", "seeked", "timeupdate"]) audio.addEventListener(name, move);
    canvas.addEventListener("click", (click) => {
      audio.currentTime = Math.max(0, Math.min(length, ((click.offsetX - chart.left) / chart.wide) * length));
      audio.play();
    });
  }

  /** Keys that only mean something here. */
  key(key) {
    if (!this.event) return false;
    const said = { r: "right", w: "wrong" }[key];
    if (said) this.verdict.judge({ verdict: said });
    else if (key === "o") this.verdict.other();
    else if (key === "u") this.verdict.judge({ verdict: null });
    else if (key === " " && this.audio) this.audio.paused ? this.audio.play() : this.audio.pause();
    else if (key === "j" || key === "ArrowRight") this.element.querySelector("[rel=next]")?.click();
    else if (key === "k" || key === "ArrowLeft") this.element.querySelector("[rel=prev]")?.click();
    else return false;
    return true;
  }
}
