/** One source as it is heard: its picture, its curves, its level, and where each label is. */

import { Chart } from "./chart.js";
import { slot } from "./colours.js";
import { make } from "./dom.js";
import { Curves, Picture } from "./strip.js";
import { decibels, moment, named, score, seconds } from "./words.js";

const SHOWN = 30; // seconds
const SHOWN_NARROW = 12;
const KEPT = 36;
const BEHIND = 0.22; // seconds by which the picture trails the newest sound, so that it can move evenly
const TOGETHER = 4; // columns of the frontend in a cell of the picture: 40 ms, a pixel or so
const ALSO = 3;

export class Scope {
  constructor(daemon, name, among) {
    Object.assign(this, { daemon, name, levels: [], peak: -120, level: -120, offset: null, drawn: 0 });
    const { sound, labels } = daemon;
    this.rules = daemon.rules.sources[name] ?? {};
    this.alerting = daemon.alerting.filter((label) => this.rules[label]?.alert);
    this.picture = new Picture(sound, KEPT, TOGETHER);
    this.curves = new Curves(sound.row_seconds, KEPT, labels.length);
    this.chip = make("span", { class: "chip" });
    this.meter = make(
      "div",
      {
        class: "meter",
        role: "meter",
        "aria-label": `Level of ${name}`,
        "aria-valuemin": -100,
        "aria-valuemax": 0,
        "aria-valuenow": -100,
      },
      make("i"),
      make("b"),
    );
    this.number = make("span", { class: "number level" });
    this.canvas = make("canvas", {
      role: "img",
      "aria-label":
        `What ${name} hears: the spectrogram of the last half minute, ` +
        "the events in it, the scores of the labels that alert, and the level",
    });
    this.bars = this.alerting.map((label) => this.bar(label, daemon.alerting.indexOf(label)));
    this.also = make("p", { class: "also" });
    this.element = make(
      "section",
      { class: `card scope ${among > 2 ? "low" : ""}`, "aria-label": name },
      make("header", {}, make("h2", {}, name), this.chip, this.meter, this.number),
      make(
        "div",
        { class: "scope-body" },
        make("figure", {}, this.canvas),
        make("div", { class: "labels" }, make("ul", {}, ...this.bars.map(({ element }) => element)), this.also),
      ),
    );
    this.chart = new Chart(this.canvas, {
      sound,
      all: labels,
      labels: daemon.alerting,
      rules: this.rules,
      level: true,
    });
  }

  bar(label, place) {
    const fill = make("i"),
      number = make("span", { class: "number" }, "0.00"),
      tick = make("b");
    tick.style.left = `${100 * this.rules[label].on}%`;
    const element = make(
      "li",
      { class: slot(place), title: `alerts from ${this.rules[label].on} on` },
      make("span", { class: "name" }, named(label)),
      number,
      make("span", { class: "bar" }, fill, tick),
    );
    return { index: this.daemon.labels.indexOf(label), on: this.rules[label].on, element, fill, number, value: 0 };
  }

  state({ state, reason, since, dropped_samples: dropped }, connected) {
    const shown = connected ? state : "unknown";
    this.chip.className = `chip ${shown}`;
    this.chip.textContent = shown + (dropped ? ` · ${dropped.toLocaleString()} samples lost` : "");
    this.chip.title = [reason, since && `since ${moment(since)}`].filter(Boolean).join(", ");
    this.deaf = !connected || !["hearing", "silent"].includes(state);
    this.element.classList.toggle("deaf", this.deaf);
    if (!this.deaf) return;
    this.bars.forEach((bar) => (bar.value = 0)); // what was last heard is no longer so
    this.level = this.peak = -120;
  }

  hear({ mel, melAt, scores, scoresAt, level }) {
    const now = performance.now() / 1000;
    if (mel) {
      this.picture.put(mel, melAt);
      const end = melAt + (mel.length / this.picture.width) * this.daemon.sound.column_seconds,
        offset = end - now;
      const jumped = this.offset === null || Math.abs(offset - this.offset) > 1;
      this.offset = jumped ? offset : this.offset + 0.05 * (offset - this.offset);
      if (level !== undefined) this.levels.push([end, level]);
      while (this.levels.length && this.levels[0][0] < end - KEPT) this.levels.shift();
    }
    if (scores) {
      this.curves.put(scores, scoresAt);
      const rows = scores.length / this.curves.width;
      for (const bar of this.bars) {
        let best = bar.value * 0.8; // falls slowly enough to be read
        for (let row = 0; row < rows; row++) best = Math.max(best, scores[row * this.curves.width + bar.index] / 255);
        bar.value = best < 0.01 ? 0 : best;
      }
    }
    if (level !== undefined) {
      this.level = level;
      this.peak = Math.max(level, this.peak - 1.2);
    }
  }

  /** The picture, every time; numbers only a few times a second, for nobody reads faster. */
  draw(now) {
    const head =
      (this.offset === null ? (Date.now() + this.daemon.ahead - now) / 1000 : this.offset) + now / 1000 - BEHIND;
    const from = head - (this.chart.width < 500 ? SHOWN_NARROW : SHOWN);
    const spans = [...this.daemon.recent.values()]
      .filter((event) => event.source === this.name)
      .map((event) => ({
        label: event.label,
        onset: seconds(event.onset),
        offset: event.open ? null : seconds(event.offset ?? event.onset),
      }));
    const { picture, curves, levels } = this;
    this.chart.draw({ from, to: head, zero: head, picture, curves, levels, spans, live: true });
    if (now - this.drawn < 95) return;
    this.drawn = now;
    this.numbers(head);
  }

  numbers(head) {
    for (const { fill, number, element, value, on } of this.bars) {
      fill.style.transform = `scaleX(${value.toFixed(3)})`;
      number.textContent = this.deaf ? "–" : score(value);
      element.classList.toggle("over", value >= on);
    }
    const [now, peak] = this.meter.children;
    now.style.clipPath = `inset(0 ${Math.min(100, Math.max(0, -this.level)).toFixed(1)}% 0 0)`;
    peak.style.left = `${Math.max(0, 100 + this.peak).toFixed(1)}%`;
    this.number.textContent = this.deaf ? "no sound" : decibels(this.level);
    this.meter.setAttribute("aria-valuenow", Math.max(-100, Math.round(this.level)));
    this.meter.setAttribute("aria-valuetext", decibels(this.level));
    this.others(head);
  }

  /** What else it may be: labels that do not alert, at their highest in the last seconds. */
  others(head) {
    if (head - (this.told ?? 0) < 1) return;
    this.told = head;
    const found = this.daemon.labels
      .map((label, index) => [label, this.curves.highest(index, head - 2, head + 1)])
      .filter(([label, value]) => !this.alerting.includes(label) && value >= 0.1)
      .sort((a, b) => b[1] - a[1])
      .slice(0, ALSO);
    this.also.textContent = found.length
      ? `Also: ${found.map(([label, value]) => `${named(label)} ${score(value)}`).join(", ")}`
      : "";
  }
}
