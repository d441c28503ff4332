"""Jobs from recordings: small ones together, long ones in pieces, each once and in order."""

from pathlib import Path

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sed.archive.engine import Job, Recording
from sed.archive.plan import TOGETHER, TOGETHER_BYTES, WHOLE, Plan
from tests.toy import RATE, bursts, metadata


@given(sizes=st.lists(st.none() | st.integers(0, 2 * TOGETHER_BYTES), max_size=200))
def test_every_recording_once_and_in_order(sizes: list[int | None]) -> None:
    recordings = [Recording(str(n), size) for n, size in enumerate(sizes)]
    jobs = list(Plan(metadata()).jobs(recordings))
    assert [one for job in jobs for one in job.recordings] == recordings
    assert [job.number for job in jobs] == list(range(len(jobs)))
    for job in jobs:
        assert len(job.recordings) <= TOGETHER
        assert sum(one.size or 0 for one in job.recordings[:-1]) < TOGETHER_BYTES


def test_a_few_are_shared_out_and_many_go_together() -> None:
    jobs = list(Plan(metadata()).jobs(Recording(str(n), 1_000) for n in range(10_000)))
    assert [len(job.recordings) for job in jobs[:4]] == [1] * 4
    assert max(len(job.recordings) for job in jobs) == TOGETHER
    assert len(jobs) < 500


def test_nothing_is_listed_before_it_is_asked_for() -> None:
    def endless() -> object:
        yield Recording("a", 1)
        raise AssertionError

    assert next(Plan(metadata()).jobs(endless())) == Job(0, (Recording("a", 1),))  # type: ignore[arg-type]


def long(path: Path, kind: str = "WAV", seconds: float = 20.0) -> Recording:
    soundfile.write(path, bursts((1.0, 2.0), seconds=seconds), RATE, format=kind)
    return Recording(str(path), path.stat().st_size)


@pytest.mark.parametrize(("kind", "pieces"), [("WAV", 4), ("FLAC", 4), ("MP3", 1), ("OGG", 1)])
def test_long_ones_are_cut_if_they_can_be(tmp_path: Path, kind: str, pieces: int) -> None:
    jobs = list(Plan(metadata(), split=5.0).jobs([long(tmp_path / "long", kind)]))
    cut = [job.piece for job in jobs if job.piece is not None and job.piece != WHOLE]
    assert len(jobs) == (pieces + 1 if pieces > 1 else 1)
    assert [(piece.number, piece.of) for piece in cut] == ([(n, pieces) for n in range(pieces)] if pieces > 1 else [])


def test_only_the_first_is_compared_with_the_whole(tmp_path: Path) -> None:
    first, second = long(tmp_path / "1.wav"), long(tmp_path / "2.wav")
    plan = Plan(metadata(), split=5.0)
    jobs = list(plan.jobs([first, second]))
    assert [job.recordings for job in jobs if job.piece == WHOLE] == [(first,)]
    assert plan.measured == first


def test_what_is_short_remote_or_broken_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_bytes(bytes(100_000))
    short, broken = long(tmp_path / "short.wav", seconds=6.0), Recording(str(tmp_path / "page.wav"), 100_000)
    jobs = list(Plan(metadata(), split=5.0).jobs([short, broken, Recording("s3://a/b.wav", 10**9)]))
    assert [job.piece for job in jobs] == [None] * 3
