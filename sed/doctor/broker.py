"""The broker: its name, TCP, TLS, the login, and whether our topics may be written and read."""

import logging
import queue
import secrets
import time
from collections.abc import Iterator, Sequence

from paho.mqtt.client import MQTTMessage

from sed.config import Config, MqttConfig
from sed.doctor.finding import Finding, failed, ok, refused, warning
from sed.sinks.connection import Connection, Link
from sed.sinks.discovery import STATUS_TOPIC, config_topic, device_id
from sed.sinks.topics import Topics

ANSWER_SECONDS = 15.0
"""A broker that does not answer shall say so by our own limits, which are shorter."""

ECHO_SECONDS = 3.0
TRIAL = "doctor"
"""The last level of the topics that are tried: nobody reads them, and nothing is retained."""

_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.disabled = True  # what it would say is found here, too


def look(config: Config) -> Iterator[Finding]:
    """From the name to the last topic; a broker that does not let us in is the last thing to be said."""
    if config.mqtt is None:
        yield ok("none is configured: events go to standard output and into the journal")
        return
    mqtt = _incognito(config.mqtt)
    if refusal := _refusal(mqtt, []):
        yield refused(refusal)
        return
    who = f" {mqtt.user}" if mqtt.user else " without a user's name"
    yield ok(f"{mqtt.host}:{mqtt.port}{' by TLS' if mqtt.tls else ''} lets us in{who}, MQTT {mqtt.protocol}")
    topics = Topics(mqtt.prefix, config.node)
    yield from _reads(mqtt, topics, [source.name for source in config.source])
    yield from _writes(mqtt, topics, config.node)


def _incognito(mqtt: MqttConfig) -> MqttConfig:
    """The same, under another id: the broker would throw out a running daemon for a second client of its own."""
    return mqtt.model_copy(update={"client_id": f"earwitness-doctor-{secrets.token_hex(4)}"})


def _connection(mqtt: MqttConfig, topics: Sequence[str], heard: "queue.SimpleQueue[str] | None" = None) -> Connection:
    def hear(message: MQTTMessage) -> None:
        if heard is not None:
            heard.put(message.payload.decode("utf-8", "replace"))

    return Connection(mqtt, mqtt.client_id or "", None, topics, hear, log=_SILENT, required=heard is None)


def _refusal(mqtt: MqttConfig, topics: Sequence[str]) -> str:
    """What the broker has against us, or against our reading these topics; empty if nothing."""
    connection = _connection(mqtt, topics)
    try:
        refusal = connection.settled(ANSWER_SECONDS)
    finally:
        connection.close()
    return refusal.line if refusal else ""


def _reads(mqtt: MqttConfig, topics: Topics, sources: Sequence[str]) -> Iterator[Finding]:
    wanted = [*(topics.command(source) for source in sources), STATUS_TOPIC]
    if refusal := _refusal(mqtt, wanted):
        yield warning(refusal.partition("; ")[0], f"let this user read {topics.root}/# and {STATUS_TOPIC}")


def _writes(mqtt: MqttConfig, topics: Topics, node: str) -> Iterator[Finding]:
    """A word on a topic of ours that nobody reads, and on one beside Home Assistant's."""
    ours = f"{topics.root}/{TRIAL}"
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    connection = _connection(mqtt, [ours], heard)
    try:
        connection.settled(ANSWER_SECONDS)
        if (link := connection.link) is None:
            yield failed("the broker is gone again", "see its log")
            return
        yield _echoed(link, ours, topics, heard)
        if mqtt.discovery:
            yield from _announces(link, config_topic(mqtt.discovery_prefix, device_id(mqtt.prefix, node)))
    finally:
        connection.close()


def _echoed(link: Link, topic: str, topics: Topics, heard: "queue.SimpleQueue[str]") -> Finding:
    """A word goes out and should come back: brokers that speak MQTT 3.1.1 refuse without telling."""
    word, advice = secrets.token_hex(8), f"let this user write and read {topics.root}/#"
    refusal = _told(link, topic, word)
    if refusal is not None:
        return failed(refusal.partition("; ")[0] or f"no word is taken on {topic}", advice)
    try:
        while heard.get(timeout=ECHO_SECONDS) != word:
            pass
    except queue.Empty:
        return warning(f"what is told on {topic} does not come back", advice)
    return ok(f"{topics.root}/# may be written and read")


def _announces(link: Link, topic: str) -> Iterator[Finding]:
    root = topic.removesuffix("/config")
    if _told(link, f"{root}/{TRIAL}", "") is not None:
        yield warning(
            f"Home Assistant's discovery cannot be told on {topic}", "let this user write it, or set discovery = false"
        )


def _told(link: Link, topic: str, payload: str) -> str | None:
    """Publish, and wait for the broker's word: None if it took it, else why not (empty if it says nothing)."""
    mid = link.publish(topic, payload)
    until = time.monotonic() + ECHO_SECONDS
    while time.monotonic() < until:
        while link.refused:
            number, refusal = link.refused.popleft()
            if number == mid:
                return refusal.line
        if mid in tuple(link.confirmed):
            return None
        time.sleep(0.01)
    return ""
