"""Recordings through the whole daemon: player, ring, detector, journal, sinks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TextIO

from sed.config import Config, merged_rules
from sed.errors import SinkError
from sed.journal import Journal
from sed.message import Clock
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.observer import Observer, Origin
from sed.ring import RingBuffer
from sed.service import Listener
from sed.shipped import model_path
from sed.sinks.jsonlines import JsonLines
from sed.sinks.mqtt import NAME as MQTT
from sed.sinks.mqtt import MqttSink
from sed.source.file import AudioFile, Channel
from sed.source.player import Player

RING_SECONDS = 10.0
CONNECT_SECONDS = 5.0
DELIVERY_SECONDS = 5.0


class Replay:
    """Plays one recording after the other as one source, and keeps the sinks open in between."""

    def __init__(
        self, config: Config, source: str = "replay", lines: Path | TextIO | None = None, journal: Path | None = None
    ) -> None:
        """Open the sinks. Raises SinkError if the broker refuses.

        `lines` is where every message goes as a line of JSON. Without a `journal` file one is kept for as long as this
        lasts, and never the daemon's: a rehearsal leaves no trace among real events.
        """
        self._model = OnnxModel(model_path(config.model))
        self._rate = self._model.metadata.frontend.sample_rate
        self.metadata = self._model.metadata
        self.rules = merged_rules(config, self.metadata)
        self._player: Player | None = None
        self._opened = ExitStack()
        with ExitStack() as opening:
            told = opening.enter_context(_journal(config, journal))
            if lines is not None:
                opening.enter_context(JsonLines(told, lines))
            self._mqtt = _mqtt(config, told, source, alerting(self.rules), opening)
            self._opened = opening.pop_all()
        self._node, self._source = config.node, source
        self.journal = told
        self.stopped = False

    @property
    def connected(self) -> bool:
        """Whether a broker accepts us now."""
        return self._mqtt is not None and self._mqtt.connected

    def play(
        self,
        name: str,
        channel: Channel = 0,
        speed: float | None = 1.0,
        start_time: datetime | None = None,
        began: Callable[[datetime], None] = lambda moment: None,
        observe: Sequence[Callable[[Origin], Observer]] = (),
    ) -> float:
        """Play a recording to its end; returns its seconds.

        Its first sample counts as heard at `start_time`, or when it is played; `began` is told which. `speed` is in
        times real time; None is as fast as the machine goes. `observe` makes who looks on. Raises AudioError or
        UsageError; what was heard before an error is told.
        """
        ring = RingBuffer(round(RING_SECONDS * self._rate))
        with AudioFile(name, channel) as file:
            self._player = player = Player(file, ring, self._rate, speed)
            if self.stopped:  # between two recordings, when there was no player to stop
                player.stop()
            player.start()
            listener = Listener(self._node, self._source, self._model, self.rules, ring, self.journal, observe)
            try:
                moment = start_time or player.wait_for_start()
                began(moment)
                listener.listen(Clock(moment, self._rate), passing=lambda: listener.report("hearing"))
            finally:
                listener.report("stopped")
                player.stop()
                player.join()
        if player.error is not None:
            raise player.error
        return player.seconds

    def stop(self) -> None:
        """Play no further; open events are ended and told."""
        self.stopped = True
        if self._player is not None:
            self._player.stop()

    def deliver(self) -> None:
        """Wait for the broker's word that it has everything. Raises SinkError if it does not come."""
        if self._mqtt is not None and (left := self._mqtt.drain(DELIVERY_SECONDS)):
            raise SinkError(f"{left} messages were not confirmed by the broker within {DELIVERY_SECONDS:g} s")

    def close(self) -> None:
        """Close the sinks, then the journal."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _journal(config: Config, path: Path | None) -> Iterator[Journal]:
    sinks = (MQTT,) if config.mqtt is not None else ()
    with ExitStack() as opened:
        if path is None:
            path = Path(opened.enter_context(TemporaryDirectory(prefix="earwitness-replay-"))) / "journal.db"
        journal = opened.enter_context(Journal(path, sinks, config.journal.max_age, config.journal.max_size))
        journal.close_abandoned()
        yield journal


def _mqtt(config: Config, journal: Journal, source: str, labels: tuple[str, ...], opened: ExitStack) -> MqttSink | None:
    if config.mqtt is None:
        return None
    sink = opened.enter_context(MqttSink(journal, config.mqtt, config.node, [source], labels, quiet_first=True))
    sink.wait_connected(CONNECT_SECONDS)
    return sink


def later(moment: datetime | None, seconds: float) -> datetime | None:
    """`seconds` after `moment`, if there is one."""
    return None if moment is None else moment + timedelta(seconds=seconds)
