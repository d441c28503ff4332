"""`[clips]`: recordings of the events, kept as files."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from sed.complaints import nearest
from sed.errors import ConfigError
from sed.metadata import Settings
from sed.values import Age, FilePath, Size

LONGEST_PRE = 5.0
"""Seconds; the ring holds ten, and an event is certain only some time after its onset."""


def _listed(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(f'should be a list such as ["{value}"], got {value!r}')
    return value


Labels = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class ClipsConfig(Settings):
    """Recordings of the events, in seconds; off unless enabled."""

    enabled: bool = False
    path: FilePath | None = None
    """The folder; beside the journal if it is not given, see `Config.clips_folder`."""
    pre: float = Field(2.0, ge=0.0, le=LONGEST_PRE)
    post: float = Field(3.0, ge=0.0, le=60.0)
    max_length: float = Field(60.0, ge=1.0, le=3_600.0)
    max_age: Age = 7 * 86_400.0
    max_size: Size = 1_000_000_000
    labels: Labels | None = None
    """Only these; all that alert if it is not given."""

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.max_length <= self.pre + self.post:
            raise ValueError(
                f"max_length should be more than pre + post, got max_length={self.max_length:g}, "
                f"pre={self.pre:g}, post={self.post:g}"
            )
        return self

    def check_labels(self, known: tuple[str, ...], file: Path | None = None) -> None:
        """Raises ConfigError for a label that the model does not know."""
        for label in self.labels or ():
            if label not in known:
                where = f"{file}: " if file else ""
                raise ConfigError(f"{where}clips.labels: no such label {label!r}, {nearest(label, known)}")
