"""`[[source]]`: something to listen to."""

from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from sed.metadata import Settings
from sed.values import Channel, SourceUrl, TopicLevel


class SourceConfig(Settings):
    """Something to listen to."""

    name: TopicLevel = "mic"
    url: SourceUrl = "mic:"
    channel: Channel = 0
    gain_db: float = Field(0.0, ge=-60.0, le=60.0)
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _beside(self, info: ValidationInfo) -> Self:
        self._folder = (info.context or {}).get("folder", Path())
        return self

    @property
    def kind(self) -> str:
        """What the URL begins with, `mic` or `file`; `-` for standard input."""
        return self.url.partition(":")[0]

    @property
    def rest(self) -> str:
        """What follows in the URL: a device's name, or nothing for the default one."""
        return self.url.partition(":")[2]

    @property
    def path(self) -> Path:
        """What to read; a relative path starts at the config file, wherever the daemon was started."""
        return Path("-") if self.kind == "-" else self._folder / Path(self.rest).expanduser()
