"""Occlusion on models of which it is known what they listen to."""

from pathlib import Path

import numpy as np
import pytest

from sed.explain.evidence import Evidence, Patch, gather, silenced, tile
from sed.explain.excerpt import Excerpt, Place
from sed.explain.streams import Streams
from sed.model import OnnxModel
from sed.signals import Floats
from tests.toy import metadata, write_toy

QUIET, LOUD = -90.0, -50.0
BURST = slice(120, 160)  # frames: rows 30 to 40


def sound(frames: int = 300) -> Floats:
    values = np.full((frames, 64), QUIET, np.float32)
    values[BURST] = LOUD
    return values


def explain(tmp_path: Path, frames: Floats, weights: Floats | None = None) -> tuple[Evidence, list[float]]:
    meta = metadata(look_ahead=0)
    model = OnnxModel(write_toy(tmp_path / "toy.onnx", meta, weights=weights))
    excerpt = Excerpt(Place(range(25, 25 + len(frames) // 4), range(56, 65)), frames[:0], frames)
    heard: list[float] = []
    return gather(Streams(model), excerpt, 0, meta, heard.append), heard


def weights(up: slice) -> Floats:
    """Only these bands count."""
    counts = np.zeros(64, np.float32)
    counts[up] = 64 / len(counts[up])
    return counts


def test_evidence_lies_where_the_burst_is(tmp_path: Path) -> None:
    evidence, heard = explain(tmp_path, sound())
    assert evidence.cell == (6, 4)
    assert evidence.falls.shape == (50, 16)
    times = np.arange(50) * 6
    inside = (times >= BURST.start) & (times + 6 <= BURST.stop)
    outside = (times + 12 <= BURST.start - 6) | (times >= BURST.stop + 6)
    assert evidence.falls[inside].min() > 0.05
    assert np.abs(evidence.falls[outside]).max() < 1e-4
    np.testing.assert_allclose(
        evidence.falls, np.repeat(evidence.falls[:, :1], 16, axis=1), atol=1e-3
    )  # all bands count
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_a_fall_is_what_arithmetic_says(tmp_path: Path) -> None:
    """12 frames x 8 bands go 40 dB down; rows 31 to 40 hear all of it twice: mean log-odds over nine rows."""
    evidence, _ = explain(tmp_path, sound())
    share = 12 * 8 / (4 * 64)  # of one row's mean
    assert evidence.falls[24].max() == pytest.approx(40.0 * share / 5.0 / 9, rel=1e-3)  # each row speaks in two levels


def test_evidence_lies_in_the_bands_that_the_model_hears(tmp_path: Path) -> None:
    evidence, _ = explain(tmp_path, sound(), weights(up=slice(24, 32)))
    heard = evidence.falls[24]
    assert heard.argmax() in {6, 7}
    assert heard[[6, 7]].min() > 0.3 * heard.max()
    assert np.abs(heard[[*range(5), *range(9, 16)]]).max() < 1e-4
    assert evidence.strongest.bands == slice(24, 32)
    assert evidence.without < evidence.score


def test_what_speaks_against_a_label_lies_below_zero(tmp_path: Path) -> None:
    heard = 2.0 * weights(up=slice(8, 16)) - weights(up=slice(40, 48))  # -50 dB in the burst, -90 dB elsewhere
    evidence, _ = explain(tmp_path, sound(), heard.astype(np.float32))
    assert evidence.falls[24, 2:4].min() > 0.1
    assert evidence.falls[24, 10:12].max() < -0.1
    assert evidence.strongest.bands == slice(8, 16)


def test_where_the_score_is_as_good_as_zero_nothing_counts(tmp_path: Path) -> None:
    hiss = np.random.default_rng(3).normal(QUIET, 3.0, (300, 64)).astype(np.float32)
    evidence, _ = explain(tmp_path, hiss)
    assert evidence.score < 0.01
    assert not evidence.falls.any()


def test_silenced_turns_only_down_and_only_inside() -> None:
    frames, quiet = sound(), np.linspace(-100.0, -70.0, 64, dtype=np.float32)
    patch = Patch(slice(110, 130), slice(8, 16))
    changed = silenced(frames, patch, quiet)
    np.testing.assert_array_equal(changed[120:130, 8:16], np.broadcast_to(quiet[8:16], (10, 8)))
    np.testing.assert_array_equal(changed[110:120, 8:16], np.broadcast_to(np.minimum(QUIET, quiet[8:16]), (10, 8)))
    changed[110:130, 8:16] = frames[110:130, 8:16]
    np.testing.assert_array_equal(changed, frames)


@pytest.mark.parametrize("frames", [4, 11, 12, 13, 300])
@pytest.mark.parametrize("mels", [4, 40, 64])
def test_patches_cover_everything(frames: int, mels: int) -> None:
    cell = (6, max(1, round(mels / 16)))
    shape, patches = tile(frames, mels, cell)
    covered = np.zeros((frames, mels), int)
    for patch in patches:
        covered[patch.frames, patch.bands] += 1
    assert covered.min() >= 1
    assert covered.max() <= 4
    assert len(patches) == shape[0] * shape[1]
