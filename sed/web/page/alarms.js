/** What is wrong now: what, since when, and what to do about it. */

import { byId, make } from "./dom.js";
import { time } from "./words.js";

const CLOCK_MS = 3000; // a worse clock is told of
const BEHIND_MS = 8000; // how long it is told that sound was left out

const code = (text) => make("code", {}, text);

/** What each state of a source means; hearing is left out, nothing is wrong with it. */
const STATES = {
  lost: [
    (name) => `${name} cannot be heard`,
    "bad",
    () => [
      "The daemon tries again by itself. Is it plugged in, or reachable? ",
      code("earwitness doctor"),
      " says what is missing.",
    ],
  ],
  silent: [
    (name) => `${name} is silent`,
    "worse",
    () => [
      "Nothing but digital silence arrives. Is it muted, its gain at zero, or its plug half out? ",
      code("earwitness devices --meter"),
      " shows its level.",
    ],
  ],
  stopped: [
    (name) => `${name} has stopped`,
    "worse",
    () => [
      "It is not listened to any more. A recording ends like this; otherwise restart the daemon: ",
      code("systemctl restart earwitness"),
      ".",
    ],
  ],
};

/** Keeps the banners up to date. */
export class Alarms {
  constructor(daemon) {
    this.daemon = daemon;
    this.seen = new Map(); // when each alarm was first seen
    this.shown = "";
    for (const name of ["state", "connection"]) daemon.addEventListener(name, () => this.show());
    daemon.addEventListener("behind", () => {
      this.behind = Date.now();
      this.show();
      setTimeout(() => this.show(), BEHIND_MS + 100);
    });
  }

  /** What there is to be told, the worst first. */
  *list() {
    const { daemon } = this;
    if (!daemon.connected && daemon.apart) {
      yield {
        key: "connection",
        rank: "bad",
        what: "No connection to the daemon",
        since: daemon.apart,
        todo: [
          "What you see is what it last told. The page tries again by itself; is it running? ",
          code("systemctl status earwitness"),
        ],
      };
      return; // nothing else is known
    }
    if (!daemon.whole) return;
    let told = false;
    for (const { name, place, state, reason, since } of daemon.sources) {
      if (!STATES[state]) continue;
      const [what, rank, todo] = STATES[state];
      told = true;
      const why = reason && `${place.split(":")[0]}: ${reason}`;
      yield { key: `source ${name} ${state}`, rank, what: what(name), why: why || place, since, todo: todo() };
    }
    if (!daemon.whole.flowing && !told) {
      yield {
        key: "flow",
        rank: "bad",
        what: "No sound gets through to the detector",
        todo: ["Nothing is being detected. ", code("journalctl -u earwitness"), " says more."],
      };
    }
    const { broker } = daemon.whole;
    if (broker && !broker.connected) {
      yield {
        key: "broker",
        rank: "worse",
        what: `The broker at ${broker.place} is away`,
        todo: [
          "Events are kept and will be told, in order, when it is back. Is it running, and does it let us in? ",
          code("earwitness doctor"),
          " tries.",
        ],
      };
    }
    if (Math.abs(daemon.ahead) > CLOCK_MS) {
      const by = Math.round(Math.abs(daemon.ahead) / 1000),
        way = daemon.ahead > 0 ? "ahead of" : "behind";
      yield {
        key: "clock",
        rank: "worse",
        what: `The clock of ${daemon.whole.node} is ${by.toLocaleString()} s ${way} yours`,
        todo: [
          "One of them is wrong; the times of its events follow its own. On the box, ",
          code("timedatectl"),
          " says whether it is set.",
        ],
      };
    }
    if (Date.now() - (this.behind ?? -Infinity) < BEHIND_MS) {
      yield {
        key: "behind",
        rank: "mild",
        what: "This page was too slow",
        todo: ["Some of the picture was left out; no event was missed."],
      };
    }
  }

  show() {
    const alarms = [...this.list()];
    const keys = new Set(alarms.map(({ key }) => key));
    for (const key of this.seen.keys()) if (!keys.has(key)) this.seen.delete(key);
    for (const { key } of alarms) if (!this.seen.has(key)) this.seen.set(key, Date.now());
    const shown = JSON.stringify(alarms.map(({ key, what, why, since }) => [key, what, why, since]));
    if (shown === this.shown) return; // or it would be read out again and again
    this.shown = shown;
    byId("alarms").replaceChildren(...alarms.map((alarm) => this.banner(alarm)));
    const worst = alarms[0];
    document.title = worst ? `⚠ ${worst.what}` : `${this.daemon.whole?.node ?? ""} earwitness`.trim();
  }

  banner({ key, rank, what, why, since, todo }) {
    const stamp = new Date(since ?? this.seen.get(key)).toISOString();
    return make(
      "section",
      { class: `alarm ${rank}` },
      make("strong", {}, what),
      make("span", { class: "since" }, since ? " since " : " at least since ", time(stamp)),
      why ? make("p", { class: "why" }, why) : null,
      make("p", {}, ...todo),
    );
  }
}
