/** Elements, made in one expression. */

/** An element; keys of `attributes` are attributes, or properties where they begin with "on"; null leaves one out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A select; options are [value, text]. */
export function select(name, options, chosen, onchange) {
  const box = make("select", { name, onchange });
  for (const [value, text] of options) box.append(new Option(text, value, false, value === chosen));
  return box;
}

export const byId = (id) => document.getElementById(id);

/** What was kept in this browser, and keeping it; storage may be forbidden. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* then it is forgotten */
    }
  },
};

/** Say something to whoever cannot see the page. */
export function say(text) {
  byId("told").textContent = text;
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
