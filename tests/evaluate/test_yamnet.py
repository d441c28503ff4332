"""YAMNet's file: windows, classes, and what is refused; the real one where it is."""

from pathlib import Path

import numpy as np
import pytest

from sed.errors import ModelError, UsageError
from sed.evaluate.yamnet import CLASS_MAP, ROWS, STEP, WINDOW, Yamnet
from tests.evaluate.peers import LoudInterpreter, write_peer
from tests.toy import RATE, bursts
from tests.train.sounds import noise, wail

REAL = Path(__file__).parents[3] / "shared" / "peers" / "yamnet.tflite"


def test_windows_cover_the_whole_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Yamnet(write_peer(tmp_path, monkeypatch))
    for samples, count in ((1, 1), (WINDOW, 1), (WINDOW + 1, 2), (WINDOW + STEP, 2), (WINDOW + STEP + 1, 3)):
        assert len(peer.windows(np.zeros(samples, np.float32))) == count
    loud = peer.best(peer.windows(bursts((1.0, 1.4), seconds=3.0)), ["Glass"])
    expected = [n for n in range(len(loud)) if n * STEP < 1.4 * RATE and n * STEP + WINDOW > 1.0 * RATE]
    assert list(np.flatnonzero(loud > 0.01)) == expected


def test_the_highest_class_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Yamnet(write_peer(tmp_path, monkeypatch))
    windows = peer.windows(bursts((0.0, 1.0), seconds=1.0))
    siren, police, both = (
        peer.best(windows, names)[0] for names in (["Siren"], ["Police car (siren)"], ROWS["siren"][1])
    )
    assert siren == pytest.approx(police / 2)
    assert both == police == pytest.approx(0.5, abs=0.01)


def test_the_same_sound_is_heard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Yamnet(write_peer(tmp_path, monkeypatch))
    first = peer.windows(bursts((0.5, 0.7), seconds=0.9))
    assert peer.windows(bursts((0.5, 0.7), seconds=0.9)) is first
    assert LoudInterpreter.invoked == 1


def test_without_litert_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name.split(".")[0])

    path = write_peer(tmp_path, monkeypatch)
    monkeypatch.setattr("sed.evaluate.yamnet.importlib.import_module", absent)
    with pytest.raises(UsageError, match=r"^--yamnet: needs ai_edge_litert; pip install 'earwitness\[bench\]'$"):
        Yamnet(path)


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_peer(tmp_path, monkeypatch)
    with pytest.raises(ModelError, match=r"no\.tflite: no such model file"):
        Yamnet(tmp_path / "no.tflite")
    with monkeypatch.context() as other:
        other.setattr(LoudInterpreter, "shapes", ((1, 96, 64), (1, 521)))
        with pytest.raises(ModelError, match=r"not YAMNet: need 15600 samples -> 521 scores, it has \[1, 96, 64\]"):
            Yamnet(path)
    path.write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"not a model that LiteRT can open \(Model provided has .* 'nois'\)$"):
        Yamnet(path)


def test_a_class_map_that_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_peer(tmp_path, monkeypatch)
    names = tmp_path / CLASS_MAP
    names.write_text(names.read_text().replace("Shatter", "Scatter"))
    with pytest.raises(ModelError, match="names no class 'Shatter'"):
        Yamnet(path)
    names.unlink()
    with pytest.raises(ModelError, match="class map has to lie beside it"):
        Yamnet(path)


def test_the_real_one_tells_a_wail_from_noise() -> None:
    pytest.importorskip("ai_edge_litert", reason="no LiteRT: pip install 'earwitness[bench]'")
    if not REAL.is_file():
        pytest.skip(f"no YAMNet: {REAL} is absent")
    peer = Yamnet(REAL)
    sirens, noises = (peer.best(peer.windows(sound), ROWS["siren"][0]).max() for sound in (wail(3.0, 0), noise(3.0, 0)))
    assert sirens > 10 * noises
