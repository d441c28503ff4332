"""What the daemon shows of itself: how its sources are now, and by which rules it listens."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.registry import Collector

from sed.config import Config
from sed.ear import Ear
from sed.errors import SinkError
from sed.health.exporter import registered
from sed.journal import Journal, SourceState
from sed.message import Message, rfc3339
from sed.metadata import Metadata, Rule
from sed.signals import FLOOR_DBFS, State
from sed.web.strip import FLOOR_DB, STEP_DB

WELL: tuple[State, ...] = ("hearing", "silent")
"""States in which sound comes."""


class View:
    """The read side of one daemon; any thread may ask."""

    def __init__(
        self,
        metadata: Metadata,
        ears: Callable[[], Sequence[Ear]],
        flowing: Callable[[], bool],
        journal: Journal,
        rules: Callable[[str], Mapping[str, Rule]],
        connected: Callable[[], bool | None],
        clip: Callable[[str], Path | None],
        collectors: Callable[[], Sequence[Collector]],
    ) -> None:
        """`flowing` tells whether sound gets through, `rules` those of a source, `connected` whether a broker is.

        `clip` finds an event's, `collectors` are those of the metrics.
        """
        self.metadata = metadata
        self.flowing = flowing
        self.clip = clip
        self._ears, self._journal, self._rules, self._connected = ears, journal, rules, connected
        self._collectors = collectors
        self.config: Config
        """What holds now; set before anybody asks."""

    def state(self) -> Message:
        """What changes from moment to moment."""
        mqtt = self.config.mqtt
        broker = {"place": f"{mqtt.host}:{mqtt.port}", "connected": bool(self._connected())} if mqtt else None
        return {
            "time": rfc3339(datetime.now(UTC)),
            "node": self.config.node,
            "broker": broker,
            "flowing": self.flowing(),
            "sources": self.sources(),
        }

    def sources(self) -> list[Message]:
        """Each source, and how it is."""
        told = {state.source: state for state in self._journal.states()}
        ears = {ear.name: ear for ear in self._ears()}
        return [
            {"name": source.name, "place": source.shown, **_how(told.get(source.name), ears.get(source.name))}
            for source in self.config.source
        ]

    def whole(self) -> Message:
        """And what does not."""
        metadata, frontend, clips = self.metadata, self.metadata.frontend, self.config.clips
        return self.state() | {
            "version": version("earwitness"),
            "model": {"name": metadata.name, "version": metadata.version, "labels": list(metadata.labels)},
            "sound": {
                "sample_rate": frontend.sample_rate,
                "bands": frontend.mels,
                "low_hz": frontend.low_hz,
                "high_hz": frontend.high_hz,
                "column_seconds": frontend.hop / frontend.sample_rate,
                "row_seconds": metadata.period,
                "floor_db": FLOOR_DB,
                "step_db": STEP_DB,
            },
            "clips": {"enabled": clips.enabled, "allowed": self.config.may_keep_audio, "post": clips.post},
        }

    def rules(self) -> Message:
        """Those that hold now, with what was ordered, by source and label."""
        sources = {
            source.name: {label: rule.model_dump() for label, rule in self._rules(source.name).items()}
            for source in self.config.source
        }
        return {"model": self.metadata.name, "labels": list(self.metadata.labels), "sources": sources}

    def unready(self) -> list[str]:
        """Why alerts may not come through now; nothing if they do."""
        reasons = [
            f"source {source['name']}: {source['state']}" for source in self.sources() if source["state"] not in WELL
        ]
        if not self.flowing():
            reasons.append("no sound gets through to the detector")
        try:
            self._journal.rows(limit=1)
        except SinkError as error:
            reasons.append(str(error))
        return reasons

    def metrics(self) -> bytes:
        """As Prometheus reads them."""
        return generate_latest(registered(self._collectors()))


def _how(told: SourceState | None, ear: Ear | None) -> Message:
    if told is None:
        opening = {"state": "lost", "since": None, "reason": "it is being opened"}
        return {**opening, "level_dbfs": FLOOR_DBFS, "dropped_samples": 0}
    since = ear.since if ear else None
    reason = "" if ear is None else ear.failure if told.state == "stopped" else ear.source.reason
    level = round(told.level_dbfs, 1) + 0.0  # no -0.0
    return {
        "state": told.state,
        "since": rfc3339(datetime.fromtimestamp(since, UTC)) if since else None,
        "reason": "" if told.state == "hearing" else reason,
        "level_dbfs": level,
        "dropped_samples": told.dropped_samples,
    }
