"""Messages of a fleet from its broker, which keeps each of them until it is acknowledged."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Self

from paho.mqtt.client import MQTTMessage

from sed.config import FleetConfig, MqttConfig, default_node
from sed.errors import ConfigError
from sed.sinks.connection import Connection
from sed.sinks.session import Session

WINDOW = 2_000
"""Unacknowledged messages: a second's worth of a large fleet."""
UNKEPT = 10 * WINDOW
"""Waiting messages beyond which those that the broker does not keep (QoS 0) are dropped."""
CROWDED, CROWDED_SECONDS = 2 * WINDOW, 0.2
"""Beyond so many waiting messages each one more is let in so slowly: Mosquitto (2.0.11) sends a backlog whole."""
LARGEST_PAYLOAD = 16_384
"""Bytes; of a larger one only the beginning is kept, for it is refused."""
SHOWN = 400
CLOSE_SECONDS = 0.5
LEAVE_SECONDS = 2.0
"""Who leaves has all when nothing came for so long."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message as it came; `attempt` and `mid` are what it is acknowledged by, `kept` says it is no news."""

    at: datetime
    topic: str
    payload: bytes
    size: int  # bytes, of which the payload may be the beginning only
    kept: bool
    qos: int
    mid: int
    attempt: int


class Intake:
    """Receives while it is used as a context.

    Each one hears all events, so two of them stand in for each other; those of one group divide the events instead.
    Mosquitto (2.0.11) forgets at a restart who was in a group, until they are back, but not who hears all.
    """

    def __init__(self, mqtt: MqttConfig, fleet: FleetConfig, leaving: bool = False) -> None:
        """Start connecting; one that is `leaving` asks for nothing new.

        Raises ConfigError if the certificates cannot be used, or for another protocol than 5.
        """
        if mqtt.protocol != "5":
            raise ConfigError(f'mqtt.protocol: should be "5" to collect, got {mqtt.protocol!r}')
        self.dropped = 0
        self._waiting: deque[Receipt] = deque()
        self._levels: dict[str, Receipt] = {}  # the latest by topic
        self._attempt = 0  # of what came last
        self._last = monotonic()
        self._news = threading.Condition()
        client_id = mqtt.client_id or _client_id(fleet.name or default_node(), fleet.group)
        session = Session(round(fleet.session), WINDOW)
        topics = _topics(mqtt.prefix, fleet.group)
        self._unwanted = topics if leaving else []
        with self._news:  # the first message may be here before the connection is
            self._connection = Connection(
                mqtt, client_id, topics=[] if leaving else topics, heard=self._hear, session=session
            )

    def take(self, most: int, patience: float, linger: float) -> list[Receipt]:
        """What has come: waits `patience` seconds for the first, `linger` more for others to go with it."""
        with self._news:
            if not self._news.wait_for(lambda: self._waiting, patience):
                return self._take(most)
            alone = len(self._waiting) < most
        if alone:
            sleep(linger)
        with self._news:
            return self._take(most)

    def acknowledge(self, receipts: Sequence[Receipt]) -> None:
        """The broker may forget them now."""
        attempt = self._connection.attempt
        ours = [receipt.mid for receipt in receipts if receipt.qos > 0 and receipt.attempt == attempt]
        self._connection.acknowledge(attempt, ours)

    def left(self) -> bool:
        """For one that is leaving: want no more, and give the session up when all has come; says whether it has."""
        link = self._connection.link
        if link is not None and self._unwanted:
            link.client.unsubscribe(self._unwanted)
            self._unwanted, self._last = [], monotonic()
        if link is None or self._waiting or monotonic() < self._last + LEAVE_SECONDS:
            return False
        self._connection.close(CLOSE_SECONDS, forget=True)
        return True

    def close(self) -> None:
        """Disconnect; the broker keeps what comes for us."""
        self._connection.close(CLOSE_SECONDS)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self.close()

    def _take(self, most: int) -> list[Receipt]:
        levels = list(self._levels.values())
        self._levels.clear()
        self._news.notify_all()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))] + levels

    def _hear(self, message: MQTTMessage) -> None:
        """In the network thread: as little as possible."""
        now, payload = datetime.now(UTC), message.payload
        with self._news:
            self._news.wait_for(lambda: len(self._waiting) < CROWDED, CROWDED_SECONDS)
            self._last, attempt = monotonic(), self._connection.attempt
            if attempt != self._attempt:
                self._begin(attempt)
            shown = payload if len(payload) <= LARGEST_PAYLOAD else payload[:SHOWN]
            by = (message.qos, message.mid, attempt)
            self._put(Receipt(now, message.topic, bytes(shown), len(payload), message.retain, *by))

    def _begin(self, attempt: int) -> None:
        """A new connection sends again what was not acknowledged, if the broker still knows us."""
        self._attempt = attempt
        if self._connection.resumed:
            self._waiting = deque(receipt for receipt in self._waiting if receipt.qos == 0)

    def _put(self, receipt: Receipt) -> None:
        if receipt.qos == 0 and len(self._waiting) + len(self._levels) >= UNKEPT:
            self.dropped += 1
        elif receipt.qos == 0 and receipt.topic.endswith("/level"):
            self._levels[receipt.topic] = receipt
        else:
            self._waiting.append(receipt)
            self._news.notify()


def _client_id(name: str, group: str | None) -> str:
    """A session remembers its topics: a collector that joins a group begins another one."""
    return f"earwitness-collect-{name}" + (f"-in-{group}" if group else "")


def _topics(prefix: str, group: str | None) -> list[str]:
    """Only events are divided; how boxes are is little, and may come to each."""
    events = f"{prefix}/+/+/event"
    rest = [f"{prefix}/{each}" for each in ("+/+/state", "+/+/level", "+/availability")]
    return [f"$share/{group}/{events}" if group else events, *rest]
