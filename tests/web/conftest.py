"""One daemon for all tests of a file that only ask it, for it takes a while to start."""

from collections.abc import Iterator

import pytest

from tests.broker import free_port
from tests.web.box import Box, box


@pytest.fixture(scope="module")
def open_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """For this computer, with clips, a broker that is not there, and no token."""
    tables = ("[clips]\nenabled = true\npre = 0.2\npost = 0.2", f'[mqtt]\nurl = "mqtt://127.0.0.1:{free_port()}"')
    with box(tmp_path_factory.mktemp("open"), *tables) as opened:
        yield opened
