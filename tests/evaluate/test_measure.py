"""Measured through the real path, with the toy model whose scores can be worked out by hand."""

import numpy as np
import pytest

from sed.evaluate.measure import hits, listen, measure
from sed.evaluate.reference import Recording, Sound
from sed.metadata import Rule
from sed.model import OnnxModel
from tests.toy import bursts, metadata, write_toy

RULES = {"tone": Rule(on=0.5, off=0.4, max_gap=0.2)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("toy") / "toy.onnx", metadata()))


def recording(*spans: tuple[float, float], known: tuple[float, ...] = ()) -> Recording:
    samples = bursts(*spans, seconds=6.0)
    return Recording("r", lambda: samples, tuple(Sound("tone", onset, onset + 0.5) for onset in known))


def test_events_are_where_the_sound_is(model: OnnxModel) -> None:
    told = listen(model, RULES, bursts((1.0, 1.5), (4.0, 5.0), seconds=6.0))
    assert [s.label for s in told] == ["tone", "tone"]
    np.testing.assert_allclose([(s.onset, s.offset) for s in told], [(1.0, 1.5), (4.0, 5.0)], atol=0.13)


def test_one_recording_leaves_nothing_for_the_next(model: OnnxModel) -> None:
    sound = bursts((5.5, 6.0), seconds=6.0)
    assert listen(model, RULES, sound) == listen(model, RULES, sound)


def test_counts_over_recordings(model: OnnxModel) -> None:
    found = measure(model, RULES, [
        recording((1.0, 1.5), (4.0, 4.5), known=(1.2,)),  # one found, one false
        recording((2.0, 2.5), known=(2.0, 5.0)),          # one found, one missed
        recording(),
    ])  # fmt: skip
    counts = found.counts["tone"]
    assert (counts.found, counts.missed, counts.false) == (2, 1, 1)
    assert found.seconds == pytest.approx(18.0)
    assert found.false_per_hour("tone") == pytest.approx(200.0)
    assert found.macro_f1 == pytest.approx(2 / 3)
    summary = found.summary()
    assert summary["macro_f1"] == 0.667
    assert summary["labels"] == {"tone": {"f1": 0.667, "precision": 0.667, "recall": 0.667, "events": 3}}


def test_hits_by_class_of_file(model: OnnxModel) -> None:
    files = [("tone", recording((1.0, 1.5))), ("tone", recording()), ("other", recording((1.0, 1.2), (3.0, 3.2)))]
    found = hits(model, RULES, files)
    assert found["tone"].rate("tone") == 0.5
    assert (found["other"].files, found["other"].rate("tone")) == (1, 1.0)
