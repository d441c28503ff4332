/** Colours: maps with even steps of lightness for spectrograms, and one colour for each label. */

const SLOTS = 8; // colours that the style sheet has for labels

/** Lightness, chroma and hue of both ends, and how much more chroma there is between them; hues in degrees. */
const MAPS = {
  dark: { from: [0.185, 0.02, 275], to: [0.96, 0.07, 452], more: 0.15 },
  light: { from: [0.985, 0.008, 95], to: [0.26, 0.09, 285], more: 0.1 },
};

let paints = null;

/** Whether the page is dark now. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** 256 colours as bytes of RGBA in a Uint32Array; OKLCH, Ottosson 2020. */
export function colourMap() {
  const { from, to, more } = MAPS[isDark() ? "dark" : "light"];
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const t = i / 255;
    const [lightness, chroma, hue] = from.map((value, k) => value + t * (to[k] - value));
    return inGamut(lightness, chroma + more * Math.sin(Math.PI * t), hue);
  });
}

/** The colour, with as much of its chroma as a screen can show. */
function inGamut(lightness, chroma, hue) {
  let rgb = linear(lightness, chroma, hue);
  while (chroma > 0 && rgb.some((value) => value < -0.001 || value > 1.001)) {
    chroma -= 0.004;
    rgb = linear(lightness, Math.max(chroma, 0), hue);
  }
  const [r, g, b] = rgb.map((value) => {
    const v = Math.min(1, Math.max(0, value));
    return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
  });
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

function linear(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180),
    b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** What canvases are painted with, read from the style sheet once a theme: text, faint, line, and slots of labels. */
export function palette() {
  if (paints) return paints;
  const probe = document.createElement("i");
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  paints = { text: read("text"), faint: read("faint"), line: read("line"), card: read("card"), other: read("other") };
  paints.slots = Array.from({ length: SLOTS }, (_, i) => read(`label-${i}`));
  probe.remove();
  return paints;
}

/** The class of a label's colour in the style sheet, by its place among those that alert; -1: it does not. */
export const slot = (place) => (place < 0 ? "other" : `slot-${place % SLOTS}`);

/** The same for a canvas. */
export const paint = (place) => (place < 0 ? palette().other : palette().slots[place % SLOTS]);

/** Call back when the theme has changed. */
export function onTheme(changed) {
  const again = () => {
    paints = null;
    changed();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.addEventListener("theme", again);
}
