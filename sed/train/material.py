"""What a run learns from and is measured on."""

from dataclasses import dataclass

from sed.train.clips import Clip
from sed.train.library import Library


@dataclass(frozen=True, slots=True)
class Material:
    """The catalogue and the samples of its clips."""

    clips: list[Clip]
    library: Library
