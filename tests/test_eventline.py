"""An alert in one line, for people."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from rich.text import Text

from sed.eventline import event_line, harmless
from tests.messages import message


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_it_has_the_time_on_the_wall_and_how_long_it_lasted() -> None:
    head, tail = "2026-11-20 03:59:01.000  gate/yard  siren       ", " score 0.90   -23.1 dBFS"
    assert event_line(message()).plain == f"{head} begins         {tail}"
    assert event_line(message(phase="end")).plain == f"{head} lasted 1.50 s  {tail}"
    assert event_line(message(phase="end", duration=None)).plain == f"{head} ended unheard  {tail}"


@pytest.mark.parametrize("wrong", [{"onset": "noon"}, {"onset": None}, {"score": "high"}, {"duration": "x"}])
def test_what_is_no_event_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        event_line(message(phase="end", **wrong))


def test_nothing_steers_the_terminal() -> None:
    assert harmless(Text("a\x1b[2J\r\nb\u202e")).plain == "a\ufffd[2J\ufffdb\ufffd"  # rich itself drops the \\r
