"""What every fault gets: a box to happen to."""

from pathlib import Path

import pytest

from tests.faults.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)
