"""UTC from the sample numbers of a satellite's sound: its own sample clock's, as far as its clock can be right."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sed.message import rfc3339

BELIEVED_SECONDS = 2.0
"""A satellite's clock that differs from ours by less is believed; one that differs by more is wrong, and corrected."""

MOVED_SECONDS = 0.5
"""A correction is measured anew if the difference has changed by so much."""

ROUND_TRIP_SECONDS = 0.5
"""A question whose answer took longer says nothing about clocks."""

DEVIATION_SECONDS = 0.001
"""How far a block's moment may be from what the one before it leads to expect."""

ANCHORS = 1_000
"""Moments that are remembered: hours of a sound card that drifts."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    sample: int
    moment: float  # seconds since 1970


class FarClock:
    """UTC from sample numbers, as `sed.message.Clock`, from the moments that come with the sound.

    The rule for clocks that differ: up to BELIEVED_SECONDS the satellite's own is right, since no network lies between
    itself and the sound; beyond that all of its moments are moved by the difference. One thread observes, any may ask.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.correction = 0.0
        """Seconds that are added to the satellite's moments."""
        self._anchors: tuple[_Anchor, ...] = ()

    def compare(self, ours: float, theirs: float, round_trip: float) -> bool:
        """Both clocks (seconds since 1970) read together, but for the way back; says whether the correction changed."""
        if not 0.0 <= round_trip <= ROUND_TRIP_SECONDS:
            return False
        off = ours - round_trip / 2.0 - theirs
        wanted = off if abs(off) > BELIEVED_SECONDS else 0.0
        if abs(wanted - self.correction) < MOVED_SECONDS:
            return False
        self.correction = wanted
        return True

    def observe(self, sample: int, moment: float) -> None:
        """The satellite says that it heard `sample` at `moment`, in seconds since 1970; samples ascend."""
        moment += self.correction
        if not self._anchors or abs(self._moment(sample) - moment) > DEVIATION_SECONDS:
            self._anchors = (*self._anchors[1 - ANCHORS :], _Anchor(sample, moment))

    def seconds(self, sample: int) -> float | None:
        """The moment of a sample, in seconds since 1970; None before the first observation."""
        return self._moment(sample) if self._anchors else None

    def utc(self, sample: int) -> datetime:
        """The moment of a sample. Raises ValueError before the first observation."""
        if not self._anchors:
            raise ValueError(f"need an observation before the time of sample {sample} can be told")
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=self._moment(sample))

    def stamp(self, sample: int) -> str:
        """The moment of a sample as in RFC 3339: `2026-11-20T02:59:01.240Z`."""
        return rfc3339(self.utc(sample))

    def _moment(self, sample: int) -> float:
        anchors = self._anchors
        anchor = next((each for each in reversed(anchors) if each.sample <= sample), anchors[0])
        return anchor.moment + (sample - anchor.sample) / self.sample_rate
