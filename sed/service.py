"""One source's way through the detector into the journal, and the signals that end or change it."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from sed.backlog import Backlog
from sed.frontend import LogMel
from sed.journal import Journal, SourceState
from sed.level import LevelMeter
from sed.message import Timekeeper, event_message
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS, Block, State

BLOCK_SECONDS = 0.02
"""The least sound that wakes the detector."""

REPORT_SECONDS = 1.0
"""How often the journal hears of the level."""


class Listener:
    """Follows one source from its first sample to its last.

    Every event is first remembered in the journal, then told by whoever reads it.
    """

    def __init__(
        self, node: str, source: str, model: OnnxModel, rules: Mapping[str, Rule], ring: RingBuffer, journal: Journal
    ) -> None:
        """`model` is this source's own stream."""
        self._node, self._source, self._model, self._ring, self._journal = node, source, model, ring, journal
        self._rate = model.metadata.frontend.sample_rate
        self._tracker = Tracker(model.metadata.labels, rules, self._rate)
        self._meter = LevelMeter(self._rate)
        self._backlog = Backlog(source, journal)
        self._told: State | None = None
        self._due = 0.0  # monotonic seconds
        self.heard = 0
        """The sample after the last one that was listened to."""

    @property
    def discarded(self) -> int:
        """Messages that the journal did not take for so long that they were given up."""
        return self._backlog.discarded

    @property
    def rejected(self) -> Counter[tuple[str, str]]:
        """Candidates that became no event, by label and reason."""
        return self._tracker.rejected

    def change(self, rules: Mapping[str, Rule]) -> None:
        """Follow these rules from the next scores on; any thread may call it."""
        self._tracker.change(rules)

    def listen(self, clock: Timekeeper, passing: Callable[[], object] = lambda: None) -> None:
        """Detect until the ring is closed and empty; open events are ended and written. `passing` follows each block.

        Raises SinkError if the journal cannot be written at the end; until then what it does not take waits.
        """
        metadata = self._model.metadata
        self._model.reset()
        frontend = LogMel(metadata.frontend)
        for event in detect(self._blocks(passing), frontend, self._model, self._tracker, self._meter):
            self._backlog.append(event_message(event, clock, self._node, self._source, metadata.name))
        self._backlog.close()

    def report(self, state: State) -> bool:
        """Tell the journal how the source is, at once if that is news, else once a second; says whether it is news."""
        now, news = time.monotonic(), state != self._told
        if news or now >= self._due:
            self._told, self._due = state, now + REPORT_SECONDS
            level = self._level() if state in ("hearing", "silent") else FLOOR_DBFS
            model = self._model.metadata.name
            self._journal.report(SourceState(self._source, state, level, self._ring.lost, model))
        return news

    def _blocks(self, passing: Callable[[], object]) -> Iterator[Block]:
        for block in self._ring.blocks(round(BLOCK_SECONDS * self._rate)):
            yield block  # first the sound, then the talk about it
            self.heard = block.end
            self._backlog.retry()
            passing()

    def _level(self) -> float:
        """The loudest 40 ms of the last second heard, in dBFS."""
        return self._meter.loudest(self.heard - round(REPORT_SECONDS * self._rate), self.heard)


@contextmanager
def on_signal(stop: Callable[[], None], reload: Callable[[], None] | None = None) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT, `reload` at every SIGHUP; what stops a second time kills, as usual.

    Both are called in the middle of whatever runs: they may set flags, and must not take locks.
    """
    stopping = (signal.SIGTERM, signal.SIGINT)

    def first(_: int, __: FrameType | None) -> None:
        for each in stopping:
            signal.signal(each, signal.SIG_DFL)
        stop()

    before = {number: signal.signal(number, first) for number in stopping}
    if reload is not None:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: reload())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
