/** The daemon, as the page knows it: how it is, what it hears, and what it is asked. */

import { bytes } from "./strip.js";
import { seconds } from "./words.js";

const QUIET_MS = 5000; // without a word: the state comes every second
const AGAIN_MS = 3000;
const HIDDEN_MS = 30_000; // after which a page that nobody sees only asks how all is: a browser has six connections
const ASKED_MS = 15_000;
const RULES_MS = 60_000; // they may be changed by a command
const RECENT = 60;

/** What the daemon refused, in its own words. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(typeof detail === "string" ? detail : "the daemon did not understand this page; reload it");
    this.status = status;
  }
}

/** Ask, and get JSON; raises Refusal, or TypeError without a connection. */
export async function ask(path, body) {
  const options =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (answer.status === 401) location.assign("/login");
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, told.detail ?? answer.statusText);
  return told;
}

/** Events: "state", "sound" (detail: a tick), "event" (detail: the event), "connection". */
export class Daemon extends EventTarget {
  constructor() {
    super();
    this.whole = this.rules = null;
    this.connected = false;
    this.apart = null; // since when there is no connection, ms
    this.ahead = 0; // of the daemon's clock before ours, ms
    this.recent = new Map(); // events by id, newest last
    setInterval(() => this.check(), 1000);
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("pagehide", () => this.rest()); // or it would be kept, connection and all, for the way back
    addEventListener("pageshow", ({ persisted }) => persisted && this.wake());
    if (document.hidden) this.seen();
  }

  get sound() {
    return this.whole.sound;
  }
  get labels() {
    return this.whole.model.labels;
  }
  get sources() {
    return this.whole.sources;
  }

  /** Labels that alert anywhere come first, and give the colours. */
  get alerting() {
    const rules = Object.values(this.rules.sources);
    return this.labels.filter((label) => rules.some((each) => each[label]?.alert));
  }

  /** Until it works. */
  async open() {
    try {
      [this.whole, this.rules] = await Promise.all([ask("/sources"), ask("/rules")]);
      this.heard(this.whole);
      this.listen();
    } catch (error) {
      this.part();
      setTimeout(() => this.open(), AGAIN_MS);
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error;
    }
  }

  async reread() {
    this.ruled = performance.now();
    const before = JSON.stringify(this.rules);
    this.rules = await ask("/rules");
    if (JSON.stringify(this.rules) !== before) this.tell("rules");
  }

  /** Live as long as somebody looks; a glance at another tab leaves no hole. */
  seen() {
    clearTimeout(this.resting);
    if (document.hidden) this.resting = setTimeout(() => this.rest(), HIDDEN_MS);
    else if (this.asking) this.wake();
  }

  wake() {
    this.connected = false; // and what came meanwhile is fetched
    this.open();
  }

  rest() {
    this.stream?.close();
    clearInterval(this.asking);
    this.asking = setInterval(
      () =>
        ask("/sources").then(
          (whole) => this.heard(whole),
          () => this.part(),
        ),
      ASKED_MS,
    );
  }

  listen() {
    clearInterval(this.asking);
    this.asking = null;
    this.stream?.close();
    this.stream = new EventSource("/stream");
    const on = (name, taken) => this.stream.addEventListener(name, (message) => taken(JSON.parse(message.data)));
    on("state", (state) => this.heard(state));
    on("sound", (tick) => this.tick(tick));
    on("event", (event) => this.keep(event));
    on("verdict", ({ id, verdict }) => this.judged(id, verdict));
    on("lost", () => this.tell("behind"));
    this.stream.onerror = () => {
      this.part();
      if (this.stream.readyState === EventSource.CLOSED) setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  heard(state) {
    const back = !this.connected;
    this.ahead = Date.parse(state.time) - Date.now();
    Object.assign(this.whole, state);
    this.at = performance.now();
    this.connected = true;
    this.apart = null;
    if (back) this.tell("connection");
    this.tell("state");
  }

  part() {
    if (!this.connected && this.apart) return;
    this.connected = false;
    this.apart ??= Date.now();
    this.tell("connection");
  }

  check() {
    if (this.connected && performance.now() - this.at > QUIET_MS && !this.asking) this.part();
    if (this.connected && performance.now() - this.ruled > RULES_MS && !this.asking) this.reread().catch(() => {});
  }

  tick({ source, mel, mel_at, scores, scores_at, level_dbfs }) {
    this.tell("sound", {
      source,
      level: level_dbfs,
      mel: mel && bytes(mel),
      melAt: mel && seconds(mel_at),
      scores: scores && bytes(scores),
      scoresAt: scores && seconds(scores_at),
    });
  }

  /** An event's message, or a whole event. */
  keep(event) {
    const whole = { verdict: this.recent.get(event.id)?.verdict ?? null, open: event.phase === "start", ...event };
    this.recent.set(event.id, whole);
    while (this.recent.size > RECENT) this.recent.delete(this.recent.keys().next().value);
    this.tell("event", whole);
  }

  /** After an upgrade, or with another model, this page is an old one. */
  async recheck() {
    const { version, model } = await ask("/sources");
    if (JSON.stringify([version, model]) !== JSON.stringify([this.whole.version, this.whole.model])) location.reload();
  }

  async remember() {
    const { events } = await ask(`/events?limit=${RECENT}`);
    for (const event of events.reverse()) this.recent.set(event.id, event);
    this.order ??= [...this.recent.keys()].reverse();
  }

  async judge(id, verdict) {
    const event = await ask(`/events/${id}/verdict`, verdict);
    this.judged(id, event.verdict);
    return event;
  }

  judged(id, verdict) {
    const event = this.recent.get(id);
    if (event) event.verdict = verdict;
    this.tell("verdict", { id, verdict });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
