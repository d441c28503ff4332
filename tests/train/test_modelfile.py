"""Model files as bytes."""

from pathlib import Path

import onnx
import pytest

from sed.errors import SinkError
from sed.metadata import KEY, Metadata
from sed.train.modelfile import described, write
from tests.toy import metadata, write_toy


def test_metadata_is_replaced_and_what_others_left_is_kept(tmp_path: Path) -> None:
    model = onnx.load(str(write_toy(tmp_path / "toy.onnx")))
    onnx.helper.set_model_props(model, {KEY: "old", "other": "kept"})
    props = onnx.load_from_string(described(model.SerializeToString(), metadata(look_ahead=5))).metadata_props
    found = {entry.key: entry.value for entry in props}
    assert found["other"] == "kept"
    assert Metadata.model_validate_json(found[KEY]).look_ahead == 5
    assert len(props) == 2


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "a", b"1")
    with pytest.raises(SinkError, match="b: cannot be written"):
        write(tmp_path / "deep" / "a" / "b", b"1")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]
