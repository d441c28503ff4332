/** What people say of an event: right, wrong, or something else. */

import { make, say, select } from "./dom.js";
import { named, time, verdictWords } from "./words.js";

/** Buttons; what was said is pressed, and pressing it again takes it back. */
export class Verdict {
  constructor(daemon, event) {
    this.daemon = daemon;
    this.event = event;
    this.element = make("div", { class: "verdict" });
    this.show(event.verdict);
  }

  show(verdict) {
    const told = JSON.stringify(verdict);
    if (told === this.told) return; // it is told to all who watch, and so to us again
    this.told = told;
    const { element } = this,
      focused = element.contains(document.activeElement) && (document.activeElement.dataset.verdict ?? "other");
    this.choice = this.others(verdict);
    element.replaceChildren(
      this.buttons(verdict?.verdict),
      this.choice,
      verdict
        ? this.said(verdict)
        : make(
            "p",
            { class: "small" },
            "What you say makes the model better: corrections can be exported and trained on.",
          ),
    );
    if (focused) element.querySelector(`[data-verdict=${focused}]`).focus();
  }

  buttons(said) {
    const button = (name, text, key) =>
      make(
        "button",
        {
          type: "button",
          class: `say ${name}`,
          "data-verdict": name,
          "aria-pressed": String(said === name),
          title: `${text} (${key})`,
          onclick: () => (name === "other" ? this.other() : this.judge({ verdict: said === name ? null : name })),
        },
        text,
      );
    return make(
      "div",
      { class: "buttons", role: "group", "aria-label": "Verdict" },
      button("right", `Yes, ${named(this.event.label)}`, "r"),
      button("wrong", "No, false alarm", "w"),
      button("other", "Something else …", "o"),
    );
  }

  /** Labels that it may have been instead. */
  others(verdict) {
    const names = this.daemon.labels
      .filter((label) => label !== this.event.label)
      .map((label) => [label, named(label)]);
    const options = [["", "It was …"], ...names, ["something_else", "something else"]];
    const choice = select(
      "other",
      options,
      verdict?.label ?? "",
      () => choice.value && this.judge({ verdict: "other", label: choice.value }),
    );
    choice.setAttribute("aria-label", "What it was instead");
    choice.hidden = verdict?.verdict !== "other";
    return choice;
  }

  said(verdict) {
    const back = make(
      "button",
      { type: "button", class: "link", onclick: () => this.judge({ verdict: null }) },
      "Take it back",
    );
    const by = verdict.by ? ` by ${verdict.by}` : "";
    return make("p", { class: "small" }, `Said: ${verdictWords(verdict)}, `, time(verdict.at), `${by}. `, back);
  }

  /** Let a label be chosen. */
  other() {
    this.choice.hidden = false;
    this.choice.focus();
  }

  async judge(verdict) {
    try {
      await this.daemon.judge(this.event.id, verdict);
      say(verdict.verdict ? `Stored: ${verdictWords({ label: null, ...verdict })}` : "Taken back");
    } catch (error) {
      this.element.append(make("p", { role: "alert", class: "refused" }, `Not stored: ${error.message}`));
    }
  }
}
