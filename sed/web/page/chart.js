/** One picture of sound: spectrogram, spans of events, curves of scores and level, over one axis of seconds. */

import { paint, palette } from "./colours.js";
import { named } from "./words.js";

const FONT = "11px Inter, system-ui, sans-serif";
const HERTZ = [100, 250, 500, 1000, 2000, 4000, 8000, 16000];
const LANE = 17,
  AXIS = 22,
  GAP = 10;
export const FLOOR_DBFS = -80; // the bottom of the curve of the level

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);

/** Draws into one canvas; `labels` are those that alert, in order, `rules` theirs. */
export class Chart {
  constructor(canvas, { sound, all, labels, rules, level = false, lanes = Math.min(labels.length, 4) }) {
    Object.assign(this, { canvas, sound, all, labels, rules, level, lanes });
    this.context = canvas.getContext("2d");
    this.watch = new ResizeObserver(() => this.size());
    this.watch.observe(canvas);
    this.size();
  }

  /** Where each part lies, in CSS pixels. */
  size() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.left = this.width < 500 ? 30 : 44;
    this.wide = Math.max(1, this.width - this.left - 1);
    const lanes = Math.max(1, this.lanes) * LANE;
    const rest = this.height - lanes - AXIS - GAP * 2;
    const levels = this.level ? Math.round(rest * 0.13) : 0;
    const scores = Math.round(rest * 0.28);
    const top = rest - levels - scores - (this.level ? GAP : 0);
    this.parts = {
      picture: { y: 0, h: top },
      spans: { y: top + GAP, h: lanes },
      scores: { y: top + lanes + 2 * GAP, h: scores },
      levels: { y: top + lanes + scores + 3 * GAP, h: levels },
    };
    this.redraw?.();
  }

  close() {
    this.watch.disconnect();
  }

  /** All of it; times in seconds, `zero` is 0 on the axis; only `focus` is strong, if it is given. */
  draw({ from, to, zero, picture, curves, levels = [], spans = [], focus = null, live = false }) {
    if (this.width < 60) return;
    const { context: c, left, wide, parts } = this;
    const x = (time) => left + ((time - from) / (to - from)) * wide;
    c.clearRect(0, 0, this.width, this.height);
    c.font = FONT;
    this.frequencies();
    this.seconds(from, to, zero, x, live);
    c.save();
    c.beginPath();
    c.rect(left, 0, wide, this.height);
    c.clip();
    picture?.draw(c, from, to, left, 0, wide, parts.picture.h);
    this.spans(spans, from, to, x);
    this.curves(curves, from, to, focus);
    if (this.level) this.levels(levels, x);
    c.restore();
  }

  frequencies() {
    const {
        context: c,
        left,
        parts: { picture, scores, levels },
      } = this,
      { low_hz, high_hz } = this.sound;
    c.fillStyle = palette().faint;
    c.textAlign = "right";
    c.textBaseline = "middle";
    const place = (hertz) => picture.h * (1 - (mel(hertz) - mel(low_hz)) / (mel(high_hz) - mel(low_hz)));
    let below = picture.h + 6;
    for (const hertz of HERTZ) {
      const y = Math.max(6, place(hertz));
      if (hertz < low_hz || hertz > high_hz || below - y < 13) continue;
      c.fillText(hertz < 1000 ? hertz : `${hertz / 1000}k`, left - 7, (below = y));
    }
    this.turned("Hz", picture);
    this.frame(picture);
    for (const [value, text] of [
      [1, "1"],
      [0.5, ""],
      [0, "0"],
    ]) {
      const y = scores.y + scores.h * (1 - value);
      c.fillText(text, left - 7, y);
      this.rule(y);
    }
    this.turned("score", scores);
    if (!this.level) return;
    this.turned("dBFS", levels);
    c.fillText("0", left - 7, levels.y + 3);
    c.fillText(FLOOR_DBFS.toString().replace("-", "−"), left - 7, levels.y + levels.h);
    this.rule(levels.y + levels.h);
  }

  /** A word up the side, where there is room for it. */
  turned(text, part) {
    if (this.left < 40) return;
    const c = this.context;
    c.save();
    c.translate(6, part.y + part.h / 2);
    c.rotate(-Math.PI / 2);
    c.textAlign = "center";
    c.fillText(text, 0, 0);
    c.restore();
  }

  frame({ y, h }) {
    this.context.strokeStyle = palette().line;
    this.context.strokeRect(this.left + 0.5, y + 0.5, this.wide - 1, h - 1);
  }

  rule(y) {
    const c = this.context;
    c.fillStyle = palette().line;
    c.fillRect(this.left, Math.round(y), this.wide, 1);
    c.fillStyle = palette().faint;
  }

  seconds(from, to, zero, x, live) {
    const c = this.context,
      room = this.wide / 70;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60].find((each) => (to - from) / each <= room) ?? 120;
    c.fillStyle = palette().faint;
    c.textBaseline = "alphabetic";
    for (let i = Math.ceil((from - zero) / step - 1e-6); zero + i * step <= to + 1e-6; i++) {
      const at = x(zero + i * step),
        value = Number((i * step).toFixed(1))
          .toString()
          .replace("-", "−");
      const text = i === 0 && live ? "now" : `${value} s`,
        half = c.measureText(text).width / 2;
      if (at - half < this.left - 8) continue;
      c.textAlign = at + half > this.width ? "right" : "center";
      c.fillText(text, Math.min(at, this.width), this.height - 4);
      c.fillRect(Math.min(this.width - 1, Math.round(at)), this.height - AXIS + 2, 1, 4);
    }
  }

  /** Events as bars in their lanes, with a fine line up to where they begin in the spectrogram. */
  spans(spans, from, to, x) {
    const {
      context: c,
      parts: { picture, spans: part },
    } = this;
    const free = new Map(); // from where on there is room for words, by lane
    c.textBaseline = "middle";
    c.textAlign = "left";
    for (const { label, onset, offset } of spans) {
      if (onset > to || (offset ?? to) < from) continue;
      const place = this.labels.indexOf(label),
        lane = Math.max(0, place) % Math.round(part.h / LANE);
      const y = part.y + lane * LANE,
        begin = x(onset),
        end = x(Math.min(offset ?? to, to));
      c.fillStyle = paint(place);
      c.globalAlpha = 0.28;
      c.fillRect(begin, y, Math.max(3, end - begin), LANE - 4);
      c.globalAlpha = 1;
      c.fillRect(begin, y, 3, LANE - 4);
      c.globalAlpha = 0.9;
      c.strokeStyle = paint(place);
      this.dashed(begin + 0.5, picture.y, begin + 0.5, y);
      c.globalAlpha = 1;
      c.fillStyle = palette().text;
      const at = Math.max(begin, this.left) + 7;
      if (at < (free.get(lane) ?? 0)) continue;
      c.fillText(named(label), at, y + (LANE - 4) / 2 + 0.5);
      free.set(lane, at + c.measureText(named(label)).width + 5);
    }
  }

  dashed(x, y, toX, toY) {
    const c = this.context;
    c.setLineDash([3, 4]);
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(toX, toY);
    c.stroke();
    c.setLineDash([]);
  }

  curves(curves, from, to, focus) {
    if (!curves) return;
    const {
      context: c,
      left,
      wide,
      parts: {
        scores: { y, h },
      },
    } = this;
    const shown = focus && !this.labels.includes(focus) ? [...this.labels, focus] : this.labels;
    for (const label of [...shown].sort((a, b) => (a === focus) - (b === focus))) {
      const place = this.labels.indexOf(label),
        strong = !focus || label === focus;
      c.strokeStyle = c.fillStyle = paint(place);
      const on = this.rules[label]?.on;
      if (strong && on !== undefined) {
        c.globalAlpha = 0.75;
        this.dashed(left, y + h * (1 - on), left + wide, y + h * (1 - on));
      }
      for (const line of curves.lines(this.all.indexOf(label), from, to, left, y, wide, h)) {
        c.lineWidth = strong ? 1.75 : 1;
        this.area(line, y + h, strong ? 0.13 : 0.04, strong ? 1 : 0.4);
        c.lineWidth = 1;
      }
    }
  }

  /** Pairs of a moment and dBFS. */
  levels(levels, x) {
    const {
        context: c,
        parts: {
          levels: { y, h },
        },
      } = this,
      lines = [];
    let before = -Infinity;
    for (const [time, value] of levels) {
      if (time - before > 0.5) lines.push([]);
      before = time;
      lines.at(-1).push([x(time), y + h * Math.min(1, Math.max(0, value / FLOOR_DBFS))]);
    }
    c.strokeStyle = c.fillStyle = palette().other;
    for (const line of lines) this.area(line, y + h, 0.16);
  }

  /** A line with what is under it. */
  area(line, bottom, shade, strength = 1) {
    const c = this.context;
    c.beginPath();
    line.forEach(([x, y]) => c.lineTo(x, y));
    c.globalAlpha = strength;
    c.stroke();
    c.lineTo(line.at(-1)[0], bottom);
    c.lineTo(line[0][0], bottom);
    c.globalAlpha = shade;
    c.fill();
    c.globalAlpha = 1;
  }
}
