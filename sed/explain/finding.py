"""A stretch of sound that became an event, or the rule by which it did not, in words."""

from dataclasses import dataclass
from typing import Literal

from sed.metadata import Rule

Key = Literal["on", "median", "min_duration", "cooldown", "alert"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch that one label's scores single out; `rule` is None for an event, else the key that rejected it.

    What the rule looks at came to `reached`, and it asks for `asked`; both are None where no number decides.
    """

    label: str
    onset: float  # seconds
    offset: float  # seconds
    score: float  # the highest
    why: str = "event"
    rule: Key | None = None
    reached: float | None = None
    asked: float | None = None

    @property
    def missed_by(self) -> float:
        """The share of `asked` that was missing, 0 to 1: an event misses by nothing, a label that is off by all."""
        if self.reached is None or not self.asked:
            return 0.0 if self.rule is None else 1.0
        return 1.0 - self.reached / self.asked


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive rows of one label, before anything has been decided about them."""

    label: str
    onset: float  # seconds
    offset: float  # seconds
    score: float  # the highest


def event(s: Stretch) -> Finding:
    """It is an event."""
    return Finding(s.label, s.onset, s.offset, s.score)


def too_low(s: Stretch, rule: Rule, smoothed: float) -> Finding:
    """Its score, or what the running median left of it, stayed below `on`."""
    if s.score < rule.on:
        why = f"peak {_below(s.score, rule.on)} never reached on = {rule.on:g}"
        return Finding(s.label, s.onset, s.offset, s.score, why, "on", s.score, rule.on)
    left = f"only {_below(smoothed, rule.on)} of it is left by median = {rule.median}"
    why = f"peak {s.score:.2f} reached on = {rule.on:g}, but {left}"
    return Finding(s.label, s.onset, s.offset, s.score, why, "median", smoothed, rule.on)


def too_short(s: Stretch, rule: Rule) -> Finding:
    """It reached `on` and ended before `min_duration`."""
    lasted = s.offset - s.onset
    why = f"lasted {_below(lasted, rule.min_duration)} s of the {rule.min_duration:g} s that min_duration asks"
    return Finding(s.label, s.onset, s.offset, s.score, why, "min_duration", lasted, rule.min_duration)


def too_soon(s: Stretch, rule: Rule, before: float) -> Finding:
    """It began within the cooldown of the event that ended at `before` seconds."""
    since = s.onset - before
    why = f"began {_below(since, rule.cooldown)} s after the event before, within its cooldown of {rule.cooldown:g} s"
    return Finding(s.label, s.onset, s.offset, s.score, why, "cooldown", since, rule.cooldown)


def switched_off(s: Stretch) -> Finding:
    """It would be an event if its label were to be told at all."""
    return Finding(s.label, s.onset, s.offset, s.score, "alert = false: this label is never told", "alert")


def _below(value: float, limit: float) -> str:
    """A value in as many digits as it takes to show that it is below the limit, at least two."""
    for digits in range(2, 7):
        if float(text := f"{value:.{digits}f}") < limit:
            return text
    return f"{value:.7g}"
