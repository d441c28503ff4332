"""Everything that can be set, table by table."""

import re
import socket
from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from sed.config.journal import JournalConfig
from sed.config.mqtt import MqttConfig
from sed.config.rules import RuleChange
from sed.config.source import SourceConfig
from sed.metadata import Settings
from sed.shipped import DEFAULT_MODEL
from sed.values import TopicLevel


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

    @property
    def file(self) -> Path | None:
        """Where it came from."""
        return self._file
