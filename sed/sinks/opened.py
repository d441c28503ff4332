"""The sinks that a configuration names, opened, replaced and closed."""

from collections.abc import Mapping
from typing import Self, TextIO

from sed.config import Config
from sed.journal import Journal
from sed.metadata import Rule, alerting
from sed.orders import Orders
from sed.sinks.delays import Delays
from sed.sinks.jsonlines import NAME as LINES
from sed.sinks.jsonlines import JsonLines
from sed.sinks.mqtt import NAME as MQTT
from sed.sinks.mqtt import MqttSink
from sed.sinks.tls import fingerprint


def confirming(config: Config) -> tuple[str, ...]:
    """The names of those that confirm what they have told, for the journal."""
    return (MQTT,) if config.mqtt is not None else ()


class Sinks:
    """Those of one daemon. They tell what is in the journal, so that nothing is missed while one is replaced."""

    def __init__(self, journal: Journal, orders: Orders, lines: TextIO | None = None) -> None:
        """Open those that need no configuration: JSON lines, if there is somewhere to write them."""
        self._journal, self._orders = journal, orders
        self.delays = Delays()
        """How soon they told."""
        self._lines = JsonLines(journal, lines, self.delays.of(LINES)) if lines is not None else None
        self._mqtt: MqttSink | None = None
        self._connects = 0  # of those that were replaced
        self._known: object = None

    @property
    def connected(self) -> bool | None:
        """Whether the broker accepts us now; None without a broker."""
        return None if (sink := self._mqtt) is None else sink.connected

    @property
    def connects(self) -> int:
        """How often a broker has accepted us."""
        return self._connects + (sink.connects if (sink := self._mqtt) else 0)

    def update(self, config: Config, rules: Mapping[str, Rule]) -> None:
        """Open, replace or close what is to be otherwise than before. Raises ConfigError."""
        labels = alerting(rules)
        for sink in (*confirming(config), *([LINES] if self._lines is not None else [])):
            self.delays.expect(sink, labels)
        known = config.mqtt, labels, fingerprint(config.mqtt) if config.mqtt else None
        if known == self._known:  # other thresholds are no reason to leave the broker
            if self._mqtt is not None:
                self._mqtt.introduce()
            return
        self._close_mqtt()
        self._journal.sinks = confirming(config)
        if config.mqtt is not None:
            names = [source.name for source in config.source]
            self._mqtt = MqttSink(
                self._journal, config.mqtt, config.node, names, labels,
                orders=self._orders, told=self.delays.of(MQTT),
            )  # fmt: skip
        self._known = known

    def close(self) -> None:
        """Tell what is left, and close all."""
        self._close_mqtt()
        if self._lines is not None:
            self._lines.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all."""
        self.close()

    def _close_mqtt(self) -> None:
        sink, self._mqtt = self._mqtt, None
        if sink is not None:
            self._connects += sink.connects
            sink.close()
