"""Which telling belongs to which event: for delays and for recall by level."""

from collections.abc import Sequence
from dataclasses import dataclass

from sed.evaluate.matching import COLLAR
from sed.evaluate.reference import Sound


@dataclass(frozen=True, slots=True)
class Pair:
    """A known event and what was told of it, if anything was."""

    known: Sound
    told: Sound | None

    @property
    def delay(self) -> float:
        """Seconds by which the told onset lies after the true one; not a number for a missed event."""
        return float("nan") if self.told is None else self.told.onset - self.known.onset


def paired(known: Sequence[Sound], told: Sequence[Sound], collar: float = COLLAR) -> list[Pair]:
    """Each known event with the telling of its label whose onset is nearest within the collar, the nearest pairs first.

    Nearby events are joined beforehand, so hardly ever do two compete.
    """
    near = sorted(
        (abs(mine.onset - theirs.onset), n, m)
        for n, mine in enumerate(known)
        for m, theirs in enumerate(told)
        if mine.label == theirs.label and abs(mine.onset - theirs.onset) <= collar + 1e-9
    )
    partner: dict[int, int] = {}
    for _, n, m in near:
        if n not in partner and m not in partner.values():
            partner[n] = m
    return [Pair(mine, told[partner[n]] if n in partner else None) for n, mine in enumerate(known)]
