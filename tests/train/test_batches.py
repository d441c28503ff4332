"""Rows to be learnt, and frames through other microphones."""

import numpy as np
import pytest
import torch

from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.train.batches import Grid, Scenes, loader, rows
from sed.train.clips import Clip
from sed.train.library import Library
from sed.train.marks import Mark
from sed.train.recipe import TRAINING
from sed.train.scenes import Mixer

LABELS = ("siren", "gun_shot")
GRID = Grid(FrontendSettings(), LABELS, stride=4, look_ahead=3, seconds=2.0)
HOP = 640


def column(marks: list[Mark], doubts: list[Mark] | None = None, label: int = 1) -> tuple[list[int], list[float]]:
    target, weight = rows(marks, doubts or [], GRID)
    return np.flatnonzero(target[:, label]).tolist(), weight[:, label].tolist()


@pytest.mark.parametrize(("onset", "offset", "expected"), [
    (10 * HOP, 12 * HOP, [13, 14]),              # rows lag by the look-ahead
    (10 * HOP + 100, 12 * HOP - 100, [13, 14]),  # mostly filled rows count
    (10 * HOP + 600, 12 * HOP + 40, [14]),       # barely touched ones do not
    (10 * HOP, 10 * HOP + 20, [13]),             # but an event never has none
    (48 * HOP, 60 * HOP, []),                    # what the network cannot tell any more
    (0, HOP, [3]),
])  # fmt: skip
def test_rows_of_an_event(onset: int, offset: int, expected: list[int]) -> None:
    assert column([Mark("gun_shot", onset, offset)])[0] == expected


def test_rows_before_the_first_sample_count_nothing() -> None:
    _, weight = column([])
    assert weight == [0.0] * 3 + [1.0] * 47


def test_doubtful_rows_count_less_unless_the_event_is_there() -> None:
    doubt = Mark("gun_shot", 10 * HOP, 14 * HOP, 0.25)
    _, weight = column([Mark("gun_shot", 11 * HOP, 12 * HOP)], [doubt])
    assert weight[12:18] == [1.0, 0.25, 1.0, 0.25, 0.25, 1.0]
    assert column([], [doubt], label=0)[1][12:18] == [1.0] * 6


def test_a_scene_has_the_frames_of_the_runtime(library: Library, clips: list[Clip]) -> None:
    mixer = Mixer(library, clips, "train", LABELS, TRAINING)
    scenes = Scenes(mixer, GRID, seed=0, first=5, count=3)
    frames, target, weight = scenes[1]
    assert frames.shape == (200, 64)
    assert target.shape == weight.shape == (50, 2)
    np.testing.assert_array_equal(frames, log_mel(mixer.scene((0, 6), GRID.samples).samples, GRID.frontend))


def test_batches_come_in_order(library: Library, clips: list[Clip]) -> None:
    scenes = Scenes(Mixer(library, clips, "train", LABELS, TRAINING), GRID, 0, 0, 4)
    first, second = loader(scenes, 2, 0)
    torch.testing.assert_close(first[0][1], scenes[1][0])
    torch.testing.assert_close(second[1][0], scenes[2][1])
