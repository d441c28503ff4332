/** Marks in a lane: details of the one that is pointed at, and arrow keys from one to the next. */

import { make } from "./dom.js";

/** A small box over whatever has the pointer or the focus. */
export class Tip {
  constructor() {
    this.element = make("div", { class: "tip", role: "tooltip", id: "tip", hidden: true });
  }

  /** The mark, which shows the text from now on. */
  on(mark, text) {
    for (const name of ["pointerenter", "focus"]) mark.addEventListener(name, () => this.show(mark, text));
    for (const name of ["pointerleave", "blur"]) mark.addEventListener(name, () => this.hide());
    return mark;
  }

  show(mark, text) {
    const { element } = this,
      box = mark.getBoundingClientRect(),
      around = element.parentElement.getBoundingClientRect();
    element.textContent = text;
    element.hidden = false;
    const left = box.left - around.left - element.offsetWidth / 2,
      room = around.width - element.offsetWidth - 12;
    element.style.left = `${Math.max(6, Math.min(room, left))}px`;
    element.style.top = `${box.top - around.top - element.offsetHeight - 8}px`;
  }

  hide() {
    this.element.hidden = true;
  }
}

/** What the keys do in a lane of marks, which is one stop for Tab: arrows, Home and End move within it. */
export function roving(marks) {
  const stop = (only) =>
    marks.forEach((mark) => {
      mark.tabIndex = mark === only ? 0 : -1;
    });
  stop(marks[0]);
  return (press) => {
    const at = marks.indexOf(press.target);
    const next = marks[{ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: marks.length - 1 }[press.key]];
    if (!next) return;
    press.preventDefault();
    press.stopPropagation();
    stop(next);
    next.focus();
  };
}
