"""What is asked of those who do the work, and what they answer: all of it small, frozen and picklable."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from sed.formats import Detection
from sed.metadata import Rule
from sed.signals import Floats
from sed.source.file import Channel

TRIES = 3
"""How often a recording is given out whose worker dies, before it is held to be the reason."""

PATIENCE, PATIENCE_PER_MB = 60.0, 10.0
"""Seconds that a job may take unless told otherwise: some, and more for what is large; no computer is as slow."""

UNKNOWN_SIZE = 100_000_000
"""Bytes a recording counts as whose size nobody tells."""

Status = Literal["done", "failed", "timed_out", "crashed"]
TimeSource = Literal["name", "header", "format"]


_URL = re.compile(r"([a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_url(name: str) -> bool:
    """Whether fsspec has to open it, as `s3://bucket/a.wav` or `zip://a.wav::s3://bucket/all.zip`."""
    return _URL.match(name) is not None


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of an archive; `name` is what opens it and what the tables call it: a path or a URL."""

    name: str
    size: int | None = None  # bytes

    @property
    def remote(self) -> bool:
        """Whether it is a URL, for fsspec to open."""
        return is_url(self.name)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is wanted of a long recording, in samples at the model's rate; an `end` of None stands for its own."""

    number: int
    of: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """A unit of work: some recordings together, or one piece of a long one."""

    number: int
    recordings: tuple[Recording, ...]
    piece: Piece | None = None
    tried: int = 0  # times that it was given out and its worker died

    @property
    def size(self) -> int:
        """Bytes, as far as they are known."""
        return sum(UNKNOWN_SIZE if one.size is None else one.size for one in self.recordings)

    def again(self) -> tuple["Job", ...]:
        """What to give out when its worker has died: each recording by itself; nothing if that was done TRIES times."""
        if self.tried + 1 >= TRIES:
            return ()
        return self.apart(self.tried + 1)

    def apart(self, tried: int = 0) -> tuple["Job", ...]:
        """Each recording as a job of its own."""
        return tuple(replace(self, recordings=(one,), tried=tried) for one in self.recordings)

    def given_up(self, status: Status, error: str) -> "Done":
        """The answer in the place of a worker that gave none."""
        return Done(self, tuple(Outcome(one, self.piece, status, error) for one in self.recordings))


@dataclass(frozen=True, slots=True)
class Order:
    """What all jobs of a scan have in common."""

    model: bytes  # the ONNX file itself: another machine need not have it
    model_name: str
    model_sha256: str
    rules: Mapping[str, Rule]
    channel: Channel = 0
    time_limit: float | None = None  # seconds; None: by the size
    warm_up: float = 0.0  # seconds heard before a piece and not counted
    time_format: str | None = None  # of strptime, to be found in the name
    timezone: str = "UTC"  # of times that name none

    def limit(self, job: Job) -> float:
        """Seconds that a job may take; one of several recordings that takes longer is done again, one by one."""
        return self.time_limit or PATIENCE + PATIENCE_PER_MB * job.size / 1e6


@dataclass(frozen=True, slots=True)
class Part:
    """What was heard of a piece: enough to follow events over its seams as if it had never been cut."""

    start: int  # samples at the model's rate, as `hop`
    hop: int
    ahead: int
    scores: Floats  # (rows, labels): of those that events are told of, in the order of the model
    powers: Floats  # (windows,), mean power of each 40 ms


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a recording, or of a piece of it."""

    recording: Recording
    piece: Piece | None = None
    status: Status = "done"
    error: str | None = None  # without the recording's name
    detections: tuple[Detection, ...] = ()  # in the order of their onsets
    part: Part | None = None  # of a piece
    duration: float = 0.0  # seconds heard
    sample_rate: int | None = None
    channels: int | None = None
    begins: datetime | None = None  # aware, UTC
    time_source: TimeSource | None = None
    seconds_taken: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a job: an outcome a recording, in the same order."""

    job: Job
    outcomes: tuple[Outcome, ...] = field(default=())


class Engine(Protocol):
    """Does jobs in any order, whatever dies meanwhile.

    Every recording (or piece) of every job is in exactly one Done: a job whose worker died, or that took longer than
    `order.limit(job)`, may come back as several, for `job.again()` or `job.apart()` were done in its place. What is
    over its limit by itself is `job.given_up("timed_out", …)`; what killed its worker TRIES times is "crashed". Jobs
    are pulled as there is room for them. Closing the iterator ends the workers.
    """

    def run(self, jobs: Iterable[Job], order: Order) -> Iterator[Done]: ...  # noqa: D102
