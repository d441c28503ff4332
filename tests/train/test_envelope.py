"""Events cut from the energy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sed.signals import Floats
from sed.train.envelope import CUTS, envelope, events

RATE = 16_000


def sound(*bursts: tuple[float, float, float], seconds: float = 4.0, hiss: float = 1e-4) -> Floats:
    """White noise of the given RMS between onset and offset, over a hiss."""
    rng = np.random.default_rng(1)
    out = hiss * rng.standard_normal(round(seconds * RATE))
    for onset, offset, rms in bursts:
        first, last = round(onset * RATE), round(offset * RATE)
        out[first:last] += rms * rng.standard_normal(last - first)
    return out.astype(np.float32)


def spans(samples: Floats, label: str) -> list[tuple[float, float]]:
    return [(a / RATE, b / RATE) for a, b in events(samples, RATE, CUTS[label])]


@pytest.mark.parametrize(("label", "samples", "expected"), [
    ("gun_shot", sound((1.0, 1.3, 0.1)), [(1.0, 1.3)]),
    ("gun_shot", sound((1.0, 1.01, 0.1)), [(1.0, 1.08)]),                        # dry and close: one frame, stretched
    ("gun_shot", sound((1.0, 1.2, 0.1), (2.0, 2.2, 0.1)), [(1.0, 1.2), (2.0, 2.2)]),  # two shots
    ("gun_shot", sound((1.0, 1.1, 0.1), (1.3, 1.4, 0.1)), [(1.0, 1.4)]),         # a burst of fire is one event
    ("gun_shot", sound((1.0, 1.2, 0.1), (2.5, 2.7, 0.013)), [(1.0, 1.2)]),       # a case that drops is no shot
    ("glass_break", sound((0.5, 1.0, 0.1), (1.4, 1.6, 0.05)), [(0.5, 1.6)]),     # shards go on falling
    ("siren", sound((0.0, 1.5, 0.1), (2.2, 4.0, 0.1)), [(0.0, 4.0)]),            # a wail takes breath
    ("siren", sound((0.0, 4.0, 0.1)), [(0.0, 4.0)]),
])  # fmt: skip
def test_events(label: str, samples: Floats, expected: list[tuple[float, float]]) -> None:
    np.testing.assert_allclose(spans(samples, label), expected, atol=0.0101)


@given(
    samples=st.lists(st.floats(-1.0, 1.0, width=32), max_size=400).map(
        lambda v: np.repeat(np.array(v, np.float32), 20)
    ),
    label=st.sampled_from(sorted(CUTS)),
)
def test_any_clip_has_at_least_one_event_in_order(samples: Floats, label: str) -> None:
    found = events(samples, RATE, CUTS[label])
    assert found
    assert all(a < b for a, b in found)
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(found))


def test_the_envelope_of_silence_is_its_floor() -> None:
    assert envelope(np.zeros(1600, np.float32), RATE).tolist() == pytest.approx([-100.0] * 10)
