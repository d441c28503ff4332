"""Jobs: how they are given out again, how long they may take, and that all of them travels."""

import pickle
from dataclasses import replace

import pytest

from sed.archive.engine import TRIES, Job, Piece, Recording, is_url
from tests.archive.scanned import NO_ORDER, detection, outcome

THREE = tuple(Recording(f"{name}.wav", 1_000_000) for name in "abc")


def test_a_job_whose_worker_died_is_given_out_one_by_one() -> None:
    singles = Job(5, THREE).again()
    assert [job.recordings for job in singles] == [(one,) for one in THREE]
    assert {job.tried for job in singles} == {1}


def test_in_the_end_it_is_given_up() -> None:
    job, tries = Job(5, THREE[:1], Piece(1, 3, 16_000, 32_000)), 1
    while again := job.again():
        (job,) = again
        tries += 1
    assert tries == TRIES
    assert job.piece == Piece(1, 3, 16_000, 32_000)
    (given_up,) = job.given_up("crashed", "why").outcomes
    assert (given_up.recording, given_up.piece, given_up.status, given_up.error) == (
        THREE[0],
        job.piece,
        "crashed",
        "why",
    )


def test_how_long_a_job_may_take() -> None:
    assert NO_ORDER.limit(Job(0, THREE)) == 90.0
    assert NO_ORDER.limit(Job(0, (Recording("s3://somewhere/a.wav"),))) > 600.0
    assert replace(NO_ORDER, time_limit=5.0).limit(Job(0, THREE)) == 5.0


def test_all_of_it_travels() -> None:
    job = Job(5, THREE, Piece(0, 2, 0, 16_000))
    answer = replace(job.given_up("failed", "why"), outcomes=(outcome("a.wav", detection("a.wav", 1.0)),))
    assert pickle.loads(pickle.dumps((job, NO_ORDER, answer))) == (job, NO_ORDER, answer)  # noqa: S301


@pytest.mark.parametrize(
    "name", ["s3://b/a.wav", "zip://a.wav::s3://b/c.zip", "simplecache::gs://b/a.wav", "https://h/a"]
)
def test_urls(name: str) -> None:
    assert is_url(name)


@pytest.mark.parametrize("name", ["a.wav", "/a/b::c.wav", "C:/a.wav", "a//b.wav", "./s3:/b", "-"])
def test_paths(name: str) -> None:
    assert not is_url(name)
