"""How far a run is, and what is told of it: once a step, and nothing twice."""

import logging
from pathlib import Path

import pytest

from sed.train.monitor import LOG_EVERY, Monitor, progressed, records
from sed.train.progress import progress
from sed.train.records import FILE
from sed.train.run import Run, checkpoint_path, start
from sed.train.settings import TrainSettings


@pytest.fixture
def settings(tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=tmp_path, out=tmp_path / "tiny.onnx", cache=tmp_path, log_dir=tmp_path / "log", units=8, steps=1000,
        check_every=300, patience=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "step", "elapsed", "done", "left"),
    [
        (None, 250, 60.0, 0.25, 180.0),
        (10.0, 250, 60.0, 0.25, 180.0),  # the steps run out first
        (2.0, 250, 60.0, 0.5, 60.0),  # the minutes do
        (2.0, 250, 150.0, 1.25, -30.0),
    ],
)
def test_steps_or_minutes_whichever_run_out_first(
    settings: TrainSettings, minutes: float | None, step: int, elapsed: float, done: float, left: float
) -> None:
    run = start(settings)
    run.step, run.elapsed = step, elapsed
    found = progressed(run, settings.model_copy(update={"minutes": minutes}))
    assert (found.done, found.left) == pytest.approx((done, left))


def watched(run: Run, settings: TrainSettings, until: int) -> list[int]:
    """Steps of a loss equal to their number; the steps that were recorded."""
    with progress("training", settings.steps, run.step) as shown, records(run, settings) as kept:
        monitor = Monitor(run, settings, [], shown, kept)
        for step in range(run.step + 1, until + 1):
            run.step = step
            run.losses.append(float(step))
            monitor.after_step(1e-3)
        monitor.finish(1e-3)
    assert settings.log_dir is not None
    return [int(line.split(",")[0]) for line in (settings.log_dir / FILE).read_text().splitlines()[1:]]


def test_the_log_has_the_mean_since_the_row_before(settings: TrainSettings) -> None:
    assert watched(start(settings), settings, 650) == [LOG_EVERY, 300, 2 * LOG_EVERY, 600, 650]
    assert settings.log_dir is not None
    rows = [line.split(",") for line in (settings.log_dir / FILE).read_text().splitlines()[1:]]
    assert [float(row[2]) for row in rows] == [100.5, 250.5, 350.5, 500.5, 625.5]
    assert [bool(row[4]) for row in rows] == [False, True, False, True, True]


def test_the_end_is_not_told_twice(settings: TrainSettings, caplog: pytest.LogCaptureFixture) -> None:
    run = start(settings)
    with caplog.at_level(logging.INFO):
        assert watched(run, settings, 300) == [LOG_EVERY, 300]
        assert watched(run, settings.model_copy(update={"resume": True}), 300) == [LOG_EVERY, 300]
    assert caplog.text.count("loss on valid scenes") == 1
    assert checkpoint_path(settings).is_file()


def test_patience_lost_is_told(settings: TrainSettings, caplog: pytest.LogCaptureFixture) -> None:
    run = start(settings)
    with caplog.at_level(logging.INFO):
        watched(run, settings, 600)
    assert run.stopping.over
    assert "stopping early: the best loss, 0.0000, was at step 300" in caplog.text


def test_no_folder_no_records(settings: TrainSettings) -> None:
    with records(start(settings), settings.model_copy(update={"log_dir": None})) as kept:
        assert kept is None
