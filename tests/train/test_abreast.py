"""Members in processes of their own: they learn what they learn in one, are seen doing so, and fail as one."""

import logging
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from sed.errors import EarwitnessError, UsageError
from sed.train import fit
from sed.train.abreast import abreast
from sed.train.members import apart
from sed.train.run import checkpoint_path
from sed.train.settings import Lesson, Member, TrainSettings
from tests.train.test_members import weights


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=data, out=tmp_path / "pair.onnx", cache=cache, steps=4, batch=4, seconds=3.0, units=8, workers=0,
        valid_scenes=6, scenes=24, learning_rate=1e-2, average=0.8, bfloat16=False, seed=1, channels=(2, 4, 4, 2),
        members=(Member(), Member(seed=2, steps=3, then=(Lesson(steps=2), Lesson(steps=2, seed=3)))),
    )  # fmt: skip


def test_at_once_they_learn_what_they_learn_one_by_one(
    settings: TrainSettings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    one_by_one = weights(fit.train(settings))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        at_once = weights(fit.train(settings.model_copy(update={"jobs": 2})))
    assert at_once.keys() == one_by_one.keys()
    assert all(np.array_equal(part, one_by_one[name]) for name, part in at_once.items())
    for told in ("pair-1: step 4 of 4", "pair-2: step 3 of 3", "pair-2: step 2 of 2"):
        assert told in caplog.text
    shown = capfd.readouterr().err
    assert "pair-1: training" in shown
    assert "pair-2: training" in shown
    assert multiprocessing.active_children() == []


def test_minutes_are_divided_among_those_that_learn_one_after_the_other(settings: TrainSettings) -> None:
    for jobs, share in ((1, 30.0), (2, 60.0), (3, 60.0)):
        given = settings.model_copy(update={"minutes": 60.0, "jobs": jobs})
        assert [one.minutes for one in apart(given)] == [share, share]


def stumbles(member: TrainSettings) -> None:
    """The second one cannot go on; the first would for a minute."""
    if member.out.stem.endswith("2"):
        raise UsageError("pair-2: stumbled")
    signal.pause()


def dies(member: TrainSettings) -> None:
    """As `stumbles`, without a word."""
    if member.out.stem.endswith("2"):
        os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def interrupts(member: TrainSettings) -> None:
    """Ctrl-C reaches the process that began this one; this one does not hear its own."""
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getppid(), signal.SIGINT)
    signal.pause()


def test_ctrl_c_ends_them_all(settings: TrainSettings) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            abreast(apart(settings)[:1], 2, interrupts)
    finally:
        signal.signal(signal.SIGINT, before)
    assert multiprocessing.active_children() == []


def test_torchrun_divides_batches_and_not_members(settings: TrainSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="jobs: runs in one process; give --jobs 1"):
        fit.train(settings.model_copy(update={"jobs": 2}))


def test_what_one_raises_ends_them_all(settings: TrainSettings) -> None:
    with pytest.raises(UsageError, match="pair-2: stumbled"):
        abreast(apart(settings), 2, stumbles)
    assert multiprocessing.active_children() == []


def test_one_that_dies_is_told_of(settings: TrainSettings) -> None:
    with pytest.raises(EarwitnessError, match=r"process of pair-2 died \(killed.*go on with --resume"):
        abreast(apart(settings), 2, dies)
    assert multiprocessing.active_children() == []


def test_a_run_that_was_cut_off_goes_on_at_once(settings: TrainSettings) -> None:
    whole = weights(fit.train(settings))
    checkpoint_path(apart(settings)[1]).unlink()
    again = weights(fit.train(settings.model_copy(update={"jobs": 2, "resume": True})))
    assert all(np.array_equal(part, again[name]) for name, part in whole.items())


def test_one_network_has_no_use_for_jobs(settings: TrainSettings) -> None:
    with pytest.raises(ValueError, match="jobs: is for members that learn at once"):
        TrainSettings(data=settings.data, out=settings.out, jobs=2)
