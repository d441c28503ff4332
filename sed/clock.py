"""UTC from the sample numbers of live sound: a slow, robust fit of the sound card's clock to the computer's."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from sed.message import rfc3339

BUCKET_SECONDS = 5.0
"""Of each so long only the observation that was handed over soonest counts."""

BUCKETS = 60
"""How many of them the fit remembers: five minutes."""

FIRST_FIT = 6
"""Buckets before the drift is believed; until then it is the last one known, at first none."""

LINES = 16
"""Stretches between losses whose times are remembered."""

STEP_SECONDS = 0.5
"""A wall clock that is further off was set; one that is nearer is followed slowly."""

SLEW = 0.001
"""Seconds that the wall clock is followed by in each bucket: 200 ppm."""

BELIEF_SECONDS = 3600.0
"""How long a wall clock that was set has to stay so before it is followed."""

BOOT_SECONDS = 900.0
"""A computer that is up for less gets its time from the network: a wall clock that is set is followed at once."""


@dataclass(frozen=True, slots=True)
class _Line:
    """When samples were captured: sample `origin` at `moment`, each later one (1 + slope) / rate seconds after it."""

    first: int  # the sample this line begins to hold at
    origin: int
    moment: float  # seconds, monotonic
    slope: float


class SampleClock:
    """UTC from sample numbers, as `sed.message.Clock`, for a sound card that drifts and a computer that is busy.

    The reference is a monotonic clock that suspends count on (CLOCK_BOOTTIME). Sound can come late but never before it
    was captured, so the soonest of each 5 s are near the truth; a Theil-Sen line (Sen 1968) through five minutes of
    those is the sound card's clock: neither jitter nor a few bad readings move it, and a drift is followed.

    The wall clock is read once, and followed by at most 200 ppm. When it is set (a step of 0.5 s or more) events keep
    their times, unless the computer was started less than 15 minutes ago, as on boards without a clock of their own:
    then it is followed at once. A step that lasts an hour is believed, too.

    One thread observes, any other may ask.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._wall = _WallClock()
        self._lines: tuple[_Line, ...] = ()
        self._buckets: deque[tuple[int, float]] = deque(maxlen=BUCKETS)  # (sample, seconds late)
        self._bucket: tuple[int, float] | None = None
        self._since = 0.0  # when the bucket was begun
        self._first, self._slope = 0, 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than it should the sound card runs, in parts per million."""
        return -1e6 * self._lines[-1].slope if self._lines else 0.0

    @property
    def wall_step(self) -> float:
        """Seconds that the wall clock was set forward by and that events do not follow yet."""
        return self._wall.step

    def observe(self, sample: int, age: float, monotonic: float, wall: float) -> None:
        """`sample` was captured `age` seconds before the two clocks were read; samples ascend."""
        late = monotonic - age - sample / self.sample_rate
        if self._bucket is None or monotonic - self._since >= BUCKET_SECONDS:
            self._wall.observe(monotonic, wall)
            if self._bucket is not None:
                self._buckets.append(self._bucket)
                self._fit()
            self._bucket, self._since = (sample, late), monotonic
        elif late < self._bucket[1]:
            self._bucket = (sample, late)
        if not self._buckets:  # better a rough time than none
            self._draw(*self._bucket, self._slope)

    def restart(self, sample: int) -> None:
        """Sound was lost before `sample`, nobody knows exactly how much: from here on it is measured afresh."""
        self._first, self._slope = sample, self._lines[-1].slope if self._lines else 0.0
        self._buckets.clear()
        self._bucket = None

    def captured(self, sample: int) -> float | None:
        """When the sample was captured by the monotonic clock, in seconds; None before the first observation."""
        lines = self._lines
        if not lines:
            return None
        line = next((line for line in reversed(lines) if line.first <= sample), lines[0])
        return line.moment + (sample - line.origin) * (1.0 + line.slope) / self.sample_rate

    def utc(self, sample: int) -> datetime:
        """The moment of a sample. Raises ValueError before the first observation."""
        captured = self.captured(sample)
        if captured is None:
            raise ValueError(f"need an observation before the time of sample {sample} can be told")
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=captured + self._wall.offset)

    def stamp(self, sample: int) -> str:
        """The moment of a sample as in RFC 3339: `2026-11-20T02:59:01.240Z`."""
        return rfc3339(self.utc(sample))

    def _fit(self) -> None:
        samples, late = np.array(self._buckets).T
        origin = int(samples[-1])
        seconds = (samples - origin) / self.sample_rate
        if len(seconds) >= FIRST_FIT:
            first, second = np.triu_indices(len(seconds), k=1)
            self._slope = float(np.median((late[second] - late[first]) / (seconds[second] - seconds[first])))
        self._draw(origin, float(np.median(late - self._slope * seconds)), self._slope)

    def _draw(self, sample: int, late: float, slope: float) -> None:
        before = tuple(line for line in self._lines if line.first < self._first)
        line = _Line(self._first, sample, late + sample / self.sample_rate, slope)
        self._lines = (*before[1 - LINES :], line)


class _WallClock:
    """What to add to monotonic time to get UTC (seconds since 1970)."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.step = 0.0
        self._read = False
        self._since = 0.0  # when the step was first seen

    def observe(self, monotonic: float, wall: float) -> None:
        """Both clocks, read together."""
        off = wall - monotonic - self.offset
        if not self._read:
            self.offset, self._read = wall - monotonic, True
        elif abs(off) < STEP_SECONDS:
            self.offset += float(np.clip(off, -SLEW, SLEW))
            self.step = 0.0
        elif monotonic < BOOT_SECONDS or self._lasted(off, monotonic):
            self.offset += off
            self.step = 0.0

    def _lasted(self, off: float, monotonic: float) -> bool:
        if abs(off - self.step) >= STEP_SECONDS:  # not the step that was seen before
            self.step, self._since = off, monotonic
        return monotonic - self._since >= BELIEF_SECONDS
