"""Checks that break, hang, or fail: none stops the others."""

import threading
from collections.abc import Iterator

import pytest

from sed.config import Config, MqttConfig, SourceConfig
from sed.doctor.checkup import checks
from sed.doctor.finding import Check, Finding, failed, ok, refused, warning
from sed.errors import ConfigError, EarwitnessError, SinkError


def test_what_is_found_carries_the_name_of_its_check() -> None:
    found = Check("disk", lambda: [ok("here"), warning("nearly full", "tidy up")]).run()
    assert found == [Finding("ok", "here", "", "disk"), Finding("warning", "nearly full", "tidy up", "disk")]
    assert [each.line for each in found] == ["here", "nearly full; tidy up"]
    assert found[1].document() == {"check": "disk", "status": "warning", "found": "nearly full", "advice": "tidy up"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SinkError("broker x: gone; start it"), [failed("broker x: gone", "start it")]),
        (ConfigError("one; do this\ntwo"), [failed("one", "do this"), failed("two")]),
        (KeyError("x"), [failed("could not be checked (KeyError: 'x')", "please report this")]),
    ],
)
def test_an_error_is_found_and_what_came_before_it_stays(error: Exception, expected: list[Finding]) -> None:
    def look() -> Iterator[Finding]:
        yield ok("so far")
        raise error

    first, *rest = Check("x", look).run()
    assert first.line == "so far"
    assert [(each.status, each.line) for each in rest] == [(each.status, each.line) for each in expected]


def test_a_check_that_hangs_is_left_to_itself() -> None:
    released = threading.Event()

    def look() -> Iterator[Finding]:
        yield ok("so far")
        released.wait(30.0)
        yield ok("too late")

    found = Check("x", look, limit=0.05).run()
    released.set()
    assert [each.line for each in found] == ["so far", "no answer within 0.05 s; see whether what it asks hangs"]
    assert found[-1].status == "failed"


def test_an_errors_advice_is_what_follows_its_first_semicolon() -> None:
    assert refused(str(EarwitnessError("a; b; c"))) == failed("a", "b; c")


def test_every_source_is_looked_at_and_sound_cards_only_for_microphones() -> None:
    names = [check.name for check in checks(Config(source=(SourceConfig(name="a"), SourceConfig(name="b", url="-"))))]
    assert [name for name in names if name.startswith("source")] == ["source a", "source b"]
    assert "sound" in names
    only_file = Config(source=(SourceConfig(url="file:a.wav"),), mqtt=MqttConfig(url="mqtt://gate"))
    assert "sound" not in [check.name for check in checks(only_file)]
