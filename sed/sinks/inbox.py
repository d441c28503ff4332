"""What a node is told over MQTT: commands, that Home Assistant has started, and what it had announced earlier."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paho.mqtt.client import MQTTMessage

from sed.errors import UsageError
from sed.orders import Orders
from sed.sinks.discovery import STATUS_TOPIC
from sed.sinks.topics import Topics

ANSWER_SECONDS = 0.2
"""Between two answers about one source: what is ordered in between is answered together."""


@dataclass(slots=True)
class Answer:
    """Owed to whoever sent commands to one source."""

    obeyed: bool = False
    errors: int = 0
    error: str = ""
    """The last one."""

    def add(self, error: str) -> None:
        """One more command that could not be obeyed."""
        self.errors, self.error = self.errors + 1, error

    @property
    def line(self) -> str:
        """The error, and how many more there were."""
        return f"{self.error} (and {self.errors - 1} errors before)" if self.errors > 1 else self.error


class Inbox:
    """Filled by the network thread and emptied by another one; however much comes in, it holds one answer a source."""

    def __init__(
        self,
        topics: Topics,
        config_topic: str,
        sources: Sequence[str],
        orders: Orders | None,
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called when there is something to look at; without `orders` nothing is listened to."""
        self._orders, self._wake = orders, wake
        self._commands = {topics.command(source): source for source in sources}
        self._config_topic = config_topic
        self._lock = threading.Lock()
        self.born = False
        """Home Assistant has started; whoever has told it everything sets this back."""
        self._announced: bytes | None = None
        self._owed: dict[str, Answer] = {}  # by source
        self._answered: dict[str, float] = {}  # by source, monotonic seconds

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return [*self._commands, STATUS_TOPIC, self._config_topic] if self._orders else []

    def hear(self, message: MQTTMessage) -> None:
        """Take in a message; called by the network thread."""
        if message.topic == STATUS_TOPIC:
            heard = self._hear_status(message)
        elif message.topic == self._config_topic:
            heard = self._hear_config(message)
        else:
            heard = self._obey(self._commands.get(message.topic), message)
        if heard:
            self._wake()

    def announced(self) -> bytes | None:
        """The discovery document that the broker had kept at the connect, once; None if there was none."""
        with self._lock:
            announced, self._announced = self._announced, None
            return announced

    def answers(self) -> dict[str, Answer]:
        """The answers that are due, by source; they count as given then."""
        now = time.monotonic()
        with self._lock:
            due = [source for source in self._owed if now >= self._next(source)]
            self._answered.update(dict.fromkeys(due, now))
            return {source: self._owed.pop(source) for source in due}

    def pause(self) -> float:
        """Seconds until the next answer is due; infinite if none is owed."""
        with self._lock:
            return min((self._next(source) for source in self._owed), default=float("inf")) - time.monotonic()

    def _next(self, source: str) -> float:
        return self._answered.get(source, float("-inf")) + ANSWER_SECONDS

    def _hear_status(self, message: MQTTMessage) -> bool:
        """A retained word is old, and everything has just been told at the connect."""
        self.born = self.born or (message.payload == b"online" and not message.retain)
        return self.born

    def _hear_config(self, message: MQTTMessage) -> bool:
        """What is not retained is our own voice."""
        if not message.retain:
            return False
        with self._lock:
            self._announced = bytes(message.payload)
        return True

    def _obey(self, source: str | None, message: MQTTMessage) -> bool:
        if self._orders is None or source is None:
            return False
        error = ""
        try:
            if message.retain:
                raise UsageError("a retained command is not obeyed, it would come back at every connect")
            self._orders.take(source, bytes(message.payload))
        except UsageError as refused:
            error = str(refused)
        with self._lock:
            answer = self._owed.setdefault(source, Answer())
            if error:
                answer.add(error)
            else:
                answer.obeyed = True
        return True
