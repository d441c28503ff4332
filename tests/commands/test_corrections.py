"""From a daemon's clips, and what people say of them, to a model that has learnt from it: all steps as people go."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sed.commands import evaluate, train
from sed.config import Config
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.train.clips import read_clips
from tests.daemon import Run
from tests.test_cli import earwitness
from tests.toy import RATE, metadata, write_toy
from tests.train.models import write_tiny
from tests.train.sounds import SOUNDS

SOURCES = {"yard": "siren", "street": "siren", "gate": "background", "garage": "background"}
"""What sounds at each, for a second."""

TABLES = '[journal]\npath = "journal.db"\n[clips]\nenabled = true\npre = 0.3\npost = 0.4\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A daemon has heard four events, one at each source, and kept their clips; two of them were no sirens."""
    folder = tmp_path_factory.mktemp("box")
    write_toy(folder / "toy.onnx", metadata(("siren",), on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    lines = ['node = "gate"', f'model = "{folder / "toy.onnx"}"']
    for n, (name, label) in enumerate(SOURCES.items()):
        sound = np.zeros(round(2.6 * RATE), np.float32)
        sound[RATE : 2 * RATE] = SOUNDS[label][0](1.0, n) * np.float32(0.5)
        soundfile.write(folder / f"{name}.wav", sound, RATE, "PCM_16")
        lines.append(f'[[source]]\nname = "{name}"\nurl = "file:{name}.wav"')
    (folder / "gate.toml").write_text("\n".join([*lines, TABLES]))
    with Run(folder, "-c", folder / "gate.toml") as run:
        assert run.end() == 0
    return folder


def test_from_verdicts_to_a_model(folder: Path) -> None:
    config, out = folder / "gate.toml", folder / "corrections"
    refused = earwitness("export-corrections", out, "-c", config)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "no verdicts yet; give some with 'earwitness review'" in refused.stderr
    for event in History(folder / "journal.db").walk():
        Verdicts(folder / "journal.db").give(event.id, "right" if SOURCES[event.source] == "siren" else "wrong")
    done = earwitness("export-corrections", out, "-c", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].endswith("; 2 to learn from, 2 to measure on")
    clips = read_clips(out)
    assert sorted((clip.label, clip.split) for clip in clips) == [
        ("background", "train"), ("background", "valid"), ("siren", "train"), ("siren", "valid"),
    ]  # fmt: skip
    for clip in clips:
        assert [clip.onset, clip.offset] == pytest.approx([0.3, 1.3], abs=0.2)
        assert_loud_between(out / clip.path, clip.onset, clip.offset)

    heard = measured(folder / "toy.onnx", out)
    assert heard["events"] == {"siren": 2}
    assert heard["scenes"] == {"target": 2, "empty": 2}
    assert heard["measures"]["onset_recall"]["siren"]["value"] == 1.0  # it has told them
    train.run(out, folder / "mine.onnx", settings(folder))
    assert measured(folder / "mine.onnx", out / "valid")["scenes"] == {"target": 1, "empty": 1}


def measured(model: Path, scenes: Path) -> Any:
    """What `earwitness evaluate MODEL --scenes DIR` finds."""
    found = scenes / "found.json"
    wanted = evaluate.Wanted(found)
    evaluate.run(Config(model=str(model)), scenes, None, split="test", wanted=wanted, seed=0)
    return json.loads(found.read_text())


def assert_loud_between(path: Path, onset: float, offset: float) -> None:
    samples, _ = soundfile.read(path)
    first, last = round(onset * RATE), round(offset * RATE)
    loudness = [float(np.square(part).mean()) for part in (samples[: first - 2_000], samples[first:last])]
    assert loudness[1] > 1_000 * loudness[0]


def settings(folder: Path) -> Path:
    """A few steps of fine-tuning a tiny model."""
    write_tiny(folder / "tiny.onnx")
    small = {"steps": 3, "check_every": 3, "batch": 2, "seconds": 2.0, "scenes": 4, "valid_scenes": 2, "workers": 0}
    lines = [f"{key} = {value}" for key, value in small.items()]
    lines += [f'finetune = "{folder}/tiny.onnx"', f'cache = "{folder}/cache"', "bfloat16 = false"]
    (folder / "few.toml").write_text("\n".join(lines))
    return folder / "few.toml"


def test_where_audio_is_forbidden_none_is_written(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "quiet.toml"
    config.write_text(f'[privacy]\naudio = false\n[journal]\npath = "{folder}/journal.db"\n')
    done = earwitness("export-corrections", tmp_path / "out", "-c", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert "would write audio, which privacy.audio = false forbids" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_clips_it_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    name = History(folder / "journal.db").events().events[0].id
    Verdicts(folder / "journal.db").give(name, "right")
    given = ("--journal", folder / "journal.db", "--clips", tmp_path)
    done = earwitness("export-corrections", tmp_path / "out", *given)
    assert done.returncode == 2
    assert f"none has a clip in {tmp_path}; set clips.enabled = true" in done.stderr
