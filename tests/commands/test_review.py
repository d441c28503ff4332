"""Going through events: a list in a pipe, keys on a terminal, thresholds from what was said."""

import contextlib
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sed.cli import app
from sed.config import load
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import rfc3339
from sed.signals import new_id
from tests.broker import eventually
from tests.daemon import START_SECONDS
from tests.messages import message
from tests.toy import metadata, write_toy

SCORES = (0.95, 0.52, 0.75)
"""Of the events, oldest first: the second is closest to the threshold."""


@pytest.fixture
def names() -> list[str]:
    return [new_id() for _ in SCORES]


@pytest.fixture
def config(tmp_path: Path, names: list[str]) -> Path:
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4))
    (tmp_path / "gate.toml").write_text(f'model = "{tmp_path}/toy.onnx"\n[journal]\npath = "journal.db"\n')
    with Journal(tmp_path / "journal.db") as journal:
        for n, (name, score) in enumerate(zip(names, SCORES, strict=True)):
            onset = rfc3339(datetime.now(UTC) - timedelta(hours=3 - n))
            for phase in ("start", "end"):
                journal.append(message(phase, name=name, label="tone", onset=onset, score=score))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / f"{names[0]}.flac").touch()
    return tmp_path / "gate.toml"


def journal(config: Path) -> Path:
    return load(config).journal.path


def shell(capsys: pytest.CaptureFixture[str], config: Path, *options: str) -> str:
    app(["review", "-c", str(config), *options], standalone_mode=False)
    return capsys.readouterr().out


def test_in_a_pipe_it_is_a_list_of_the_likeliest_first(
    config: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Verdicts(journal(config)).give(names[1], "wrong")
    said = shell(capsys, config)
    assert [line.split()[0] for line in said.splitlines()[::3]] == [names[2], names[0], names[1]]
    assert f"clips/{names[0]}.flac" in said
    assert "no clip" in said
    assert said.splitlines()[6] == f"{names[1]}  wrong"
    assert len(shell(capsys, config, "--limit", "1").splitlines()) == 3
    assert shell(capsys, config, "--since", "1m") == "no events in this time\n"


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_on_a_terminal_a_key_is_a_verdict(config: Path, names: list[str], terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    command = [sys.executable, "-m", "sed", "review", "-c", str(config)]
    environment = os.environ | {"TERM": "dumb", "COLUMNS": "160"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        try:
            go_through(Typist(ours))
            assert process.wait(START_SECONDS) == 0
        finally:
            process.kill()
    found = {event.id: event.verdict for event in History(journal(config)).walk()}
    assert [found[name] and found[name].verdict for name in names] == ["right", "other", None]  # type: ignore[union-attr]
    assert found[names[1]].label == "car_horn"  # type: ignore[union-attr]


def go_through(said: "Typist") -> None:
    """A key that means nothing, a label that is none, a label, a skipped one, and a right one."""
    said.wait_for("1 of 3")
    assert "its score is just above the threshold" in said.text
    said.type("xl")
    said.wait_for("what was it?")
    said.type("car horn\n")
    said.wait_for("need a label of letters")
    said.type("l")
    said.wait_for("what was it?", times=2)
    said.type("car_horn\n")
    said.wait_for("2 of 3")
    said.type("s")
    said.wait_for("3 of 3")
    said.type("r")
    said.wait_for("2 verdicts given")


class Typist:
    """Somebody at the other end of a terminal."""

    def __init__(self, end: int) -> None:
        self.text = ""
        self._end = end
        os.set_blocking(end, False)

    def wait_for(self, text: str, times: int = 1) -> None:
        eventually(lambda: self._read().count(text) >= times)

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def _read(self) -> str:
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self._end, 65_536).decode("utf-8", "replace")
        return self.text


def test_thresholds_are_lines_for_the_config(
    config: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = Verdicts(journal(config))
    assert shell(capsys, config, "--suggest") == ("# no verdicts in this time; give some with 'earwitness review'\n")
    verdicts.give(names[0], "right")
    assert shell(capsys, config, "--suggest") == "# none of the judged events was a false alarm\n"
    verdicts.give(names[1], "wrong")
    verdicts.give(names[2], "other", "car_horn")
    said = shell(capsys, config, "--suggest")
    assert said.startswith(
        "# 2 false tone alarms in 7 days; on = 0.76 would have removed 2 and lost 0 of 1 true ones\n"
    )
    assert tomllib.loads(said) == {"rules": {"tone": {"on": 0.76}}}
    config.write_text(f"{config.read_text()}\n{said}")
    assert shell(capsys, config, "--suggest") == "# none of the judged events was a false alarm\n"
