"""`earwitness data` as a user runs it, on tiny data sets in the published layouts."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sed.commands.data import _tables
from sed.train.audit import ClassFigures, Spread
from sed.train.clips import check_labels, read_clips
from sed.train.library import Library
from tests.train import layouts
from tests.train.layouts import sound

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


def data(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sed", "data", *map(str, arguments)], capture_output=True, text=True, check=False,
        timeout=240, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip


def test_audit_tells_and_draws(tmp_path: Path) -> None:
    folder = layouts.catalogue(tmp_path / "set")
    sound(folder / "c.wav", np.zeros(8_000, np.float32))
    (folder / "b.wav").write_text("<html>")
    done = data("audit", folder, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"earwitness: {folder}/b.wav: not a recording that can be read (unknown format, or the header is cut short)"
    ]
    for part in (
        "2 clips, 0:00:01 in all", "rates, Hz: 16000 (2)", "split: train (1), test (1)",
        "near-empty (1): c.wav", "unreadable (1): b.wav", "siren ", "800 [800 800]",
    ):  # fmt: skip
        assert part in done.stdout
    document = json.loads((tmp_path / "out/audit.json").read_text())
    assert document["flaws"]["near-empty"] == ["c.wav"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "audit.json", "classes.png", "spectra.png", "examples-1.png",
    }  # fmt: skip


def test_the_tables_fit_a_narrow_terminal() -> None:
    spread = Spread(1000.0, 2000.0, 3000.0)
    split = {"train": 9000, "valid": 1000, "test": 1000}
    one = ClassFigures("vehicle_horn", 11_000, split, 9000, 1234.5, 0.5, spread, Spread(0, 0, 1), Spread(0, 0, 1))
    console = Console(width=80, file=StringIO())
    for table in _tables([one], 80):
        console.print(table)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "…" not in shown
    assert shown.count("vehicle_horn") == 2
    assert len(list(_tables([one], 200))) == 1


@pytest.mark.parametrize("make", [layouts.urbansound8k, layouts.esc50, layouts.fsd50k, layouts.desed, layouts.classes])
def test_every_layout_is_audited(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    done = data("audit", make(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("make", "label"), [
    (layouts.urbansound8k, "siren"), (layouts.esc50, "glass_break"), (layouts.classes, "car_alarm"),
])  # fmt: skip
def test_what_is_imported_can_be_trained_on(tmp_path: Path, make: Callable[[Path], Path], label: str) -> None:
    done = data("import", make(tmp_path / "set"), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    clips = read_clips(tmp_path / "out")
    check_labels(clips, [label])
    assert {clip.split for clip in clips} == {"train", "valid", "test"}
    assert not any(Path(clip.path).is_absolute() for clip in clips)
    assert Library(tmp_path / "out", clips, 16_000, tmp_path / "cache").length(clips[0]) == 8_000
    groups = Counter(group for group, _ in {(clip.group, clip.split) for clip in clips})
    assert set(groups.values()) == {1}


def test_strong_labels_are_cut_and_divided_by_recording(tmp_path: Path) -> None:
    done = data("import", layouts.desed(tmp_path / "set"), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    clips = read_clips(tmp_path / "out")
    assert Counter(clip.label for clip in clips) == {"cat": 1, "dog_bark": 1, "siren": 1, "speech": 1}
    assert all((tmp_path / "out" / clip.path).is_file() for clip in clips)
    assert next(clip.suspect for clip in clips if clip.label == "speech") == "siren"


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    folder = layouts.classes(tmp_path / "set")
    written = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        assert data("import", folder, "--out", tmp_path / name, "--seed", seed).returncode == 0
        written.append((tmp_path / name / "clips.csv").read_bytes())
    assert written[0] == written[1] != written[2]


def test_that_no_group_is_known_is_said_aloud(tmp_path: Path) -> None:
    done = data("import", layouts.classes(tmp_path / "set"), "--out", tmp_path / "out")
    assert "no clip says which recording it was cut from: each file is its own group" in done.stdout
    assert "split into 7 folds by group, seed 0" in done.stdout


def test_labels_licence_and_suspects(tmp_path: Path) -> None:
    (tmp_path / "labels.toml").write_text('[labels]\n"Zipper_(clothing)" = ""\nMusic = "guitar"\n')
    done = data(
        "import", layouts.fsd50k(tmp_path / "set"), "--out", tmp_path / "out", "--labels", tmp_path / "labels.toml",
        "--licence", "open", "--without-suspects",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    clips = read_clips(tmp_path / "out")
    assert {Path(clip.path).stem: clip.label for clip in clips} == {
        "64760": "guitar",
        "37201": "gun_shot",
        "99": "siren",
    }
    assert "good as other sounds, not as --label" in done.stdout


def test_what_is_absent_or_broken_is_left_out_and_told(tmp_path: Path) -> None:
    folder = layouts.urbansound8k(tmp_path / "set")
    (folder / "audio/fold4/4000-8-0-0.wav").unlink()
    (folder / "audio/fold5/5000-8-0-0.wav").write_text("<html>")
    done = data("import", folder, "--out", tmp_path / "out", "--fold", 10)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "fold5/5000-8-0-0.wav: not a recording that can be read" in done.stderr
    assert "28 clips, UrbanSound8K, split by the data set's 10 folds" in done.stdout
    assert "left out: 1 clips whose files are not there" in done.stdout
    assert {clip.path[-15:] for clip in read_clips(tmp_path / "out") if clip.split == "test"} == {
        "10000-8-0-0.wav"[-15:], "10000-8-0-1.wav"[-15:], "10001-9-0-0.wav"[-15:],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere"], "nowhere: no such folder"),
        (["audit", "empty"], "empty: no data set that we know"),
        (["audit", "set", "--out", "file"], "--out file: need a folder, this is a file"),
        (["audit", "set", "--labels", "none.toml"], "none.toml: no such file or directory"),
        (["import", "set", "--out", "set"], "--out set: has a clips.csv already"),
        (["import", "set", "--out", "new", "--licence", "free"], "--licence free: need one of open"),
        (["import", "set", "--out", "new", "--folds", "5"], "3 groups of recordings, at most 2 clips of a class"),
    ],
)
def test_wrong_use_is_one_line_and_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    layouts.catalogue(tmp_path / "set")
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    done = data(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_the_extra_one_line_names_it(tmp_path: Path) -> None:
    folder = layouts.classes(tmp_path / "set")
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['matplotlib'] = None; sys.argv[0] = 'earwitness';"
        "from sed.cli import main; main()"
    )
    for arguments, extra in (
        (["import", folder, "--out", tmp_path / "out"], "earwitness[train]"),
        (["audit", folder, "--out", tmp_path / "out"], "earwitness[plot]"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, "data", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert extra in done.stderr
