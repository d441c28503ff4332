"""`earwitness export` as a user runs it."""

from pathlib import Path

import pytest
import soundfile

from sed.model import OnnxModel
from sed.train.run import checkpoint_path, save, start
from sed.train.settings import TrainSettings
from tests.evaluate.scenefolders import write_folder
from tests.test_cli import earwitness
from tests.toy import write_toy
from tests.train.models import LABELS, write_tiny
from tests.train.sounds import RATE, SOUNDS


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    settings = TrainSettings(data=folder, out=folder / "tiny.onnx", labels=LABELS, units=16, cache=folder)
    save(start(settings), settings)
    return checkpoint_path(settings)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows = ["path,class,split"]
    for label in ("siren", "background"):
        make, _ = SOUNDS[label]
        for number, split in enumerate(("train", "valid")):
            soundfile.write(folder / f"{label}-{split}.wav", make(2.0, number), RATE)
            rows.append(f"{label}-{split}.wav,{label},{split}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_checkpoint_becomes_a_model(checkpoint: Path, tmp_path: Path) -> None:
    labels = [part for label in LABELS for part in ("--label", label)]
    done = earwitness("export", checkpoint, "--out", tmp_path / "m.onnx", *labels)
    assert (done.returncode, done.stderr) == (0, "")
    assert "scores as torch's to 1e-05" in done.stdout
    assert "rules and frontend are assumed" in done.stdout
    written = OnnxModel(tmp_path / "m.onnx").metadata
    assert (written.name, written.labels, written.look_ahead) == ("m", LABELS, 3)
    again = earwitness(
        "export", checkpoint, "-o", tmp_path / "n.onnx", "--like", tmp_path / "m.onnx", "--name", "other"
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert OnnxModel(tmp_path / "n.onnx").metadata.name == "other"


def test_a_model_becomes_integers(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("sed_eval")
    tiny, scenes = write_tiny(tmp_path / "tiny.onnx").path, write_folder(tmp_path / "scenes")
    (scenes / "scenes.tsv").write_text((scenes / "scenes.tsv").read_text().replace("tone", "siren"))
    done = earwitness("export", tiny, "--int8", "--data", data, "--scenes", scenes, "-o", tmp_path / "i.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("in float (", "scores apart from float: at most", "100 frames (1000 ms)", "onset F1 (500 ms)"):
        assert words in done.stdout
    assert done.stdout.splitlines()[-1].startswith(("worth shipping: no, because", "worth shipping: yes, because"))
    written = OnnxModel(tmp_path / "i.onnx").metadata
    assert (written.name, written.labels) == ("tiny-int8", LABELS)
    assert "siren" in written.scores["onset_f1"]


def test_a_checkpoint_becomes_integers_at_once(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    like = write_tiny(tmp_path / "tiny.onnx").path
    done = earwitness("export", checkpoint, "--like", like, "--int8", "--data", data, "-o", tmp_path / "a-int8.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    assert OnnxModel(tmp_path / "a-int8.onnx").metadata.name == "a-int8"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-int8.onnx", "tiny.onnx"]


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (["toy.onnx"], 2, "export toy.onnx: a model file already; --int8 writes it in integers"),
    (["toy.onnx", "--int8"], 2, "export --int8: needs --data DATA, sound to calibrate on"),
    (["toy.onnx", "--int8", "--data", ".", "--calibration", "best"], 2,
     "--calibration best: unknown; choose one of minmax, percentile"),
    (["toy.onnx", "--data", "."], 2, "export: --data is for --int8; add that, or leave --data out"),
    (["run.pt", "--scenes", "."], 2, "export: --scenes is for --int8"),
    (["run.pt", "--calibration", "minmax"], 2, "export: --calibration is for --int8"),
    (["run.pt", "--clips", "64"], 2, "export: --clips is for --int8"),
    (["run.pt", "--seed", "0"], 2, "export: --seed is for --int8"),
    (["toy.onnx", "--int8", "--data", ".", "--like", "toy.onnx"], 2,
     "export toy.onnx: a model file says what its labels are; leave out --like and --label"),
    (["toy.onnx", "--int8", "--data", ".", "--label", "a"], 2, "export toy.onnx: a model file says what its labels"),
    (["run.pt", "--like", "toy.onnx"], 1, "run.pt: has 2 labels, toy has 1; name a model it was trained like"),
    (["run.pt", "--like", "toy.onnx", "--label", "a"], 2,
     "export: --label and --like both say what the labels are; give one of them"),
    (["gone.pt"], 2, "model 'gone.pt': no such file"),
    (["toy.onnx", "--int8", "--data", "."], 1, "clips.csv: no such file"),
])  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, message: str
) -> None:
    write_toy(tmp_path / "toy.onnx")
    (tmp_path / "run.pt").write_bytes(checkpoint.read_bytes())
    monkeypatch.chdir(tmp_path)
    done = earwitness("export", *arguments, "--out", "out.onnx")
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.onnx").exists()
