"""This node as Home Assistant knows it: what is announced, and what has to be taken away again."""

import json
from collections.abc import Sequence
from typing import Any

from sed.config import MqttConfig
from sed.metadata import alerting
from sed.orders import Orders
from sed.sinks.discovery import Announced, config_topic, device_id, document, farewells
from sed.sinks.topics import Topics


class Device:
    """The payloads for the discovery topic; None where nothing is to be published."""

    def __init__(
        self,
        config: MqttConfig,
        node: str,
        topics: Topics,
        sources: Sequence[str],
        labels: Sequence[str],
        orders: Orders | None,
    ) -> None:
        """`labels` are those that alert by the configuration; without `orders` nothing is announced."""
        self.id = device_id(config.prefix, node)
        self.topic = config_topic(config.discovery_prefix, self.id)
        self._wanted, self._node, self._topics = config.discovery and orders is not None, node, topics
        self._sources, self._labels, self._orders = sources, labels, orders
        self._announced: dict[str, Any] = {}  # components

    def labels(self) -> set[tuple[str, str]]:
        """Sources and labels that alert by the configuration or by an order; what an order silences is still there."""
        return {(source, label) for source in self._sources for label in self._alerting(source)}

    def announcement(self) -> str | None:
        """The whole device; what was announced before and is there no more is taken away."""
        return self._payload(json.dumps({"components": self._announced}).encode())

    def correction(self, old: bytes) -> str | None:
        """What is left to say after the announcement, given what the broker had kept from earlier."""
        if not self._wanted:
            return "" if old else None
        return self._payload(old) if farewells(old, self._announced) else None

    def _alerting(self, source: str) -> list[str]:
        ordered = alerting(self._orders.rules(source)) if self._orders else ()
        return list(dict.fromkeys([*self._labels, *ordered]))

    def _payload(self, old: bytes) -> str | None:
        if not self._wanted:
            return None
        rules = self._orders.base if self._orders else {}
        sources = [Announced(source, self._alerting(source), rules) for source in self._sources]
        told = document(self._topics, self.id, self._node, sources)
        self._announced = told["components"]
        gone = farewells(old, self._announced)
        return json.dumps({**told, "components": {**self._announced, **gone}}, ensure_ascii=False)
