"""What is told while a scan goes on, and in the end."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

import sed.archive.progress
from sed.archive.engine import Piece, Recording
from sed.archive.progress import COMPLAINTS, Progress
from sed.errors import UsageError
from tests.archive.scanned import detection, outcome
from tests.broker import eventually

ARCHIVE = [Recording(f"{n}.wav", 320_044) for n in range(4)]


def counted(progress: Progress) -> Progress:
    progress.expect(lambda: iter(ARCHIVE))
    assert progress._census is not None
    progress._census.join()
    return progress


def test_the_sum() -> None:
    with Progress() as progress:
        done = outcome("0.wav", detection("0.wav", 1.0), seconds=3600.0)
        progress.heard(done)
        progress.finished(done)
        progress.skipped(ARCHIVE[1])
    assert re.fullmatch(
        r"1 events in 1 recordings, 1 done before; 1:00:00 of sound at [\d,]+x real time", str(progress)
    )


def test_nothing_new() -> None:
    with Progress() as progress:
        progress.skipped(ARCHIVE[0])
    assert str(progress) == "nothing new: 1 recordings were done before"


def test_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(Progress()) as progress:
        progress._began -= 100.0
        progress.skipped(ARCHIVE[0])
        done = outcome("1.wav", status="failed", error="why", seconds=50.0)
        progress.heard(done)
        progress.finished(done)
        line = progress.line()
    assert line.startswith("1 of 3 recordings, 0:00:50 of sound at 0x real time, 0:03:2")
    assert line.endswith(" left, 1 failed")


def test_pieces_count_as_they_come() -> None:
    with counted(Progress()) as progress:
        for number in range(2):
            progress.heard(replace(outcome("1.wav", seconds=5.0), piece=Piece(number, 4, 0, None)))
        assert progress._share() == pytest.approx(0.5 / 4)
        assert progress.line().startswith("0 of 4 recordings, 0:00:10 of sound")


def test_where_sizes_are_not_known_recordings_count() -> None:
    progress = Progress()
    with progress:
        progress.expect(lambda: iter([Recording("a"), Recording("b")]))
        assert progress._census is not None
        progress._census.join()
        progress.finished(outcome("a"))
        assert progress._share() == 0.5


def test_a_line_a_minute_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sed.archive.progress, "LINE_SECONDS", 0.02)
    told: list[str] = []

    def lines() -> int:
        told.extend(capsys.readouterr().err.splitlines())
        return len(told)

    with Progress():
        eventually(lambda: lines() >= 2, 10.0)
    assert told[0].startswith("0 recordings, 0:00:00 of sound")


def test_quiet_shows_errors_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sed.archive.progress, "LINE_SECONDS", 0.01)
    with Progress(quiet=True) as progress:
        progress.finished(outcome("a [b]\x1b[2J.wav", status="failed", error="why"))
    assert capsys.readouterr().err == "earwitness: a [b]\\x1b[2J.wav: why\n"


def test_errors_beyond_counting_are_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for n in range(1_000):
            progress.finished(outcome(f"{n}.wav", status="failed", error="why"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == COMPLAINTS + 1
    assert "the table of files has all" in lines[-1]
    assert progress.complaints == 1_000


def test_counting_ends_with_the_scan() -> None:
    def endless() -> Iterator[Recording]:
        while True:
            yield ARCHIVE[0]

    with Progress() as progress:
        progress.expect(endless)
        assert not progress._expected()


def test_an_archive_that_cannot_be_counted_has_no_end() -> None:
    def broken() -> Iterator[Recording]:
        yield ARCHIVE[0]
        raise UsageError("gone")

    with Progress() as progress:
        progress.expect(broken)
        assert progress._census is not None
        progress._census.join()
        assert " of 1" not in progress.line()
