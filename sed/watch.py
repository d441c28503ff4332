"""Alerts as they come over MQTT: for a person at a terminal, or as JSON lines for a program."""

import json
import logging
import queue
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TextIO

from paho.mqtt.client import MQTTMessage
from rich.console import Console
from rich.text import Text

from sed.config import MqttConfig
from sed.errors import SinkError
from sed.eventline import event_line, harmless, local_time
from sed.message import rfc3339
from sed.sinks.connection import Connection
from sed.values import check_levels

QUEUE = 10_000
"""Messages that wait for a slow reader; beyond that new ones are dropped and counted."""
FIRST_ANSWER_SECONDS = 15.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the broker handed it over."""

    at: datetime
    topic: str
    payload: bytes
    retained: bool

    def json(self) -> Any:
        """The payload as JSON. Raises ValueError."""
        return json.loads(self.payload)

    def text(self) -> str:
        """The payload as text, whatever it is."""
        return self.payload.decode("utf-8", "replace")


class Subscriber:
    """Receives what is published on some topics, through outages of the broker, while used as a context."""

    def __init__(self, config: MqttConfig, topics: Sequence[str], log: logging.Logger = _LOG) -> None:
        """Start connecting; `log` is told when the broker is lost and found."""
        self.dropped = 0
        self._received: queue.Queue[Received] = queue.Queue(QUEUE)
        name = config.client_id or f"earwitness-watch-{secrets.token_hex(4)}"
        self._connection = Connection(config, name, topics=topics, heard=self._hear, log=log, quiet_first=True)

    def wait_connected(self, timeout: float, only_final: bool = False) -> None:
        """Return once connected. Raises SinkError if the broker refuses or is not there; `only_final` waits for it."""
        refusal = self._connection.settled(timeout)
        if refusal and (refusal.final or not only_final):
            raise SinkError(refusal.line)

    def messages(self, timeout: float | None = None) -> Iterator[Received]:
        """What is received, as it comes; ends when nothing has come for `timeout` seconds."""
        while True:
            try:
                yield self._received.get(timeout=timeout)
            except queue.Empty:
                return

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self.close()

    def _hear(self, message: MQTTMessage) -> None:
        try:
            self._received.put_nowait(
                Received(datetime.now(UTC), message.topic, bytes(message.payload), bool(message.retain))
            )
        except queue.Full:
            self.dropped += 1


def watch(
    mqtt: MqttConfig, node: str = "+", *, count: int | None = None, as_json: bool = False, out: TextIO | None = None
) -> int:
    """Show the alerts of one node, or of all, until `count` events were shown; returns how many were.

    Lost and found brokers are told on the log. Raises SinkError when the broker refuses us from the
    start, ConfigError for a node that cannot be.
    """
    if node != "+":
        check_levels("node", node)
    stream = out or sys.stdout
    topics = [f"{mqtt.prefix}/{node}/{rest}" for rest in ("availability", "+/event", "+/state")]
    show = _JsonLines(stream) if as_json else _Lines(stream)
    shown = 0
    with Subscriber(mqtt, topics) as subscriber:
        subscriber.wait_connected(FIRST_ANSWER_SECONDS, only_final=True)
        for received in subscriber.messages():
            shown += show.take(received)
            if shown == count:
                break
    return shown


class _JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def take(self, received: Received) -> bool:
        try:
            message = received.json()
        except ValueError:
            message = received.text()
        line = {"received_at": rfc3339(received.at), "topic": received.topic, "retained": received.retained}
        print(json.dumps({**line, "message": message}), file=self._stream, flush=True)
        return received.topic.endswith("/event")


class _Lines:
    """Words for people: one line for an event, and for what changes with a node or a source."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._states: dict[str, str] = {}

    def take(self, received: Received) -> bool:
        """Show a message; says whether it was an event."""
        node, *source, kind = received.topic.split("/")[1:]
        try:
            if kind == "event":
                self._show_event(received.json())
                return True
            state = received.text() if kind == "availability" else str(received.json()["state"])
            self._show_state(received, "/".join([node, *source]), state)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.warning("%s: not a message of earwitness (%r)", received.topic, error)
        return False

    def _show_event(self, event: dict[str, Any]) -> None:
        self._print(event_line(event))

    def _show_state(self, received: Received, who: str, state: str) -> None:
        """A change for the worse or back; that all is well from the start need not be said."""
        before = self._states.get(who)
        self._states[who] = state
        well = state in ("online", "hearing")
        if state != before and not (well and before is None):
            self._print(Text(f"{local_time(received.at)}  {who}  ").append(state, "green" if well else "yellow"))

    def _print(self, text: Text) -> None:
        self._console.print(harmless(text), soft_wrap=True)
        self._console.file.flush()
