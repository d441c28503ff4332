"""From float to integers: what is written, what it says of itself, and when nothing is written."""

import hashlib
from pathlib import Path

import pytest

from sed.errors import ModelError
from sed.model import OnnxModel
from sed.train import conversion
from sed.train.conversion import Integers, convert
from tests.train.models import tiny_metadata, write_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "TIMED", 120)


def test_the_new_file_says_what_it_was_made_of_and_claims_no_old_scores(
    tiny: OnnxModel, data: Path, tmp_path: Path
) -> None:
    found = convert(tiny, tmp_path / "deep" / "m.onnx", Integers(data, clips=4, seed=2))
    written = OnnxModel(tmp_path / "deep" / "m.onnx").metadata
    assert (written.name, written.scores) == ("tiny-int8", {})
    assert written.rules == tiny_metadata().rules
    assert written.training["steps"] == 5
    made = written.training["quantised"]
    assert made["of"] == "tiny"
    assert made["sha256"] == hashlib.sha256(tiny.path.read_bytes()).hexdigest()
    assert made["calibration"]["clips"] == 4
    assert found.bytes[1] < found.bytes[0]
    assert found.chunking <= 1e-5
    assert 0.0 < found.apart.mean < found.apart.most
    assert [cost.frames for cost in found.costs] == [4, 12, 100, 10]
    assert all(cost.first > 0.0 and cost.second > 0.0 for cost in found.costs)
    assert not found.verdict.worth
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["m.onnx"]


def test_a_file_that_depends_on_the_chunking_is_not_written(
    tiny: OnnxModel, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "chunking_error", lambda model, recordings: 0.16)
    with pytest.raises(ModelError, match=r"not written, its scores depend on the chunking by 1\.6e-01"):
        convert(tiny, tmp_path / "m.onnx", Integers(data, clips=4))
    assert list(tmp_path.iterdir()) == []
