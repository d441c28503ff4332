"""The streaming model: any chunking, the look-ahead, and files that must be refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from sed.errors import ModelError
from sed.model import OnnxModel, step_all
from sed.signals import Floats, Frames
from tests.toy import metadata, write_toy

MELS = np.random.default_rng(3).normal(-60.0, 10.0, (203, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(write_toy(tmp_path_factory.mktemp("model") / "toy.onnx"))


def stream(model: OnnxModel, sizes: list[int], start: int = 0) -> Floats:
    """The scores of MELS handed over in chunks of `sizes` frames, with their times checked."""
    model.reset()
    rows: list[Floats] = []
    at, n, expected = 0, 0, start
    while at <= len(MELS):
        chunk = MELS[at : at + sizes[n % len(sizes)]]
        scores = model.step(Frames(start + at * 160, 160, chunk)) if len(chunk) else model.flush()
        assert scores.start == expected or len(scores.values) == 0
        expected += scores.hop * len(scores.values)
        rows.append(scores.values)
        at, n = at + max(1, len(chunk)), n + 1
    return np.concatenate(rows)


def by_hand() -> Floats:
    """The toy's formula, row by row; the last frame goes on for the look-ahead."""
    frames = np.concatenate((MELS, np.repeat(MELS[-1:], 1 + 2 * 4, axis=0)))
    levels = frames.reshape(-1, 4 * 64).mean(axis=1) + 100.0
    before = np.concatenate(([0.0], levels[:-1]))
    rows: Floats = (1.0 / (1.0 + np.exp(-((levels + before) / 2 - 40.0) / 5.0)))[2:, None].astype(np.float32)
    return rows


@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=20))
def test_chunking_does_not_change_the_scores(toy: OnnxModel, sizes: list[int]) -> None:
    np.testing.assert_allclose(stream(toy, sizes), by_hand(), atol=1e-5)


def test_streams_of_one_session_do_not_hear_each_other(toy: OnnxModel) -> None:
    first, second = toy.another(), toy.another()
    assert first.session is second.session is toy.session
    rows: list[Floats] = []
    for at in range(0, len(MELS), 29):  # at odds with the stride, so that each holds frames back
        rows.append(first.step(Frames(at * 160, 160, MELS[at : at + 29])).values)
        second.step(Frames(at * 160, 160, MELS[at : at + 7]))
    np.testing.assert_allclose(np.concatenate([*rows, first.flush().values]), by_hand(), atol=1e-5)


def test_every_row_of_sound_gets_a_score(toy: OnnxModel) -> None:
    assert len(stream(toy, [50])) == -(-len(MELS) // 4)


def test_rows_follow_the_frames_time(toy: OnnxModel) -> None:
    stream(toy, [17], start=48_000)


def test_scores_say_how_far_ahead_they_heard(toy: OnnxModel) -> None:
    toy.reset()
    assert toy.step(Frames(0, 160, MELS)).ahead == 2 * 640 + 512 - 160


def test_reset_forgets(toy: OnnxModel) -> None:
    first = stream(toy, [30])
    toy.step(Frames(0, 160, MELS[:50]))
    np.testing.assert_array_equal(stream(toy, [30]), first)


def test_flush_without_sound_is_empty(toy: OnnxModel) -> None:
    toy.reset()
    assert toy.flush().values.shape == (0, 1)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: no such model file"):
        OnnxModel(tmp_path / "none.onnx")


@pytest.mark.parametrize("content", [b"", b"RIFF not a model", bytes(5000)])
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx: not a model that ONNX Runtime can open") as caught:
        OnnxModel(path)
    assert "\n" not in str(caught.value)


def test_without_metadata(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"toy\.onnx: no metadata under the key 'earwitness'"):
        OnnxModel(write_toy(tmp_path / "toy.onnx", document=None))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r"metadata: document: Invalid JSON"),
        ("{}", r"metadata: name: Field required"),
        (
            metadata().model_dump_json().replace('"stride":4', '"stride":0'),
            r"metadata: stride: .*greater than or equal",
        ),
        (
            metadata().model_dump_json().replace('"on":0.5', '"on":1.5'),
            r"metadata: rules\.tone\.on: .*less than or equal",
        ),
        (metadata().model_dump_json().replace('{"tone":', '{"dog":'), r"rules for \['dog'\], labels are \['tone'\]"),
    ],
)
def test_metadata_that_does_not_hold(tmp_path: Path, document: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        OnnxModel(write_toy(tmp_path / "toy.onnx", document=document))


def test_labels_that_contradict_the_graph(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the graph gives 3 labels, its metadata names 1 \(tone\)"):
        OnnxModel(write_toy(tmp_path / "toy.onnx", labels=3))


def test_mels_that_contradict_the_graph(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the graph expects 40 mels, its metadata says 64"):
        OnnxModel(write_toy(tmp_path / "toy.onnx", mels=40))


def test_another_graph(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "toy.onnx")
    model = onnx.load(path)
    one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    two = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "other", [one], [two])
    model.graph.CopyFrom(graph)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"need frames, state_\* -> scores, next_state_\*; the graph has x -> y"):
        OnnxModel(path)


def test_nothing_is_told_to_the_maker_of_the_runtime(tmp_path: Path) -> None:
    """ONNX Runtime's telemetry leaves an identifier in the temporary folder when it is on."""
    path = write_toy(tmp_path / "toy.onnx")
    (tmp_path / "home").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORT_") and k != "CI"}
    environment |= {"TMPDIR": str(tmp_path / "home"), "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    code = f"from pathlib import Path; from sed.model import OnnxModel; OnnxModel(Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path / "home")
    assert list((tmp_path / "home").rglob("*")) == []


def test_runs_are_counted_for_each_stream_and_a_run_for_two_is_shared(toy: OnnxModel) -> None:
    one, other = toy.another(), toy.another()
    frames = Frames(0, 160, MELS[:40])
    one.step(frames)
    alone = one.seconds
    assert (one.runs, other.runs, other.seconds) == (1, 0, 0.0)
    step_all([one, other], [frames, frames])
    assert (one.runs, other.runs) == (2, 1)
    assert one.seconds - alone == pytest.approx(other.seconds)
    other.step(Frames(0, 160, MELS[:0]))
    assert other.runs == 1  # nothing to run
