"""What every test gets: no thread outlives it, and a real broker if it asks for one."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.broker import Broker

GONE_SECONDS = 30.0

hypothesis.settings.register_profile("earwitness", deadline=None)  # machines are noisy: no test is timed
hypothesis.settings.load_profile("earwitness")


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail any test that leaves a thread of its own alive."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + GONE_SECONDS
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left, f"still alive: {sorted(thread.name for thread in left)}"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running Mosquitto that lets everyone in."""
    with Broker(tmp_path) as running:
        yield running
