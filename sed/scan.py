"""Recordings scanned as fast as the machine goes: the work of `earwitness detect`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sed.errors import AudioError, EarwitnessError
from sed.formats import Detection
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import Frontend, Model, detect
from sed.postprocess import Tracker
from sed.resample import resampled
from sed.signals import Block, Event, Frames, Scores
from sed.source.file import AudioFile, Channel
from sed.tap import FrameTap, ScoreTap

BLOCK_SECONDS = 1.0
"""Long enough to be cheap, short enough that memory stays flat."""


class Observer(Protocol):
    """Somebody who looks at one recording while it is scanned, and keeps something of it."""

    def frames(self, frames: Frames) -> None: ...  # noqa: D102
    def scores(self, scores: Scores) -> None: ...  # noqa: D102
    def close(self, detections: list[Detection]) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Scan:
    """What was found in a recording, and what cut it short, if anything did."""

    detections: list[Detection] = field(default_factory=list)
    seconds: float = 0.0
    error: EarwitnessError | None = None


class Scanner:
    """Finds the events of one recording after the other with one model."""

    def __init__(self, model: OnnxModel, rules: Mapping[str, Rule], channel: Channel = 0) -> None:
        self._model, self._rules, self._channel = model, rules, channel
        self._rate = model.metadata.frontend.sample_rate

    def scan(
        self,
        name: str,
        observe: Callable[[], Sequence[Observer]] = tuple,
        heard: Callable[[float], None] = lambda seconds: None,
    ) -> Scan:
        """The events of a recording, in the order of their onsets.

        `observe` makes its observers once it is open; `heard` is told the seconds as they pass. A recording that breaks
        off keeps what was found before, and says so in `Scan.error`.
        """
        try:
            with AudioFile(name, self._channel) as file:
                return self.hear(file, observe, heard)
        except EarwitnessError as error:
            return Scan(error=error)

    def hear(
        self,
        file: AudioFile,
        observe: Callable[[], Sequence[Observer]] = tuple,
        heard: Callable[[float], None] = lambda seconds: None,
    ) -> Scan:
        """As `scan`, of a recording that is open."""
        scan = Scan()
        try:
            observers = observe()
            for event in self._detect(self._blocks(file, scan, heard), observers):
                if event.phase == "end":
                    scan.detections.append(_detection(file.name, event, self._rate))
            scan.detections.sort(key=lambda detection: detection.onset)
            for observer in observers:
                observer.close(scan.detections)
        except EarwitnessError as error:
            scan.error = error
        return scan

    def _detect(self, blocks: Iterator[Block], observers: Sequence[Observer]) -> Iterator[Event]:
        frontend: Frontend = LogMel(self._model.metadata.frontend)
        model: Model = self._model
        for observer in observers:
            frontend, model = FrameTap(frontend, observer.frames), ScoreTap(model, observer.scores)
        model.reset()
        tracker = Tracker(self._model.metadata.labels, self._rules, self._rate)
        return detect(blocks, frontend, model, tracker, LevelMeter(self._rate))

    def _blocks(self, file: AudioFile, scan: Scan, heard: Callable[[float], None]) -> Iterator[Block]:
        """Blocks at the model's rate; where the recording breaks off the blocks run dry, so that all is flushed."""
        try:
            for block in resampled(file.blocks(BLOCK_SECONDS), file.sample_rate, self._rate):
                seconds = len(block.samples) / self._rate
                scan.seconds += seconds
                heard(seconds)
                yield block
        except AudioError as error:
            scan.error = error


def _detection(name: str, event: Event, sample_rate: int) -> Detection:
    assert event.offset is not None  # noqa: S101 - an end has an offset by contract
    onset, offset = event.onset / sample_rate, event.offset / sample_rate
    return Detection(name, onset, offset, event.label, event.score, event.level_dbfs)
