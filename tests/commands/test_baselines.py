"""`earwitness baselines` on generated sounds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from sed.commands import baselines as command
from sed.config import Config
from sed.train import baselines
from tests.evaluate.peers import write_peer
from tests.test_cli import earwitness
from tests.toy import metadata, write_toy
from tests.train.sounds import RATE, SOUNDS

LABELS = ("siren", "gun_shot", "glass_break")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = ["path,class,split,active_offset"]
    for label, (make, seconds) in SOUNDS.items():
        for seed, split in enumerate(("train", "valid", "test")):
            soundfile.write(tmp_path / f"{label}-{split}.flac", make(seconds, 3 * seed), RATE)
            lines.append(f"{label}-{split}.flac,{label},{split},{seconds}")
    (tmp_path / "clips.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def toy(tmp_path: Path) -> Config:
    return Config(model=str(write_toy(tmp_path / "toy.onnx", metadata(LABELS), labels=3)))


def test_every_system_is_judged_on_the_same_clips(
    data: Path, toy: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(baselines, "BASELINES", [replace(one, steps=2) for one in baselines.BASELINES])
    peer = write_peer(tmp_path / "peer", monkeypatch)
    command.run(toy, data, peer, others=2, json_file=tmp_path / "found.json", seed=0, cache=tmp_path / "cache")
    found = json.loads((tmp_path / "found.json").read_text())
    names = [system["name"] for system in found["systems"]]
    assert names[3:] == ["YAMNet, by file", "toy, by file", "toy, its rules"]
    assert names[:3] == [baseline.name for baseline in baselines.BASELINES]
    assert (found["learnt_from"], found["labels"]) == (5, list(LABELS))
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)


def test_without_yamnet_the_others_are_told(
    data: Path, toy: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(baselines, "BASELINES", [replace(baselines.BASELINES[0], steps=2)])
    command.run(toy, data, None, others=2, json_file=None, seed=0, cache=tmp_path / "cache")
    assert "YAMNet" not in capsys.readouterr().out


def test_wrong_use_exits_with_one_line(tmp_path: Path) -> None:
    done = earwitness("baselines", "--data", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"earwitness: {tmp_path}/clips.csv: no such file")
