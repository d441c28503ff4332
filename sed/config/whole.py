"""Everything that can be set, table by table."""

import re
import socket
from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from sed.config.clips import ClipsConfig
from sed.config.fleet import FleetConfig
from sed.config.http import HttpConfig
from sed.config.journal import JournalConfig
from sed.config.metrics import MetricsConfig
from sed.config.mqtt import MqttConfig
from sed.config.privacy import PrivacyConfig
from sed.config.rules import RuleChange
from sed.config.source import SourceConfig
from sed.config.zmq import ZmqConfig, stays_here
from sed.metadata import Settings
from sed.shipped import DEFAULT_MODEL
from sed.values import SATELLITE, TopicLevel


def default_node() -> str:
    """The computer's name, as a level of a topic."""
    name = socket.gethostname().split(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "earwitness"


class Config(Settings):
    """Everything that can be set; without a file it listens to the default microphone and tells no broker."""

    node: TopicLevel = Field(default_factory=default_node)
    model: str = Field(DEFAULT_MODEL, min_length=1)
    source: tuple[SourceConfig, ...] = (SourceConfig(),)
    rules: dict[str, RuleChange] = Field(default_factory=dict)
    mqtt: MqttConfig | None = None
    journal: JournalConfig = Field(default_factory=JournalConfig)
    metrics: MetricsConfig | None = None
    zmq: ZmqConfig | None = None
    http: HttpConfig | None = None
    clips: ClipsConfig = ClipsConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    fleet: FleetConfig = Field(default_factory=FleetConfig)
    _file: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [source.name for source in self.source]
        if not names:
            raise ValueError("source: should have at least one [[source]], got none")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"source: should each have a name of its own, got {twice!r} twice")
        if [source.kind for source in self.source].count("-") > 1:
            raise ValueError("source: should be one at most that reads standard input")
        return self

    @model_validator(mode="after")
    def _satellites(self) -> Self:
        known: set[tuple[str, str]] = set()
        for source in self.source:
            if source.kind != SATELLITE:
                continue
            if not self.may_keep_audio:
                raise ValueError(f"source {source.name}: sound of a satellite, which privacy.audio = false forbids")
            if (self.zmq is None or self.zmq.key_files is None) and not stays_here(source.endpoint):
                raise ValueError(
                    f"source {source.name}: {source.endpoint} is open to other computers: it needs secret_key_file and "
                    "allowed_keys in [zmq], which 'earwitness keys' makes; or listen at 127.0.0.1"
                )
            if (place := (source.endpoint, source.satellite)) in known:
                raise ValueError(f"source: should each have a satellite of its own, got {source.satellite!r} twice")
            known.add(place)
        return self

    @model_validator(mode="after")
    def _privacy(self) -> Self:
        if self.clips.enabled and not self.may_keep_audio:
            raise ValueError("clips.enabled: should be false where privacy.audio = false forbids it, got true")
        return self

    @property
    def may_keep_audio(self) -> bool:
        """Whether sound itself may leave this program's memory: asked before any of it goes to a disk or a network."""
        return self.privacy.audio

    @property
    def clips_folder(self) -> Path:
        """Where clips lie."""
        return self.clips.path or self.journal.path.parent / "clips"

    @property
    def file(self) -> Path | None:
        """Where it came from."""
        return self._file
