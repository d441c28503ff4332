"""One `[[source]]` of the configuration: its sound, and the thread that listens to it."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sed.choir import BROKEN, Choir, Voice
from sed.config import SourceConfig
from sed.errors import EarwitnessError
from sed.journal import Journal
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.observer import Observer, Origin
from sed.ring import RingBuffer
from sed.service import Listener
from sed.signals import State
from sed.source.opened import Source, open_source

RING_SECONDS = 10.0

SETTLE_SECONDS = 1.0
"""How long a source may take to be opened before it counts as lost."""

_LOG = logging.getLogger(__name__)
_LEVELS = {"hearing": logging.INFO, "silent": logging.WARNING, "lost": logging.WARNING, "stopped": logging.INFO}


class Ear:
    """Listens until its source has ended or is stopped; whatever happens here stops no other ear."""

    def __init__(
        self,
        config: SourceConfig,
        node: str,
        model: OnnxModel,
        rules: Mapping[str, Rule],
        journal: Journal,
        observe: Sequence[Callable[[Origin], Observer]] = (),
        opened: Callable[[SourceConfig, RingBuffer, int], Source] = open_source,
        choir: Choir | None = None,
    ) -> None:
        """`model` is shared with the other ears, its session and nothing else; `observe` makes who looks on.

        In a `choir` it listens together with others, without a thread of its own.
        """
        self.name = config.name
        self.failure = ""
        """Why it stopped, if it was not because the sound was over."""
        self.broken = False
        """Whether it listens no more although there may be sound."""
        rate = model.metadata.frontend.sample_rate
        self.since: float | None = None
        """When its state began, in UNIX seconds; None before the first look."""
        self._ring = RingBuffer(round(RING_SECONDS * rate), model.metadata.lead)
        self._source = opened(config, self._ring, rate)
        self._listener = Listener(node, config.name, model.another(), rules, self._ring, journal, observe)
        self._stopping = False
        self._settled = 0.0  # monotonic seconds
        self._told = ""  # the reason that was logged last
        self._thread = (
            threading.Thread(target=self._listen, name=f"ear {config.name}", daemon=True)
            if choir is None
            else Voice(choir, self._listener, self._ring, self._source.clock, self._end)
        )

    @property
    def alive(self) -> bool:
        """Whether there may still be something to hear."""
        return self._thread.is_alive()

    @property
    def source(self) -> Source:
        """Where its sound comes from."""
        return self._source

    @property
    def model(self) -> OnnxModel:
        """Its own stream through the model."""
        return self._listener.model

    @property
    def heard(self) -> int:
        """The sample after the last one that was listened to."""
        return self._listener.heard

    @property
    def state(self) -> State:
        """How the source is; once nobody listens any more it has stopped."""
        return self._source.state if self.alive else "stopped"

    @property
    def rejected(self) -> Counter[tuple[str, str]]:
        """Candidates that became no event, by label and reason."""
        return self._listener.rejected

    @property
    def discarded(self) -> int:
        """Messages that the journal did not take for so long that they were given up."""
        return self._listener.discarded

    def change(self, rules: Mapping[str, Rule]) -> None:
        """Follow these rules from the next scores on, without losing a sample."""
        self._listener.change(rules)

    def start(self) -> None:
        """Begin to listen."""
        self._settled = time.monotonic() + SETTLE_SECONDS
        self._thread.start()
        self._source.start()

    def look(self) -> None:
        """Tell the journal how things are: at once if that is news, else once a second."""
        ended, state = not self.alive, self._source.state
        if state == "stopped" and not ended:
            return  # its last sound is still being listened to
        if state == "lost" and time.monotonic() < self._settled:
            return  # it is still being opened
        state = "stopped" if ended else state
        reason = self.failure if ended else self._source.reason
        news = self._listener.report(state)
        self.since = time.time() if news else self.since
        if news or (state == "lost" and reason != self._told):
            self._told = reason
            level = logging.ERROR if state == "stopped" and reason else _LEVELS[state]
            _LOG.log(level, "source %s: %s%s", self.name, state, f": {reason}" if reason else "")

    def stop(self) -> None:
        """Let the sound end; open events are ended and written."""
        self._stopping = True
        self._source.stop()

    def close(self, patience: float, until: float) -> None:
        """After `stop`: wait `until` then, in monotonic seconds; a source may hold us up until `patience` only."""
        self._source.join(_left(patience))
        self._ring.close()
        self._thread.join(_left(until))
        self.look()

    def _listen(self) -> None:
        failure: str | None = BROKEN  # should something unforeseen be raised
        try:
            self._listener.listen(self._source.clock)
            failure = None
        except EarwitnessError as error:
            failure = str(error)
        finally:
            self._end(failure)

    def _end(self, failure: str | None) -> None:
        """Nobody listens any more; None: because the sound is over."""
        self.broken = failure is not None
        over = "" if self._stopping else self._source.reason
        self.failure = over if failure is None else failure
        self._source.stop()


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())
