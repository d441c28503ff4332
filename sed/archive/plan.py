"""Jobs from recordings: small ones together, so that a job is worth its handing out; long ones in pieces, if asked."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from sed.archive.engine import Job, Piece, Recording
from sed.archive.pieces import cut
from sed.errors import EarwitnessError
from sed.metadata import Metadata
from sed.source.file import AudioFile

TOGETHER, TOGETHER_BYTES = 64, 8_000_000
"""Recordings of a job, and their bytes: some four minutes of 16-bit sound, a quarter of a second's work."""

RISING = 4
"""So many jobs until they hold one recording more: a few recordings are shared out among all workers."""

SPARSEST = 500
"""Bytes a second of the most compressed recordings: what is smaller than that a piece need not be opened to know."""

WHOLE = Piece(0, 1, 0, None)
"""All of a recording, so that its scores come back."""


class Plan:
    """Deals recordings out as jobs, when they are asked for."""

    def __init__(self, metadata: Metadata, split: float | None = None) -> None:
        """`split` is the seconds of a piece; the first recording that is cut is also given out whole, to compare."""
        self._metadata, self._split = metadata, split
        self._numbers = count()
        self.measured: Recording | None = None

    def jobs(self, recordings: Iterable[Recording]) -> Iterator[Job]:
        """Every recording once, in order."""
        held: list[Recording] = []
        size, number = 0, 0
        for recording in recordings:
            if pieces := self._pieces(recording):
                yield from self._cut(recording, pieces)
                continue
            held.append(recording)
            size += TOGETHER_BYTES if recording.size is None else recording.size
            if size >= TOGETHER_BYTES or len(held) >= min(TOGETHER, 1 + number // RISING):
                number = next(self._numbers)
                yield Job(number, tuple(held))
                held, size = [], 0
        if held:
            yield Job(next(self._numbers), tuple(held))

    def _cut(self, recording: Recording, pieces: tuple[Piece, ...]) -> Iterator[Job]:
        if self.measured is None:
            self.measured = recording
            pieces = (*pieces, WHOLE)
        for piece in pieces:
            yield Job(next(self._numbers), (recording,), piece)

    def _pieces(self, recording: Recording) -> tuple[Piece, ...]:
        """None for what is short, remote, no plain file, or cannot be read from anywhere."""
        if self._split is None or recording.size is None or recording.size < self._split * SPARSEST:
            return ()
        if recording.remote or not Path(recording.name).is_file():
            return ()
        try:
            with AudioFile(recording.name) as file:
                divisible, frames, rate = file.divisible, file.frames or 0, file.sample_rate
        except EarwitnessError:
            return ()  # it is told when its turn comes
        pieces = cut(frames, rate, self._split, self._metadata) if divisible else ()
        return pieces if len(pieces) > 1 else ()
