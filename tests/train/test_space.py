"""What is tried can be trained with, and is told as settings are."""

import optuna
import pytest
from optuna.trial import FixedTrial

from sed.train.settings import TrainSettings
from sed.train.space import SPACE, Between, OneOf, as_settings, ask


def ends(knob: Between | OneOf) -> tuple[object, ...]:
    return knob.choices if isinstance(knob, OneOf) else (knob.low, knob.high)


@pytest.mark.parametrize("name", list(SPACE))
def test_training_takes_both_ends_of_every_range_and_every_choice(name: str) -> None:
    middle = {other: ends(knob)[0] for other, knob in SPACE.items()}
    for value in ends(SPACE[name]):
        drawn = ask(FixedTrial({**middle, name: value}))
        settings = TrainSettings.model_validate({"data": "data", "out": "mine.onnx", **drawn})
        told = {**settings.model_dump(), "dropout_before": settings.dropout[0], "dropout_after": settings.dropout[1]}
        assert told[name] == value


def test_numbers_are_told_with_three_digits_and_dropout_as_a_pair() -> None:
    drawn = {"learning_rate": 0.00123456, "units": 96, "dropout_before": 0.12345, "dropout_after": 0.5}
    assert as_settings(drawn) == {"learning_rate": 0.00123, "units": 96, "dropout": (0.123, 0.5)}


def test_optuna_asks_within_the_ranges() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    rates = [ask(study.ask())["learning_rate"] for _ in range(200)]
    knob = SPACE["learning_rate"]
    assert isinstance(knob, Between)
    assert knob.low <= min(rates) < 2 * knob.low < knob.high / 2 < max(rates) <= knob.high
