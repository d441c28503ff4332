"""`earwitness train`: from labelled clips to one model file, or to the learning rate to use for it."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sed.complaints import complaints
from sed.errors import UsageError
from sed.toml import read_toml

if TYPE_CHECKING:
    from sed.train.settings import TrainSettings


def run(data: Path, out: Path, config: Path | None = None, **given: Any) -> None:
    """Train as `config` says, save what is given; raises UsageError without torch, AudioError without clips."""
    with _told_once():
        settings = settings_of(data, out, config, given)
        from sed.train.fit import train

        train(settings)


@contextmanager
def _told_once() -> Iterator[None]:
    """What is wrong with how they were started, the first process of a machine tells for all that torchrun started."""
    try:
        yield
    except UsageError as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":
            raise
        sys.exit(error.exit_code)


def find_rate(data: Path, picture: Path, config: Path | None = None, **given: Any) -> None:
    """Train nothing: print the learning rate to use, and draw why; raises as `run` does, and SinkError."""
    settings = settings_of(data, picture.with_suffix(".onnx"), config, given)  # a name only: no model is written
    from sed.train.finder import check_picture, write
    from sed.train.fit import find

    check_picture(picture)
    found = find(settings)
    write(found, picture)
    print(found.verdict)


def settings_of(data: Path, out: Path, config: Path | None, given: dict[str, Any]) -> "TrainSettings":
    """The settings of a run: the file's, and over it what is given; raises UsageError for wrong ones."""
    try:
        import sed.train.fit  # noqa: F401 - all of it must be there
        from sed.train.settings import TrainSettings
    except ModuleNotFoundError as error:
        raise UsageError(f"train: needs {error.name}; pip install 'earwitness[train]'") from error
    logging.getLogger("sed").setLevel(logging.INFO)
    try:
        told = {"name": out.stem, **read(config), **given, "config": config, "data": data, "out": out}
        return TrainSettings(**{**_begun(told), **told})
    except ValidationError as error:
        raise UsageError("\n".join(f"train: {line}" for line in complaints(error, TrainSettings))) from error


def _begun(told: dict[str, Any]) -> dict[str, Any]:
    """What fine-tuning begins with, if that is what is asked for."""
    if told.get("finetune") is None:
        return {}
    from sed.train.finetune import beginning

    return beginning(str(told["finetune"]))


def read(config: Path | None) -> dict[str, Any]:
    """What the file says, nothing without one; raises ConfigError if it cannot be read."""
    return read_toml(config) if config else {}
