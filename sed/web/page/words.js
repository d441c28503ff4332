/** Times, durations, labels and rules in words; times in the viewer's zone, with the UTC in the title. */

import { make } from "./dom.js";

const TIME = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat([], { weekday: "short", day: "numeric", month: "short" });

export const named = (label) => label.replaceAll("_", " ");
export const seconds = (stamp) => Date.parse(stamp) / 1000;
export const clock = (when) => TIME.format(new Date(when));
export const day = (when) => DAY.format(new Date(when));
export const score = (value) => value.toFixed(2);
export const decibels = (value) => (value <= -119.5 ? "silence" : `${Math.round(value)} dBFS`.replace("-", "−"));

/** The day too, unless it is today's. */
export function moment(when) {
  const date = new Date(when);
  return date.toDateString() === new Date().toDateString() ? clock(date) : `${day(date)}, ${clock(date)}`;
}

/** A <time> with the UTC to be looked up. */
export const time = (stamp, text = moment(stamp)) => {
  const utc = new Date(stamp).toISOString();
  return make("time", { datetime: utc, title: `${utc.replace("T", " ").replace("Z", "")} UTC` }, text);
};

export function lasting(value) {
  if (value < 10) return `${value.toFixed(value < 1 ? 2 : 1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

/** How long an event lasted, or why that is not known. */
export const duration = (event) =>
  event.duration !== null ? lasting(event.duration) : event.open ? "sounding" : "end unknown";

export const verdictWords = (verdict) =>
  verdict
    ? { right: "right", wrong: "wrong", other: `it was ${named(verdict.label ?? "other")}` }[verdict.verdict]
    : "";

export const count = (n, word) => `${n.toLocaleString()} ${word}${n === 1 ? "" : "s"}`;

/** The rule of a label, sentence by sentence. */
export function ruleWords(rule, row) {
  const told = [`An event begins once the score reaches ${rule.on} and pauses when it falls below ${rule.off}.`];
  if (rule.median > 1)
    told.push(`Scores are smoothed first: the median of ${rule.median} rows (${lasting(rule.median * row)}).`);
  if (rule.max_rise)
    told.push(`Its onset is where the score rose above ${rule.off}, at most ${lasting(rule.max_rise)} earlier.`);
  told.push(rule.max_gap ? `Pauses of up to ${lasting(rule.max_gap)} belong to it.` : "Any pause ends it.");
  if (rule.min_duration) told.push(`Shorter than ${lasting(rule.min_duration)} is no event.`);
  if (rule.cooldown) told.push(`For ${lasting(rule.cooldown)} after it no new one is told.`);
  if (!rule.alert) told.push("This label is scored, but no longer alerts.");
  return told;
}
