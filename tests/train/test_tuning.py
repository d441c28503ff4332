"""A study of trials of a few steps: kept in its file, gone on with, its best settings ready to train with."""

import logging
import math
import tomllib
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from sed.errors import EarwitnessError, SinkError, UsageError
from sed.train import fit
from sed.train.settings import TrainSettings
from sed.train.space import SPACE
from sed.train.studypicture import ENOUGH, draw, importance
from sed.train.tuning import Effort, best, document, finished, opened, tune


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=data, out=tmp_path / "trial.onnx", cache=cache, steps=4, check_every=2, batch=4, seconds=2.0, workers=0,
        valid_scenes=4, scenes=16, average=0.5, bfloat16=False,
    )  # fmt: skip


def test_a_study_goes_on_and_its_best_settings_train(
    settings: TrainSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "studies" / "mine.db"
    with caplog.at_level(logging.INFO):
        tune(settings, file, Effort(2))
        opened(file, settings).ask()  # as if killed in the middle of it
        study = tune(settings, file, Effort(3))
    assert caplog.text.count("mixing 16 scenes") <= 1
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]
    assert len({trial.params["learning_rate"] for trial in finished(study)}) == 3
    assert len(tune(settings, file, Effort(3)).trials) == 4  # they are enough
    text = document(study, {"recipe": "varied", "frontend": {"mels": 64}})
    told = tomllib.loads(text)
    chosen = TrainSettings.model_validate({**settings.model_dump(), **told})
    assert (chosen.recipe, chosen.learning_rate, chosen.units) == ("varied", told["learning_rate"], told["units"])
    again = fit.fit(settings.model_copy(update=best(study)), fit.gather(settings))
    assert min(again.losses) > 0.0
    draw(study, tmp_path / "mine.png")
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")


def test_a_trial_is_its_best_check(settings: TrainSettings, tmp_path: Path) -> None:
    study = tune(settings, tmp_path / "one.db", Effort(1))
    (trial,) = study.trials
    assert list(trial.intermediate_values) == [2, 4]
    seen: dict[int, float] = {}
    fit.fit(settings.model_copy(update=best(study)), fit.gather(settings), seen.__setitem__)
    assert trial.value == min(trial.intermediate_values.values()) == pytest.approx(min(seen.values()), rel=1e-2)


def test_a_hopeless_trial_is_cut_off(settings: TrainSettings, tmp_path: Path) -> None:
    study = opened(tmp_path / "mine.db", settings)
    for _ in range(5):
        study.add_trial(create_trial(value=0.0, intermediate_values={2: 0.0, 4: 0.0}))
    found = tune(settings, tmp_path / "mine.db", Effort(6))
    assert found.trials[-1].state == TrialState.PRUNED
    assert list(found.trials[-1].intermediate_values) == [2]


def test_losses_of_other_runs_are_not_compared(settings: TrainSettings, tmp_path: Path) -> None:
    opened(tmp_path / "mine.db", settings)
    with pytest.raises(UsageError, match=r"mine\.db: was made with steps = 4, now it is 8; take another file"):
        opened(tmp_path / "mine.db", settings.model_copy(update={"steps": 8}))
    opened(tmp_path / "mine.db", settings.model_copy(update={"learning_rate": 1.0, "threads": 2}))


def test_a_study_from_before_a_setting_existed_goes_on(settings: TrainSettings, tmp_path: Path) -> None:
    study = opened(tmp_path / "mine.db", settings)
    kept = study.user_attrs["settings"]
    study.set_user_attr("settings", {name: value for name, value in kept.items() if name != "auxiliary"})
    opened(tmp_path / "mine.db", settings)
    with pytest.raises(UsageError, match=r"was made with auxiliary = \[\], now it is \['typing'\]"):
        opened(tmp_path / "mine.db", settings.model_copy(update={"auxiliary": ("typing",)}))


def test_files_that_are_no_study_are_told(settings: TrainSettings, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello, this is no data base of any kind" * 40)
    with pytest.raises(UsageError, match=r"--study .*text\.db: not a study"):
        opened(tmp_path / "text.db", settings)
    with pytest.raises(SinkError, match="cannot be written"):
        opened(tmp_path / "text.db" / "mine.db", settings)


def test_nothing_is_best_of_nothing(settings: TrainSettings, tmp_path: Path) -> None:
    with pytest.raises(EarwitnessError, match="no trial went to its end"):
        best(opened(tmp_path / "mine.db", settings))


def test_what_matters_is_found() -> None:
    """The loss is made of one setting alone; the other one is there to be told apart from it."""
    study = optuna.create_study()
    scale = {name: FloatDistribution(0.0, 1.0) for name in ("learning_rate", "segments")}
    for n in range(ENOUGH):
        assert importance(study) == {}
        drawn = {"learning_rate": (n * 7 % ENOUGH) / ENOUGH, "segments": (n * 11 % ENOUGH) / ENOUGH}
        study.add_trial(create_trial(params=drawn, distributions=scale, value=drawn["learning_rate"] ** 2))
    shares = importance(study)
    assert list(shares) == ["learning_rate", "segments"]
    assert shares["learning_rate"] > 0.9
    assert set(scale) <= set(SPACE)
    study.add_trial(create_trial(params=drawn, distributions=scale, value=math.inf))  # it did not learn at all
    assert importance(study)["learning_rate"] > 0.9
