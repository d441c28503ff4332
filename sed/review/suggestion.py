"""Thresholds that the verdicts ask for: the false alarms that a higher `on` would have spared, and what it costs."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORTH = 3.0
"""False alarms that weigh as much as one true event that would be missed, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What another `on` would have done to the judged events of a label."""

    label: str
    on: float | None
    """None: none is worth what it would cost."""
    removed: int
    false: int
    """Of so many false alarms."""
    lost: int
    true: int

    def sentence(self, days: float) -> str:
        """For people: `12 false glass_break alarms in 7 days; on = 0.81 would have removed 11 and lost ...`."""
        alarms = f"{self.false} false {self.label} alarms in {days:.3g} days"
        if self.on is None:
            return f"{alarms}, {self.true} true ones; no higher threshold is worth what it would lose"
        lost = f"lost {self.lost} of {self.true} true ones"
        return f"{alarms}; on = {self.on:g} would have removed {self.removed} and {lost}"

    def toml(self) -> str:
        """The lines for the config."""
        return f"[rules.{self.label}]\non = {self.on:g}\n"


def suggested(
    label: str, now: float, true: Sequence[float], false: Sequence[float], worth: float = WORTH
) -> Suggestion | None:
    """The `on` above `now` that spares most false alarms, a lost true event weighing as much as `worth` of them.

    `true` and `false` are the highest scores of judged events; those below `now` would be none any more. A lower
    threshold is never found: what it would add was never told. Of equally good ones, the lowest. None without a false
    alarm.
    """
    above, below = sorted(score for score in true if score >= now), sorted(score for score in false if score >= now)
    if not below:
        return None
    best = Suggestion(label, None, 0, len(below), 0, len(above))
    for on in thresholds(now):
        removed, lost = bisect_left(below, on), bisect_left(above, on)
        if removed - worth * lost > best.removed - worth * best.lost:
            best = Suggestion(label, on, removed, len(below), lost, len(above))
    return best


def thresholds(now: float) -> Iterator[float]:
    """Hundredths above `now`, and thousandths above 0.99, where models like to be."""
    hundredths, thousandths = (n / 100 for n in range(1, 100)), (n / 1_000 for n in range(991, 1_000))
    yield from (on for on in (*hundredths, *thousandths) if on > now)
