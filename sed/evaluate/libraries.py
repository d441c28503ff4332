"""The measuring libraries of the extra `train`, imported when they are needed and without their warnings."""

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sed.errors import UsageError


def library(name: str) -> Any:
    """A module of a measuring library; raises UsageError if it is not installed."""
    try:
        with hushed():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"evaluate: needs {error.name}; pip install 'earwitness[train]'") from error


@contextmanager
def hushed() -> Iterator[None]:
    """Let no warning through: pkg_resources announces its end at every import, numpy each empty class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
