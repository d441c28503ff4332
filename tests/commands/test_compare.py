"""`earwitness compare` with a stand-in for YAMNet, and as a user runs it wrongly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sed.commands import compare
from sed.config import Config
from sed.errors import ModelError, SinkError, UsageError
from sed.evaluate.tune import Budget
from sed.evaluate.yamnet import ROWS
from tests.evaluate.peers import write_peer
from tests.evaluate.scenefolders import write_folder
from tests.test_cli import earwitness
from tests.toy import metadata, write_toy


@pytest.fixture
def toy(tmp_path: Path) -> Config:
    return Config(model=str(write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, max_gap=0.2))))


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> compare.Peer:
    monkeypatch.setitem(ROWS, "tone", (("Siren",), ("Glass",)))
    return compare.Peer(write_peer(tmp_path / "peer", monkeypatch), write_folder(tmp_path / "valid"), Budget(1000.0))


def test_both_are_measured_on_the_same_scenes(
    toy: Config, peer: compare.Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clips.csv").write_text(
        f"path,class,split\n{peer.valid / 'explosion-000.wav'},music,valid\n"
        f"{peer.valid / 'distractor-000.wav'},background,test\n"
    )
    compare.run(
        toy, write_folder(tmp_path / "test"), peer, tmp_path,
        json_file=tmp_path / "found.json", plot=tmp_path / "new" / "found.png",
        picture=tmp_path / "new" / "small.png", seed=0,
    )  # fmt: skip
    ours, budget, best = json.loads((tmp_path / "found.json").read_text())["systems"]
    assert ours["model"]["name"] == "toy"
    assert ours["measures"]["onset_f1"]["tone"]["value"] == 0.8
    assert best["measures"]["onset_f1"]["tone"]["value"] == 0.8  # it hears two bursts of three events, too
    assert best["measures"]["false_alarms_per_hour_background"]["tone"]["value"] == 450.0
    assert budget["read"]["tone"]["valid_alarms_per_hour"] <= 1000.0
    for name in ("found.png", "small.png"):
        assert (tmp_path / "new" / name).read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "YAMNet, at most 1000/h" in printed
    assert "YAMNet, best F1: tone: " in printed


def test_a_kind_of_scene_can_have_its_own_budget(
    toy: Config, peer: compare.Peer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `evaluate --rules tune`: what it hears in the dishes costs it none of the tones."""
    found = tmp_path / "found.json"
    apart = replace(peer, budget=Budget(0.0, {"distractor": 450.0}))
    compare.run(toy, peer.valid, apart, None, json_file=found, plot=None, picture=None, seed=0)
    _, fitted, best = json.loads(found.read_text())["systems"]
    assert fitted["model"]["name"] == "YAMNet, at most 0/h, 450/h on distractor"
    assert fitted["measures"]["onset_f1"]["tone"]["value"] == 0.8
    assert fitted["read"]["tone"]["valid_alarms_per_hour"] == 0.0
    assert fitted["read"]["tone"]["valid_alarms_per_hour_on"] == {"distractor": 450.0}
    assert "valid_alarms_per_hour_on" not in best["read"]["tone"]
    assert "0.00 false alarms/h, 450.00 on distractor on what it was chosen on" in capsys.readouterr().out
    unheard = replace(peer, budget=Budget(0.0, {"thunder": 3.0}))
    with pytest.raises(UsageError, match="--budget-on thunder: no recording is of this kind; there are distractor, ex"):
        compare.run(toy, peer.valid, unheard, None, json_file=None, plot=None, picture=None, seed=0)


def test_a_label_that_yamnet_has_no_classes_for(toy: Config, tmp_path: Path) -> None:
    scenes = write_folder(tmp_path / "scenes")
    with pytest.raises(UsageError, match="which of its classes are 'tone' is not known; known: siren, gun_shot"):
        compare.run(
            toy, scenes, compare.Peer(tmp_path / "no.tflite", scenes, Budget(1.0)), None,
            json_file=None, plot=None, picture=None, seed=0,
        )  # fmt: skip


def test_a_picture_that_cannot_be_written(toy: Config, peer: compare.Peer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unwritable = tmp_path / "file" / "found.png"
    with pytest.raises(SinkError, match=r"--plot .*: cannot be written"):
        compare.run(toy, peer.valid, peer, None, json_file=None, plot=unwritable, picture=None, seed=0)
    with pytest.raises(UsageError, match=r"--picture found.txt: need a name that ends in .png"):
        compare.run(toy, peer.valid, peer, None, json_file=None, plot=None, picture=Path("found.txt"), seed=0)


def test_labels_without_events_are_left_out(peer: compare.Peer, tmp_path: Path) -> None:
    """YAMNet has no classes for some labels of ours; where nothing is to be found of them, none are needed."""
    meta = metadata(("wail", "tone"), on=0.5, off=0.4, max_gap=0.2)
    config = Config(model=str(write_toy(tmp_path / "two.onnx", meta, labels=2)))
    found = tmp_path / "found.json"
    compare.run(config, peer.valid, peer, None, json_file=found, plot=None, picture=None, seed=0)
    assert [system["labels"] for system in json.loads(found.read_text())["systems"]] == 3 * [["tone"]]
    (tmp_path / "silent").mkdir()
    for file in peer.valid.iterdir():
        (tmp_path / "silent" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "silent" / "scenes.tsv").write_text("filename\tonset\toffset\tevent_label\ndistractor-000.wav\t\t\t\n")
    with pytest.raises(
        UsageError, match="compare: the scenes to fit on and those to measure on share no event of wail"
    ):
        compare.run(config, tmp_path / "silent", peer, None, json_file=None, plot=None, picture=None, seed=0)


def test_a_peer_that_is_not_there(toy: Config, peer: compare.Peer, tmp_path: Path) -> None:
    absent = compare.Peer(tmp_path / "no.tflite", peer.valid, Budget(1.0))
    with pytest.raises(ModelError, match=r"no\.tflite: no such model file"):
        compare.run(toy, peer.valid, absent, None, json_file=None, plot=None, picture=None, seed=0)


def test_wrong_use_exits_with_one_line(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "scenes")
    done = earwitness("compare", "--scenes", folder, "--valid", folder, "--yamnet", tmp_path / "no.tflite")
    assert done.returncode == UsageError.exit_code
    assert done.stderr.startswith("earwitness: compare: the scenes to fit on and those to measure on share no event of")
    done = earwitness("compare", "--scenes", folder, "--valid", tmp_path, "--yamnet", "no.tflite")
    assert done.returncode == UsageError.exit_code
    assert done.stderr.startswith(f"earwitness: {tmp_path}: holds no scenes.tsv")
    done = earwitness(
        "compare", "--scenes", folder, "--valid", folder, "--yamnet", "no.tflite", "--budget-on", "explosion"
    )
    assert (done.returncode, done.stderr) == (
        2, "earwitness: --budget-on explosion: need KIND=NUMBER, such as explosion=45\n"
    )  # fmt: skip
