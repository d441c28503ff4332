"""The simple classifiers learn, and the same seed learns the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sed.train.baselines import BASELINES, Baseline, train
from sed.train.clips import Clip
from sed.train.clipset import COEFFICIENTS, FRAMES, Examples, gather
from sed.train.library import Library

LABELS = ("siren", "gun_shot", "glass_break")


@pytest.fixture(scope="module")
def examples(library: Library, clips: list[Clip]) -> Examples:
    return gather(library, clips, "train", LABELS, None, 0)


def test_dense_layers_tell_apart_what_they_have_learnt(examples: Examples) -> None:
    short = replace(BASELINES[0], steps=150)
    found = train(short, examples, 3, 0)(examples)
    assert found.shape == (6, 3)
    assert found[:3].argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found, train(short, examples, 3, 0)(examples))
    assert not np.array_equal(found, train(short, examples, 3, 1)(examples))


@pytest.mark.parametrize("baseline", BASELINES[1:], ids=lambda baseline: baseline.name)
def test_convolutions_score_every_clip(baseline: Baseline, examples: Examples) -> None:
    state = torch.random.get_rng_state()
    found = train(replace(baseline, steps=2), examples, 3, 0)(examples)
    assert found.shape == (6, 3)
    assert ((found >= 0) & (found <= 1)).all()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_they_are_those_that_were_asked_for() -> None:
    dense, two, four = (baseline.make(4) for baseline in BASELINES)
    linear = [m.out_features for m in dense.modules() if isinstance(m, torch.nn.Linear)]
    assert linear == [100, 200, 100, 4]
    assert [m.p for m in dense.modules() if isinstance(m, torch.nn.Dropout)] == [0.5, 0.5, 0.5]
    assert [sum(isinstance(m, torch.nn.Conv2d) for m in made.modules()) for made in (two, four)] == [2, 4]
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in four.modules()) == 4
    assert dense(torch.zeros(2, COEFFICIENTS)).shape == two(torch.zeros(2, 1, FRAMES, 64)).shape == (2, 4)
