"""What travels between the stages: blocks of samples, frames, scores and events.

Time is a sample count throughout, at the model's rate. It becomes seconds or UTC only when an event leaves.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FLOOR_DBFS = -120.0
"""The level of digital silence: a floor, so that it can be told from a missing value and from full scale."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive mono samples; `start` counts from the first sample ever captured, so a loss is a jump."""

    start: int
    samples: Floats  # (n,), full scale is 1.0

    @property
    def end(self) -> int:
        """The sample after the last one."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class Frames:
    """Consecutive log-mel frames; frame k begins at sample `start + k * hop`."""

    start: int  # samples
    hop: int  # samples
    values: Floats  # (n, mels), dB


@dataclass(frozen=True, slots=True)
class Scores:
    """Consecutive rows of label scores; row k speaks of samples `start + k * hop` to `start + (k + 1) * hop`."""

    start: int  # samples
    hop: int  # samples
    values: Floats  # (n, labels), 0 to 1
    ahead: int  # samples after a row's end that had to be heard before the row could be known

    @property
    def end(self) -> int:
        """The sample after the last row."""
        return self.start + self.hop * len(self.values)


State = Literal["hearing", "silent", "lost", "stopped"]
"""How a source is: silent means exact zeros, lost that no sound comes, stopped that none will come any more."""

Phase = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Event:
    """One of the two messages of a sound event: `start` as soon as it is certain, `end` when it is over."""

    id: str
    label: str
    phase: Phase
    onset: int  # samples
    offset: int | None  # samples; None while the sound goes on
    score: float  # the highest so far
    detected: int  # the sample that made this message certain
    level_dbfs: float = FLOOR_DBFS  # the loudest 40 ms so far
    lost_samples: int = 0  # lost since the event before


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """A ULID: 26 characters that sort by the time of their making (github.com/ulid/spec)."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
