/** The page: which view is shown, the keys, and the theme. */

import { Alarms } from "./alarms.js";
import { Daemon } from "./daemon.js";
import { byId, memory } from "./dom.js";
import { Now } from "./now.js";

const VIEWS = { today: ["./today.js", "Today"], events: ["./events.js", "Events"], event: ["./event.js", "EventView"] };
const KEYS = { n: "#now", t: "#today", e: "#events" };
const THEMES = ["system", "light", "dark"];
const SIGNS = { system: "◐", light: "○", dark: "●" };

const daemon = new Daemon();
const views = { now: new Now(daemon) };
let shown = null;

new Alarms(daemon);
theme(document.documentElement.dataset.theme ?? "system");
daemon.addEventListener("connection", begin);
daemon.open();

/** With the first answer, and with each that follows a silence: what came meanwhile is fetched. */
async function begin() {
  if (!daemon.connected) return;
  byId("node").textContent = daemon.whole.node;
  byId("logout").hidden = !daemon.whole.needs_login;
  byId("about").textContent =
    `earwitness ${daemon.whole.version}, ${daemon.whole.model.name} ${daemon.whole.model.version}`;
  if (!shown) await route();
  await Promise.all([daemon.remember(), daemon.reread(), daemon.recheck()]).catch(() => {});
  shown?.soon ? shown.soon() : views.now.list();
}

async function route() {
  const asked = location.hash;
  const [, name, , rest] = asked.match(/^#(\w+)([/?](.*))?$/) ?? [null, "now"];
  if (name === "main") return byId("main").focus();
  const view = name in VIEWS || name === "now" ? name : "now";
  if (!views[view]) {
    const [module, made] = VIEWS[view];
    views[view] = new (await import(module))[made](daemon);
    if (location.hash !== asked) return; // somebody was faster
  }
  if (view === "event" && shown && shown !== views.event) views.event.back = before;
  before = asked || "#now";
  const other = shown && shown !== views[view];
  shown?.hide();
  shown = views[view];
  for (const link of document.querySelectorAll("nav [data-view]")) {
    const current = link.dataset.view === (view === "event" ? "events" : view);
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  byId("main").replaceChildren(shown.element);
  if (daemon.whole) await shown.show(rest ?? "");
  if (other) byId("main").focus({ preventScroll: true }); // or a reader would stay where nothing is any more
  if (other || view === "event") scrollTo(0, 0);
  if (daemon.whole) performance.mark("usable");
}

let before = "#now";

addEventListener("hashchange", () => {
  if (daemon.whole) route();
});

addEventListener("keydown", (press) => {
  if (press.ctrlKey || press.altKey || press.metaKey || byId("shortcuts").open || !byId("keys").checked) return;
  if (
    press.target.matches("input:not(#keys), select, textarea") ||
    (press.key === " " && press.target.matches("button, a, audio"))
  )
    return;
  if (press.target.matches("audio") && press.key.startsWith("Arrow")) return;
  if (press.key === "?") byId("shortcuts").showModal();
  else if (press.key === "d") byId("theme").click();
  else if (KEYS[press.key]) location.hash = KEYS[press.key];
  else if (!shown?.key?.(press.key)) return;
  press.preventDefault();
});

byId("help").addEventListener("click", () => byId("shortcuts").showModal());
byId("keys").checked = memory.get("keys") !== "off";
byId("keys").addEventListener("change", ({ target }) => memory.set("keys", target.checked ? "on" : "off"));
byId("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "system") + 1) % THEMES.length];
  memory.set("theme", next === "system" ? "" : next);
  theme(next);
  document.dispatchEvent(new Event("theme"));
});
byId("logout").addEventListener("click", async () => {
  await fetch("/logout", { method: "POST" });
  location.assign("/login");
});

function theme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId("theme").textContent = SIGNS[name];
  byId("theme").title = `Colours: ${name} (d)`;
  byId("theme").setAttribute("aria-label", `Colours: ${name}`);
}
