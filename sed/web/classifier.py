"""Recordings that people send, one after the other: beside the detection, and never in its way."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from sed.errors import EarwitnessError
from sed.formats import Detection
from sed.message import Clock, Message
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.scan import Observer, Scan, Scanner
from sed.signals import Frames, Scores
from sed.web.limits import ClosedError, Patience, begins, check
from sed.web.strip import Strips, mel_piece, score_piece

WAITING = 8
"""Recordings that are being sent, wait, or are listened to at once."""

NICE = 5
"""How far the thread steps back behind the one that began it (nice(2))."""

T = TypeVar("T")


class BusyError(Exception):
    """So many recordings wait already."""


@dataclass(frozen=True, slots=True)
class Classified:
    """What a recording holds."""

    model: str
    seconds: float
    labels: Mapping[str, float]
    """The highest score of each."""
    events: Sequence[Detection]
    rules: Mapping[str, Rule]

    def doubtful(self, label: str, score: float) -> bool:
        """Whether an event's score is nearer to what its rule asks for at least than to 1."""
        return score < (1.0 + self.rules[label].on) / 2.0

    @property
    def for_review(self) -> bool:
        """Whether somebody should listen: to a doubtful event, or to a label that came near and made none."""
        found = {event.label for event in self.events}
        near = (
            score > (rule.on + rule.off) / 2.0
            for label, score in self.labels.items()
            if (rule := self.rules[label]).alert and label not in found
        )
        return any(self.doubtful(event.label, event.score) for event in self.events) or any(near)


class Classifier:
    """One thread with a model of its own, behind a queue that is bounded."""

    def __init__(self, model: Path, rules: Callable[[], Mapping[str, Rule]]) -> None:
        """The model is opened in the thread, at once; `rules` are asked for with every recording."""
        self._path, self._rules, self._model = model, rules, threading.local()
        self._closing = False
        self._waiting = 0
        self._threads = ThreadPoolExecutor(1, "classify", self._begin)
        self._threads.submit(lambda: None)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue, from before the first byte comes; for one thread only. Raises BusyError."""
        if self._waiting >= WAITING:
            raise BusyError
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def classify(self, path: str) -> "Future[Classified]":
        """What the file holds; fails with AudioError or UsageError, without its name."""
        return self._submit(self._classify, path)

    def draw(self, path: str) -> "Future[Message]":
        """A clip of ours as it is drawn; fails likewise."""
        return self._submit(self._draw, path)

    def close(self) -> None:
        """Listen no further; what waits is given up."""
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> None:
        with contextlib.suppress(OSError):  # a system call filter may forbid it
            os.nice(NICE)  # of this thread alone, on Linux
        self._model.own = OnnxModel(self._path)

    def _submit(self, work: Callable[[str], T], path: str) -> "Future[T]":
        if self._closing:
            raise ClosedError("the daemon ends")
        return self._threads.submit(work, path)

    def _classify(self, path: str) -> Classified:
        model, rules, best = self._model.own, self._rules(), _Best()
        scan = self._scan(path, rules, best)
        scores = (round(float(score), 4) for score in best.values)
        labels = dict(zip(model.metadata.labels, scores, strict=True))
        return Classified(model.metadata.name, scan.seconds, labels, scan.detections, rules)

    def _draw(self, path: str) -> Message:
        drawing = _Drawing()
        seconds = self._scan(path, self._rules(), drawing).seconds
        clock = Clock(begins(path), self._model.own.metadata.frontend.sample_rate)
        return {"begins": clock.stamp(0), "seconds": round(seconds, 3), **drawing.strips.told(clock)}

    def _scan(self, path: str, rules: Mapping[str, Rule], observer: Observer) -> Scan:
        try:
            check(path)
            patience = Patience(lambda: self._closing)
            scan = Scanner(self._model.own, rules).scan(path, lambda: [observer], patience)
            if scan.error is not None:
                raise scan.error
        except EarwitnessError as error:
            raise type(error)(str(error).removeprefix(f"{path}: ")) from error
        return scan


class _Best:
    """Keeps the highest score of each label."""

    def __init__(self) -> None:
        self.values = np.zeros(0, np.float32)

    def frames(self, frames: Frames) -> None:
        """Of no interest."""

    def scores(self, scores: Scores) -> None:
        """Rows, maybe none."""
        highest = scores.values.max(axis=0, initial=0.0)
        self.values = np.maximum(self.values, highest) if len(self.values) else highest

    def close(self, detections: list[Detection]) -> None:
        """Nothing to keep."""


class _Drawing:
    """Keeps all that can be drawn; a recording has no gaps."""

    def __init__(self) -> None:
        self.strips = Strips()

    def frames(self, frames: Frames) -> None:
        """Maybe none."""
        if len(frames.values):
            self.strips.takes(mel_piece(frames))

    def scores(self, scores: Scores) -> None:
        """Maybe none."""
        if len(scores.values):
            self.strips.takes(score_piece(scores))

    def close(self, detections: list[Detection]) -> None:
        """Nothing to keep."""
