"""One source's way through the detector into the journal."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from sed.backlog import Backlog
from sed.frontend import LogMel
from sed.journal import Journal, SourceState
from sed.level import LevelMeter
from sed.message import Message, Timekeeper, event_message
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.observer import Observer, Origin
from sed.pipeline import Detector, Frontend, Model
from sed.postprocess import Tracker
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS, Block, Event, Frames, Scores, State
from sed.tap import FrameTap, ScoreTap

BLOCK_SECONDS, QUIET_SECONDS = 0.02, 0.08
"""The least sound that wakes the detector; the latter while no label scores enough for an event.

An idle processor forgets: on the machine it was measured on, a block that follows 40 ms of sleep costs nine times what
it does in a row of others. An event is told no later where its rule asks for 0.08 s or more, as the shipped model's do.
"""

REPORT_SECONDS = 1.0
"""How often the journal hears of the level."""


class Listener:
    """Follows one source from its first sample to its last.

    Every event is first remembered in the journal, then told by whoever reads it.
    """

    def __init__(
        self,
        node: str,
        source: str,
        model: OnnxModel,
        rules: Mapping[str, Rule],
        ring: RingBuffer,
        journal: Journal,
        observe: Sequence[Callable[[Origin], Observer]] = (),
    ) -> None:
        """`model` is this source's own stream; each of `observe` gives an observer when listening begins."""
        self._node, self._source, self._ring, self._journal = node, source, ring, journal
        self.model, self.frontend = model, LogMel(model.metadata.frontend)
        self._observe, self._observers = observe, tuple[Observer, ...]()
        self._rate = model.metadata.frontend.sample_rate
        self._tracker = Tracker(model.metadata.labels, rules, self._rate)
        self._meter = LevelMeter(self._rate)
        self._backlog = Backlog(source, journal, self._written)
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
        self.begin(clock)
        try:
            for block in self._ring.blocks(self._least):
                self._remember(self._detector.hear(block))
                self._passed(block)
                passing()
            self.finish()
        finally:
            self.close()

    def begin(self, clock: Timekeeper) -> None:
        """For who hands over what is heard, instead of `listen`: frames and scores come from `frontend` and `model`."""
        self.model.reset()
        self.frontend.reset()
        self._clock = clock
        origin = Origin(self._node, self._source, self.model.metadata, clock, self._ring)
        self._observers = tuple(observe(origin) for observe in self._observe)
        self._detector = Detector(*self._tapped(), self._tracker, self._meter)

    def meet(self, block: Block) -> None:
        """After `begin`: the next block has come, and will be scored."""
        self._remember(self._detector.meet(block))

    def tell(self, block: Block, frames: Frames, scores: Scores) -> None:
        """After `meet`: what became of the block."""
        self._frames(frames)
        self._scores(scores)
        self._remember(self._detector.tell(scores))
        self._passed(block)

    def finish(self) -> None:
        """After the last block: open events are ended and written. Raises SinkError if they cannot be."""
        self._remember(self._detector.close())
        self._backlog.close()

    def close(self) -> None:
        """After `begin`, however it went on."""
        for observer in self._observers:
            observer.close()

    def report(self, state: State) -> bool:
        """Tell the journal how the source is, at once if that is news, else once a second; says whether it is news."""
        now, news = time.monotonic(), state != self._told
        if news or now >= self._due:
            self._told, self._due = state, now + REPORT_SECONDS
            level = self._level() if state in ("hearing", "silent") else FLOOR_DBFS
            model = self.model.metadata.name
            self._journal.report(SourceState(self._source, state, level, self._ring.lost, model))
        return news

    def _least(self) -> int:
        """Samples that are worth a look."""
        return round((QUIET_SECONDS if self._tracker.quiet else BLOCK_SECONDS) * self._rate)

    def _tapped(self) -> tuple[Frontend, Model]:
        """The stages, and what they give is shown to the observers."""
        if not self._observers:
            return self.frontend, self.model
        return FrameTap(self.frontend, self._frames), ScoreTap(self.model, self._scores)

    def _remember(self, events: Iterable[Event]) -> None:
        for event in events:
            message = event_message(event, self._clock, self._node, self._source, self.model.metadata.name)
            for observer in self._observers:
                message |= observer.event(event)
            self._backlog.append(message)

    def _passed(self, block: Block) -> None:
        """First the sound, then the talk about it."""
        self.heard = block.end
        for observer in self._observers:
            observer.block(block)
        self._backlog.retry()

    def _frames(self, frames: Frames) -> None:
        if len(frames.values):
            for observer in self._observers:
                observer.frames(frames)

    def _scores(self, scores: Scores) -> None:
        if len(scores.values):
            for observer in self._observers:
                observer.scores(scores)

    def _written(self, message: Message) -> None:
        for observer in self._observers:
            observer.told(message)

    def _level(self) -> float:
        """The loudest 40 ms of the last second heard, in dBFS."""
        return self._meter.loudest(self.heard - round(REPORT_SECONDS * self._rate), self.heard)
