"""How much more a short event counts, beside a slow count of its rows."""

from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sed.train.brevity import LEAST, MOST, ROWS, brevity

TARGETS = arrays(np.float32, st.tuples(st.just(2), st.integers(1, 150), st.just(2)), elements=st.sampled_from((0, 1)))


def slow(column: npt.NDArray[np.float32], power: float) -> list[float]:
    """One label of one scene, event by event."""
    weights: list[float] = []
    for value, rows in groupby(column.tolist()):
        length = len(list(rows))
        weights += [float(np.clip((ROWS / length) ** power, LEAST, MOST)) if value else 1.0] * length
    return weights


@given(target=TARGETS, power=st.sampled_from((0.0, 0.5, 1.0)))
def test_every_row_counts_by_the_length_of_its_event(target: npt.NDArray[np.float32], power: float) -> None:
    found = brevity(torch.from_numpy(target), power).numpy()
    for scene in range(target.shape[0]):
        for label in range(target.shape[2]):
            np.testing.assert_allclose(found[scene, :, label], slow(target[scene, :, label], power), rtol=1e-5)


def test_a_shot_counts_more_than_a_siren() -> None:
    target = torch.zeros(1, 250, 2)
    target[0, 10:18, 0] = target[0, 20:220, 1] = 1.0
    weights = brevity(target, 0.5)
    assert weights[0, 12, 0] == 2.5
    assert weights[0, 100, 1] == 0.5
    assert (brevity(target, 0.0) == 1.0).all()
