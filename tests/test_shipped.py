"""The shipped model as it ships: its size and look-ahead, its streaming, and real recordings of the test split."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sed.frontend import LogMel, log_mel
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.scan import Scanner
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Floats, Frames
from tests.test_frontend import cut
from tests.toy import RATE

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings in {DATA}")


@pytest.fixture(scope="module")
def model() -> OnnxModel:
    return OnnxModel(model_path(DEFAULT_MODEL))


def chirps(seconds: float) -> Floats:
    """Something with structure at every scale: a swept tone in bursts over noise."""
    t = np.arange(round(seconds * RATE)) / RATE
    sweep = np.sin(2 * np.pi * (600 * t + 200 * np.sin(2 * np.pi * 0.5 * t))) * (np.sin(2 * np.pi * 3 * t) > 0)
    sound: Floats = (0.2 * sweep + np.random.default_rng(7).normal(0.0, 0.01, len(t))).astype(np.float32)
    return sound


def test_what_is_promised_of_the_file(model: OnnxModel) -> None:
    metadata = model.metadata
    assert model.path.stat().st_size < 3_000_000
    assert set(metadata.labels) >= {"siren", "gun_shot", "glass_break"}
    assert metadata.look_ahead * metadata.period <= 0.2
    assert metadata.name == DEFAULT_MODEL
    assert metadata.training["command"].startswith("earwitness train --config models/earwitness-1.toml --data ")
    assert metadata.scores["test"]


SOUND = chirps(6.0)


@given(sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=15))
@hypothesis_settings(max_examples=40)
def test_streaming_equals_offline_for_every_chunking(model: OnnxModel, sizes: list[int]) -> None:
    """From samples to scores, to 1e-5."""
    settings = model.metadata.frontend
    model.reset()
    offline = np.concatenate(
        [model.step(Frames(0, settings.hop, log_mel(SOUND, settings))).values, model.flush().values]
    )
    frontend = LogMel(settings)
    rows = [model.step(frontend.push(block)).values for block in cut(SOUND, sizes)]
    np.testing.assert_allclose(np.concatenate([*rows, model.flush().values]), offline, atol=1e-5)


def test_the_card_tells_the_scores_of_this_file(model: OnnxModel) -> None:
    """models/README.md was written for the file beside it: same hash, same command."""
    import hashlib

    card = (ROOT / "models" / "README.md").read_text()
    assert hashlib.sha256(model.path.read_bytes()).hexdigest() in card
    assert model.metadata.training["command"] in card


@needs_data
def test_most_recordings_of_the_test_split_are_found(model: OnnxModel) -> None:
    """At least half of the files of each label that alerts tell it, as `earwitness detect` would."""
    with (DATA / "clips.csv").open() as file:
        alerts = alerting(model.metadata.rules)
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and row["class"] in alerts]
    scanner = Scanner(model, model.metadata.rules)
    found: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        scan = scanner.scan(str(DATA / row["path"]))
        assert scan.error is None
        found[row["class"]].append(row["class"] in {d.label for d in scan.detections})
    rates = {label: sum(hits) / len(hits) for label, hits in found.items()}
    assert all(rate > 0.5 for rate in rates.values()), rates


def test_the_readme_shows_what_the_model_says(model: OnnxModel) -> None:
    """The example event of the README is of this model."""
    found = re.search(r'"model": "([^"]+)"', (ROOT / "README.md").read_text())
    assert found is not None
    assert found[1] == model.metadata.name
