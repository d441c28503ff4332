/** Strips of time, in rings: columns of a spectrogram, and rows of scores. Times are seconds since 1970. */

import { colourMap } from "./colours.js";

const CONTRAST_DB = 42; // the least from the darkest to the brightest

export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Cells of equal length by their number since 1970; the newest `n` are kept, and what was not heard is empty. */
class Ring {
  constructor(cell, seconds, width) {
    this.cell = cell;
    this.n = Math.ceil(seconds / cell) + 4;
    this.width = width;
    this.data = new Uint8Array(this.n * width);
    this.filled = new Uint8Array(this.n);
    this.last = 0;
  }

  /** Where the cell of a moment is in the data, made empty if it is new; -1 if it is too old. */
  reach(time) {
    const k = Math.floor(time / this.cell + 1e-6);
    if (k <= this.last - this.n) return -1;
    for (this.last = Math.max(this.last, k - this.n); this.last < k;) {
      const at = ++this.last % this.n;
      this.filled[at] = 0;
      this.data.fill(0, at * this.width, (at + 1) * this.width);
    }
    return k % this.n;
  }

  clear() {
    this.filled.fill(0);
    this.data.fill(0);
    this.last = 0;
  }
}

/** A log-mel spectrogram; `together` columns make a cell, the loudest of each band. */
export class Picture extends Ring {
  constructor(sound, seconds, together = 1) {
    super(together * sound.column_seconds, seconds, sound.bands);
    this.sound = sound;
    this.canvas = Object.assign(document.createElement("canvas"), { width: this.n, height: sound.bands });
    this.context = this.canvas.getContext("2d");
    this.low = this.high = 0;
    this.fresh = 0;
    this.theme();
  }

  /** The colours of the theme that holds now. */
  theme() {
    this.map = colourMap();
    this.paint(0, this.n);
  }

  /** Columns from `at` on. */
  put(columns, at) {
    const { bands, column_seconds: step } = this.sound;
    const touched = new Set();
    for (let c = 0; (c + 1) * bands <= columns.length; c++) {
      const place = this.reach(at + (c + 0.5) * step);
      if (place < 0) continue;
      this.filled[place] = 1;
      touched.add(place);
      for (let b = 0, to = place * bands, from = c * bands; b < bands; b++, to++, from++) {
        if (columns[from] > this.data[to]) this.data[to] = columns[from];
      }
    }
    this.fresh += touched.size;
    if (!this.high || this.fresh > 25) this.expose();
    else for (const place of touched) this.paint(place, place + 1);
  }

  /** Darkest and brightest after what there is to be seen: they follow slowly, or all would flicker. */
  expose() {
    this.fresh = 0;
    const counts = new Uint32Array(256);
    let total = 0;
    for (let place = 0; place < this.n; place++) {
      if (!this.filled[place]) continue;
      for (let i = place * this.width, end = i + this.width; i < end; i++) counts[this.data[i]]++;
      total += this.width;
    }
    const quantile = (share) => {
      let value = 0;
      for (let left = share * total; value < 255 && (left -= counts[value]) > 0; value++);
      return value;
    };
    const low = quantile(0.15),
      high = Math.max(quantile(0.999), low + CONTRAST_DB / this.sound.step_db);
    if (Math.abs(low - this.low) > 3 || Math.abs(high - this.high) > 5) {
      const share = this.high ? 0.5 : 1;
      this.low += share * (low - this.low);
      this.high += share * (high - this.high);
    }
    this.paint(0, this.n);
  }

  /** Cells into pixels, the lowest band at the bottom. */
  paint(first, end) {
    const { bands } = this.sound,
      image = this.context.createImageData(end - first, bands);
    const pixels = new Uint32Array(image.data.buffer),
      scale = 255 / (this.high - this.low || 1);
    for (let place = first; place < end; place++) {
      if (!this.filled[place]) continue;
      for (let b = 0; b < bands; b++) {
        const value = Math.min(255, Math.max(0, (this.data[place * bands + b] - this.low) * scale)) | 0;
        pixels[(bands - 1 - b) * (end - first) + place - first] = this.map[value];
      }
    }
    this.context.putImageData(image, first, 0);
  }

  /** What was heard from one moment to another, in a rectangle. */
  draw(context, from, to, x, y, width, height) {
    const scale = width / (to - from);
    let k = Math.max(Math.floor(from / this.cell), this.last - this.n + 1);
    const end = Math.min(Math.floor(to / this.cell), this.last) + 1;
    while (k < end) {
      const place = k % this.n,
        count = Math.min(end - k, this.n - place);
      const left = x + (k * this.cell - from) * scale,
        wide = count * this.cell * scale;
      k += count;
      context.drawImage(this.canvas, place, 0, count, this.sound.bands, left, y, wide + (k < end), height); // no seam
    }
  }
}

/** Scores of all labels, 0 to 255. */
export class Curves extends Ring {
  /** Rows from `at` on. */
  put(rows, at) {
    for (let r = 0; (r + 1) * this.width <= rows.length; r++) {
      const place = this.reach(at + (r + 0.5) * this.cell);
      if (place < 0) continue;
      this.filled[place] = 1;
      this.data.set(rows.subarray(r * this.width, (r + 1) * this.width), place * this.width);
    }
  }

  /** Pieces of one label's curve without a gap, each a list of [x, y]; 0 is at the bottom. */
  lines(label, from, to, x, y, width, height) {
    const scale = width / (to - from),
      lines = [];
    let before = -Infinity;
    for (let k = Math.max(Math.floor(from / this.cell) - 1, this.last - this.n + 1, 0); k <= this.last; k++) {
      const place = k % this.n,
        time = (k + 0.5) * this.cell;
      if (!this.filled[place]) continue;
      if (k - before > 3) lines.push([]);
      before = k;
      const line = lines.at(-1),
        level = y + height * (1 - this.data[place * this.width + label] / 255);
      if (line.length > 1 && line.at(-1)[1] === level && line.at(-2)[1] === level) line.pop(); // it goes on level
      line.push([x + (time - from) * scale, level]);
      if (time > to) break;
    }
    return lines;
  }

  /** The highest of one label in a while. */
  highest(label, from, to) {
    let best = 0;
    for (
      let k = Math.max(Math.floor(from / this.cell), this.last - this.n + 1, 0);
      k <= this.last && k * this.cell < to;
      k++
    ) {
      const place = k % this.n;
      if (this.filled[place]) best = Math.max(best, this.data[place * this.width + label]);
    }
    return best / 255;
  }
}
