"""`earwitness train`: from labelled clips to one model file."""

import logging
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sed.complaints import complaints
from sed.errors import UsageError


def run(data: Path, out: Path, config: Path | None = None, **given: Any) -> None:
    """Train as `config` says, save what is given; raises UsageError without torch, AudioError without clips."""
    try:
        from sed.train.fit import train
        from sed.train.settings import TrainSettings
    except ModuleNotFoundError as error:
        raise UsageError(f"train: needs {error.name}; pip install 'earwitness[train]'") from error
    logging.getLogger("sed").setLevel(logging.INFO)
    try:
        settings = TrainSettings(**{"name": out.stem, **_read(config), **given, "data": data, "out": out})
    except ValidationError as error:
        raise UsageError("\n".join(f"train: {line}" for line in complaints(error, TrainSettings))) from error
    train(settings)


def _read(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{config}: cannot be read ({error})") from error
