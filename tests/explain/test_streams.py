"""Many streams in one call give what each gives alone."""

from pathlib import Path

import numpy as np
import pytest

from sed.explain.streams import Streams
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Floats, Frames
from tests.toy import write_toy


@pytest.fixture(params=["toy", DEFAULT_MODEL])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path / "toy.onnx") if request.param == "toy" else model_path(request.param))


def frames(model: OnnxModel, *shape: int) -> Floats:
    values = np.random.default_rng(1).normal(-60.0, 12.0, (*shape, model.metadata.frontend.mels))
    return values.astype(np.float32)


def alone(model: OnnxModel, *parts: Floats) -> Floats:
    """What one stream gives for the last part, `look_ahead` rows late."""
    model.reset()
    rows = [model.step(Frames(0, 160, part)).values for part in parts]
    assert len(rows[-1]) == len(parts[-1]) // model.metadata.stride - (
        model.metadata.look_ahead if len(parts) == 1 else 0
    )
    return rows[-1]


def test_without_a_lead_every_stream_begins_at_zero(model: OnnxModel) -> None:
    variants = frames(model, 5, 200)
    together = Streams(model).scores(variants)
    late = model.metadata.look_ahead
    for n, variant in enumerate(variants):
        np.testing.assert_allclose(together[n, late:], alone(model, variant), atol=1e-6)


def test_every_stream_goes_on_from_the_lead(model: OnnxModel) -> None:
    lead, variants = frames(model, 120), frames(model, 7, 100)
    streams = Streams(model)
    streams.lead(lead)
    together = streams.scores(variants)
    for n, variant in enumerate(variants):
        np.testing.assert_allclose(together[n], alone(model, lead, variant), atol=1e-6)
    np.testing.assert_array_equal(streams.scores(variants), together)  # scoring leaves no trace


def test_an_empty_lead_changes_nothing(model: OnnxModel) -> None:
    streams, variants = Streams(model), frames(model, 2, 40)
    before = streams.scores(variants)
    streams.lead(frames(model, 0))
    np.testing.assert_array_equal(streams.scores(variants), before)
