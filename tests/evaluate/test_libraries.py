"""The libraries that measure are asked for in one line if they are absent, and say nothing of their own."""

import warnings

import pytest

from sed.errors import UsageError
from sed.evaluate.libraries import hushed, library


def test_an_absent_library_names_the_extra() -> None:
    with pytest.raises(UsageError, match=r"evaluate: needs sed_absent; pip install 'earwitness\[train\]'"):
        library("sed_absent")


def test_they_are_hushed() -> None:
    with hushed():
        warnings.warn("pkg_resources", stacklevel=1)
    assert library("sed_eval.sound_event").EventBasedMetrics
