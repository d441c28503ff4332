"""Model files that are none, and metadata that lie: refused in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import ModelError
from sed.model import OnnxModel
from sed.signals import Frames
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.toy import metadata, write_toy

DOCUMENT = json.loads(metadata().model_dump_json())
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.just({})
)


def opened(path: Path) -> OnnxModel | None:
    try:
        model = OnnxModel(path)
    except ModelError as error:
        one_line(error, f"{path}: ")
        return None
    return model


def test_metadata_with_a_value_in_the_place_of_another(tmp_path: Path) -> None:
    @fuzzed(30)
    @given(st.data(), VALUES)
    def read(data: st.DataObject, value: Any) -> None:
        document: Any = json.loads(json.dumps(DOCUMENT))
        inner = document
        while True:
            key = data.draw(st.sampled_from(sorted(inner)))
            if not isinstance(inner[key], dict) or not inner[key] or data.draw(st.booleans()):
                break
            inner = inner[key]
        inner[key] = value
        opened(write_toy(tmp_path / "toy.onnx", document=json.dumps(document)))

    read()


def test_metadata_that_are_no_document(tmp_path: Path) -> None:
    @fuzzed(20)
    @given(spoilt(json.dumps(DOCUMENT).encode()))
    def read(data: bytes) -> None:
        opened(write_toy(tmp_path / "toy.onnx", document=data.decode("utf-8", "replace")))

    read()


def test_spoilt(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "toy.onnx")
    whole = path.read_bytes()
    assert opened(path) is not None

    @fuzzed(40)
    @given(spoilt(whole))
    def read(data: bytes) -> None:
        path.write_bytes(data)
        model = opened(path)
        if model is not None and model.metadata.frontend.mels <= 128:
            mels = model.metadata.frontend.mels
            model.step(Frames(0, 160, np.zeros((8, mels), np.float32)))

    read()
