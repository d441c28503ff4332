"""Long recordings in pieces: each heard after a warm-up, their scores joined again before events are followed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil, lcm

import numpy as np

from sed.archive.engine import Order, Outcome, Part, Piece
from sed.errors import AudioError, EarwitnessError
from sed.formats import Detection
from sed.frontend import LogMel
from sed.level import WINDOW, LevelMeter, dbfs
from sed.metadata import Metadata, alerting
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.resample import resampled
from sed.scan import BLOCK_SECONDS
from sed.signals import FLOOR_DBFS, Block, Event, Floats, Scores
from sed.source.file import AudioFile

MARGIN_SECONDS = 0.5
"""Heard after a piece, besides the model's look-ahead: more than the resampler holds back."""

FOLLOWED_SECONDS = 10.0
"""Of scores looked at together: where none is high, all of it is passed over."""

LEVEL_SECONDS = 60.0
"""Of an event's end, that its level is taken from: what the detector's meter remembers."""


def cut(frames: int, rate: int, seconds: float, metadata: Metadata) -> tuple[Piece, ...]:
    """Pieces of some `seconds` of a recording of so many frames; one of up to one and a half pieces is not cut.

    They begin where a second begins and a row of scores: at any `rate` that is a whole sample, and a block's first one.
    """
    step = _step(metadata)
    size = max(step, round(seconds * metadata.frontend.sample_rate) // step * step)
    length = frames * metadata.frontend.sample_rate // rate
    count = max(1, round(length / size)) if length > 1.5 * size else 1
    ends = [*(n * size for n in range(1, count)), None]
    return tuple(Piece(n, count, n * size, end) for n, end in enumerate(ends))


def _step(metadata: Metadata) -> int:
    rate = metadata.frontend.sample_rate
    return lcm(rate, metadata.hop, round(WINDOW * rate))


def hear_piece(
    file: AudioFile, piece: Piece, model: OnnxModel, order: Order
) -> tuple[Part, float, EarwitnessError | None]:
    """What is heard of a piece, its seconds, and what cut it short, if anything did."""
    meta, rate = model.metadata, file.sample_rate
    to, step = meta.frontend.sample_rate, _step(meta)
    begin = max(0, piece.start - ceil(order.warm_up * to / step) * step)
    end = None if piece.end is None else piece.end + meta.ahead + round(MARGIN_SECONDS * to)
    last = None if end is None else end * rate // to
    blocks = _Until(file.blocks(BLOCK_SECONDS, begin * rate // to, last))
    keeper = _Keeper([meta.labels.index(label) for label in followed(meta, order)])
    length = ((file.frames or 0) * to // rate if end is None else end) - begin
    meter = LevelMeter(to, length / to + 1.0)
    model.reset()
    for _ in detect(resampled(blocks, rate, to), LogMel(meta.frontend), model, keeper, meter):
        pass  # what keeps the scores follows no events
    window = round(WINDOW * to)
    scores = keeper.between(begin, piece.start, piece.end, meta.hop)
    powers = _stretch(meter.powers, begin, piece.start, piece.end, window)
    heard = blocks.heard * to / rate if piece.end is None else min(blocks.heard * to / rate, piece.end)
    return Part(piece.start, meta.hop, meta.ahead, scores, powers), max(0, heard - piece.start) / to, blocks.error


def followed(metadata: Metadata, order: Order) -> tuple[str, ...]:
    """The labels that events are told of, in the order of the model."""
    told = alerting(order.rules)
    return tuple(label for label in metadata.labels if label in told)


class _Until:
    """Blocks up to where they break off."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self.heard = 0  # samples, from the beginning of the recording
        self.error: EarwitnessError | None = None

    def __iter__(self) -> Iterator[Block]:
        try:
            for block in self._blocks:
                self.heard = block.end
                yield block
        except AudioError as error:
            self.error = error


class _Keeper:
    """In the place of a tracker: keeps the scores, of some columns."""

    def __init__(self, columns: Sequence[int]) -> None:
        self._columns = columns
        self._rows: list[Floats] = [np.zeros((0, len(columns)), np.float32)]

    def update(self, scores: Scores) -> list[Event]:
        self._rows.append(scores.values[:, self._columns])
        return []

    def close(self) -> list[Event]:
        return []

    def between(self, begin: int, start: int, end: int | None, hop: int) -> Floats:
        return _stretch(np.concatenate(self._rows), begin, start, end, hop)


def _stretch(values: Floats, begin: int, start: int, end: int | None, each: int) -> Floats:
    """Those of `values`, the first of which stands at `begin`, one an `each`, that stand from `start` to `end`."""
    return values[(start - begin) // each : None if end is None else (end - begin) // each].copy()


class Seams:
    """The pieces of one recording, in whatever order they come, followed as one sound."""

    def __init__(self, name: str, metadata: Metadata, order: Order) -> None:
        labels = followed(metadata, order)
        self._name, self._rate = name, metadata.frontend.sample_rate
        self._tracker = Tracker(labels, order.rules, self._rate)
        self._waiting: dict[int, Outcome] = {}
        self._powers = np.zeros(0, np.float32)
        self._whole: Outcome | None = None
        self._next, self._seconds_taken = 0, 0.0

    def add(self, outcome: Outcome) -> Outcome | None:
        """Take in a piece; the outcome of the whole recording with the last one.

        Where a piece was not done, or broke off, the recording ends: what was found before is kept.
        """
        assert outcome.piece is not None  # noqa: S101 - only pieces come here
        self._waiting[outcome.piece.number] = outcome
        self._seconds_taken += outcome.seconds_taken
        while (piece := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._join(piece)
        if self._whole is None or self._next < outcome.piece.of:
            return None
        found = self._ended(self._tracker.close())
        detections = sorted((*self._whole.detections, *found), key=lambda one: one.onset)
        return replace(self._whole, detections=tuple(detections), seconds_taken=self._seconds_taken)

    def _join(self, piece: Outcome) -> None:
        whole = self._whole or replace(piece, part=None, duration=0.0)
        if whole.status != "done":
            return
        duration = whole.duration + piece.duration
        self._whole = replace(whole, status=piece.status, error=piece.error, duration=duration)
        if piece.part is not None:
            found = self._follow(piece.part)
            self._whole = replace(self._whole, detections=(*whole.detections, *found))

    def _follow(self, part: Part) -> list[Detection]:
        self._powers = np.concatenate((self._powers, part.powers))
        rows, found = round(FOLLOWED_SECONDS * self._rate / part.hop), list[Detection]()
        for at in range(0, len(part.scores), rows):
            values = part.scores[at : at + rows]
            scores = Scores(part.start + at * part.hop, part.hop, values, part.ahead)
            found += self._ended(self._tracker.update(scores))
        return found

    def _ended(self, events: Iterable[Event]) -> list[Detection]:
        return [self._detection(event, event.offset) for event in events if event.offset is not None]

    def _detection(self, event: Event, offset: int) -> Detection:
        window = round(WINDOW * self._rate)
        first = max(event.onset, offset - round(LEVEL_SECONDS * self._rate)) // window
        powers = self._powers[first : -(-offset // window)]
        level = dbfs(float(powers.max())) if len(powers) else FLOOR_DBFS
        return Detection(self._name, event.onset / self._rate, offset / self._rate, event.label, event.score, level)
