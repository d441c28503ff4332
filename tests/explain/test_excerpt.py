"""The frames of a place are those that the scan has heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.explain import excerpt
from sed.explain.excerpt import Place, place, read
from sed.explain.finding import Finding
from sed.explain.streams import Streams
from sed.frontend import log_mel
from sed.model import OnnxModel
from sed.signals import Floats, Frames, Scores
from tests.toy import RATE, bursts, metadata, write_toy

META = metadata()


def scores(rows: int) -> Scores:
    values = np.zeros((rows, 1), np.float32)
    values[150] = 0.9
    return Scores(0, 640, values, 0)


@pytest.mark.parametrize(
    ("onset", "offset", "rows", "focus"),
    [
        (4.0, 4.4, range(62, 135), range(100, 110)),  # 1.5 s before, 1 s after, rounded to rows
        (0.0, 0.4, range(35), range(10)),  # at the beginning
        (39.6, 40.0, range(952, 1000), range(990, 1000)),  # at the end
        (4.0, 24.0, range(62, 325), range(100, 300)),  # longer than is shown: around the peak, as far as it goes
        (2.0, 24.0, range(12, 275), range(50, 250)),
    ],
)
def test_place(onset: float, offset: float, rows: range, focus: range) -> None:
    found = place(Finding("tone", onset, offset, 0.9), scores(1000), 0, META)
    assert (found.rows, found.focus) == (rows, focus)


def test_read_gives_lead_frames_and_look_ahead(tmp_path: Path) -> None:
    sound = bursts((1.0, 1.5), seconds=6.0)
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    whole = log_mel(sound, META.frontend)
    got = read(str(tmp_path / "a.wav"), 0, META, Place(range(50, 80), range(60, 70)))
    np.testing.assert_allclose(got.lead, whole[:200], atol=1e-3)
    np.testing.assert_allclose(got.frames, whole[200 : 320 + 8], atol=1e-3)


def test_the_lead_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpt, "LEAD", 1.0)
    sound = bursts((1.0, 1.5), seconds=6.0)
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    got = read(str(tmp_path / "a.wav"), 0, META, Place(range(75, 100), range(80, 90)))
    np.testing.assert_allclose(got.lead, log_mel(sound, META.frontend)[200:300], atol=1e-3)


def test_where_the_recording_ends_its_last_frame_goes_on(tmp_path: Path) -> None:
    sound: Floats = bursts((1.0, 1.5), seconds=2.01)
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    model = OnnxModel(write_toy(tmp_path / "toy.onnx"))
    whole = log_mel(sound, META.frontend)
    streamed = np.concatenate((model.step(Frames(0, 160, whole)).values, model.flush().values))
    got = read(str(tmp_path / "a.wav"), 0, META, Place(range(30, len(streamed)), range(40, 50)))
    assert got.frames.shape == ((len(streamed) - 30 + 2) * 4, 64)
    streams = Streams(model)
    streams.lead(got.lead)
    np.testing.assert_allclose(streams.scores(got.frames[None])[0, 2:], streamed[30:], atol=1e-6)
