"""Who waits for the alert: a second client of the broker, or a reader of the JSON lines where there is none."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sed.config import Config, MqttConfig
from sed.selftest.siren import LABEL
from sed.sinks.connection import Connection
from sed.sinks.topics import Topics
from sed.watch import Received, Subscriber

CONNECT_SECONDS = 15.0
SWEEP_SECONDS = 3.0
PASSING = ("event", "level")
"""The last levels of topics on which nothing is retained."""


@dataclass(frozen=True, slots=True)
class Alert:
    """The first `start` message for the siren, and when it arrived."""

    message: dict[str, Any]
    at: datetime

    def after(self, key: str) -> float:
        """Seconds from one of its times, as `onset`, to its arrival."""
        return (self.at - datetime.fromisoformat(self.message[key])).total_seconds()


class Witness:
    """Takes in what a node tells while used as a context; afterwards nothing of it is left at the broker."""

    def __init__(self, config: Config, source: str) -> None:
        """Raises SinkError if the broker refuses, or is not there."""
        self._mqtt, self._topics = config.mqtt, Topics(config.mqtt.prefix if config.mqtt else "-", config.node)
        self._label = self._topics.label(source, LABEL)
        self.lines = Lines()
        """For the daemon to write to."""
        self.alert: Alert | None = None
        self.ended = False
        self._retained: set[str] = set()
        self._switched: list[str] = []
        self._client = Subscriber(config.mqtt, [f"{self._topics.root}/#"]) if config.mqtt else None
        try:
            if self._client:
                self._client.wait_connected(CONNECT_SECONDS)
        except BaseException:
            self.__exit__()
            raise

    @property
    def satisfied(self) -> bool:
        """Whether the alert has begun and ended, its label ON, then OFF."""
        return self.ended and (self._client is None or "ON,OFF" in ",".join(self._switched))

    @property
    def missing(self) -> str:
        """What did not come; empty if all did."""
        if self.alert is None:
            return "no alert came"
        if not self.ended:
            return "the alert came, and never its end"
        return "" if self.satisfied else "the alert came, but not ON and then OFF"

    def look(self, timeout: float) -> None:
        """Take in what has come; returns when nothing has come for `timeout` seconds."""
        if self._client is None:
            time.sleep(timeout)
            for received in self.lines.taken():
                self._hear_event(received)
            return
        for received in self._client.messages(timeout):
            self._hear(received)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None and self._mqtt is not None:
            self._client.close()
            _sweep(self._mqtt, self._retained)

    def _hear(self, received: Received) -> None:
        if received.topic.endswith("/event"):
            self._hear_event(received)
        elif received.topic == self._label:
            self._switched.append(received.text())
        if received.topic.rsplit("/")[-1] not in PASSING:
            self._retained.add(received.topic)

    def _hear_event(self, received: Received) -> None:
        message = received.json()
        if message["label"] != LABEL:
            return
        if self.alert is None and message["phase"] == "start":
            self.alert = Alert(message, received.at)
        self.ended = self.ended or (message["phase"] == "end" and self.alert is not None)


class Lines(io.StringIO):
    """A stream that remembers each line with the time of its arrival."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Received] = []

    def write(self, text: str) -> int:
        """One line, or several."""
        now = datetime.now(UTC)
        self._lines += [Received(now, "", line.encode(), retained=False) for line in text.splitlines()]
        return len(text)

    def taken(self) -> list[Received]:
        """What came since the last call."""
        count = len(self._lines)
        taken, self._lines[:count] = self._lines[:count], []
        return taken


def _sweep(mqtt: MqttConfig, topics: set[str]) -> None:
    """Take back what the broker would keep for others; if it does not let us, it stays, as `offline`."""
    connection = Connection(mqtt, f"earwitness-sweep-{time.monotonic_ns()}", quiet_first=True)
    try:
        if connection.settled(CONNECT_SECONDS) is None and (link := connection.link):
            sent = {link.publish(topic, "", retain=True) for topic in topics}
            _wait(lambda: sent <= set(link.confirmed), SWEEP_SECONDS)
    finally:
        connection.close()


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.01)
