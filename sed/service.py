"""The wiring of the daemon: sound from a ring through the detector into the journal, until the sound ends."""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from sed.frontend import LogMel
from sed.journal import Journal, SourceState
from sed.level import LevelMeter
from sed.message import Clock, event_message
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS, Block

BLOCK_SECONDS = 0.02
"""The least sound that wakes the detector."""

REPORT_SECONDS = 1.0
"""How often the journal hears of the level."""


class Listener:
    """Follows one source: every event is first remembered in the journal, then told by whoever reads it."""

    def __init__(self, node: str, source: str, model: OnnxModel, rules: Mapping[str, Rule], journal: Journal) -> None:
        self._node, self._source, self._model, self._rules, self._journal = node, source, model, rules, journal
        self._rate = model.metadata.frontend.sample_rate

    def listen(self, ring: RingBuffer, clock: Clock) -> None:
        """Detect until the ring is closed and empty; open events are ended and written."""
        metadata, meter = self._model.metadata, LevelMeter(self._rate)
        self._model.reset()
        tracker = Tracker(metadata.labels, self._rules, self._rate)
        blocks = self._reported(ring.blocks(round(BLOCK_SECONDS * self._rate)), ring, meter)
        for event in detect(blocks, LogMel(metadata.frontend), self._model, tracker, meter):
            self._journal.append(event_message(event, clock, self._node, self._source, metadata.name))
        self._report("stopped", ring, FLOOR_DBFS)

    def _reported(self, blocks: Iterable[Block], ring: RingBuffer, meter: LevelMeter) -> Iterator[Block]:
        """`blocks`, and the state of the source told in passing."""
        period = round(REPORT_SECONDS * self._rate)
        due = 0
        for block in blocks:
            yield block  # first the sound, then the talk about it
            if block.end >= due:
                due = block.end + period
                self._report("hearing", ring, meter.loudest(block.end - period, block.end))

    def _report(self, state: Literal["hearing", "stopped"], ring: RingBuffer, level_dbfs: float) -> None:
        model = self._model.metadata.name
        self._journal.report(SourceState(self._source, state, level_dbfs, ring.lost, model))


@contextmanager
def on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT; the second one kills, as it does by default."""

    def first(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    before = {number: signal.signal(number, first) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
