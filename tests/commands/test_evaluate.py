"""`earwitness evaluate` as a user runs it."""

import json
from pathlib import Path

import pytest

from sed.model import OnnxModel
from tests.evaluate.scenefolders import write_folder
from tests.test_cli import earwitness
from tests.toy import metadata, write_toy


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("model") / "toy.onnx", metadata(on=0.5, off=0.4, max_gap=0.2))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("scenes"))


def test_a_table_a_document_and_a_report(toy: Path, scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text(f"path,class,split\n{scenes / 'distractor-000.wav'},background,test\n")
    done = earwitness(
        "evaluate", toy, "--scenes", scenes, "--data", tmp_path,
        "--json", tmp_path / "found.json", "--report", tmp_path / "report",
        "--worst", tmp_path / "worst", "--each", 1, "--picture", tmp_path / "new" / "found.png",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "onset F1 (500 ms)" in done.stdout
    assert "dishes -> tone: 1" in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["scenes"] == {"target": 2, "distractor": 1, "explosion": 1, "background": 1}
    assert found["measures"]["onset_f1"]["all"]["value"] == 0.8
    assert found["measures"]["false_alarms_per_hour_background"]["tone"]["value"] == 450.0
    assert len(found["sha256"]) == 64
    assert [row["class"] for row in found["mistakes"]["tone"]["alarms_by_class"]] == ["background, whole", "dishes"]
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {
        "index.html", "tone-missed-1.png", "tone-false-1.png",
    }  # fmt: skip
    assert (tmp_path / "new" / "found.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "index.html", "curves.png", "recall.png", "confusion.png",
    }  # fmt: skip


def test_rules_can_be_changed(toy: Path, scenes: Path, tmp_path: Path) -> None:
    deaf = ("--rule", "tone.on=1", "--rule", "tone.min_duration=5")
    done = earwitness("evaluate", toy, "--scenes", scenes, *deaf, "--json", tmp_path / "found.json")
    assert done.returncode == 0
    assert json.loads((tmp_path / "found.json").read_text())["measures"]["onset_f1"]["all"]["value"] == 0.0


def test_rules_are_tuned_into_a_file_of_their_own(toy: Path, scenes: Path, tmp_path: Path) -> None:
    before = toy.read_bytes()
    done = earwitness(
        "evaluate", toy, "--scenes", scenes, "--rules", "tune", "--budget", 300, "-o", tmp_path / "t.onnx"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "F1 0.800, 225.00 false alarms/h on what it was chosen on\n" in done.stdout
    assert toy.read_bytes() == before
    training = OnnxModel(tmp_path / "t.onnx").metadata.training
    assert training["rules"]["budget_per_hour"] == 300
    assert training["rules"]["reached"]["tone"]["alarms_per_hour"] == 225.0


def test_labels_that_cannot_be_tuned_keep_their_rules(scenes: Path, tmp_path: Path) -> None:
    meta = metadata(("scream", "tone"), on=0.5, off=0.4, max_gap=0.2, alert=False)
    two = write_toy(tmp_path / "two.onnx", meta, labels=2)
    done = earwitness("evaluate", two, "--scenes", scenes, "--rules", "tune", "--budget", 300)
    assert (done.returncode, done.stderr) == (0, "")
    rules = OnnxModel(two).metadata.rules
    assert rules["scream"] == meta.rules["scream"]
    assert rules["tone"] != meta.rules["tone"]
    assert not rules["tone"].alert


def test_a_budget_out_of_reach_is_told(toy: Path, scenes: Path, tmp_path: Path) -> None:
    done = earwitness("evaluate", toy, "--scenes", scenes, "--rules", "tune", "--budget", 0, "-o", tmp_path / "t.onnx")
    assert done.returncode == 0
    assert "no rule that keeps within the budget finds anything" in done.stdout


def test_a_kind_of_scene_can_have_its_own_budget(toy: Path, scenes: Path, tmp_path: Path) -> None:
    tuned = ("evaluate", toy, "--scenes", scenes, "--rules", "tune", "-o", tmp_path / "t.onnx", "--budget", 0)
    done = earwitness(*tuned, "--budget-on", "distractor=1000")
    assert "F1 0.800, 0.00 false alarms/h, 450.00 on distractor on what" in done.stdout
    done = earwitness(*tuned, "--budget-on", "thunder=3")
    assert (done.returncode, done.stderr) == (
        2, "earwitness: --budget-on thunder: no recording is of this kind; there are distractor, explosion, target\n"
    )  # fmt: skip


def test_rules_are_never_chosen_on_test_sounds(toy: Path, scenes: Path, tmp_path: Path) -> None:
    """Without --split, ordinary sound is that of valid when rules are chosen, that of test when a model is measured."""
    (tmp_path / "clips.csv").write_text(
        f"path,class,split\n{scenes / 'distractor-000.wav'},background,test\n"
        f"{scenes / 'explosion-000.wav'},music,valid\n"
    )
    found = tmp_path / "found.json"
    both = ("evaluate", toy, "--scenes", scenes, "--data", tmp_path, "--json", found)
    tuned = (*both, "--rules", "tune", "-o", tmp_path / "t.onnx")
    assert earwitness(*tuned).returncode == 0
    assert set(json.loads(found.read_text())["scenes"]) == {"target", "distractor", "explosion", "music"}
    assert earwitness(*both).returncode == 0
    assert set(json.loads(found.read_text())["scenes"]) == {"target", "distractor", "explosion", "background"}
    done = earwitness(*tuned, "--split", "test")
    assert (done.returncode, done.stderr) == (
        2,
        "earwitness: evaluate --rules tune: --split test is there to measure on, and rules chosen on it would flatter"
        " every figure; say --split valid, or leave --split out\n",
    )


@pytest.mark.parametrize(("given", "needed"), [
    (["--out", "t.onnx"], "--rules tune"),
    (["--budget", "0"], "--rules tune"),
    (["--budget-on", "explosion=45"], "--rules tune"),
    (["--each", "8"], "--worst DIR"),
    (["--split", "test"], "--data DATA"),
])  # fmt: skip
def test_options_that_would_do_nothing_are_refused(given: list[str], needed: str) -> None:
    done = earwitness("evaluate", "--scenes", "nowhere", *given)
    message = f"earwitness: evaluate: {given[0]} is for {needed}; add that, or leave {given[0]} out\n"
    assert (done.returncode, done.stderr) == (2, message)


@pytest.mark.parametrize(("arguments", "message"), [
    (["--rules", "keep"], "--rules keep: unknown; the one thing to do with rules is to tune them"),
    (["--rules", "tune", "--data", "d"], "evaluate --rules tune: needs --scenes DIR, to choose the rules on"),
    ([], "evaluate: need --scenes DIR, --data DATA, or both"),
    (["--rules", "tune", "--budget-on", "thunder"], "--budget-on thunder: need KIND=NUMBER, such as explosion=45"),
    (["--data", "d", "--picture", "a.txt"], "--picture a.txt: need a name that ends in .png, .svg or .pdf"),
    (["--scenes", "nowhere"], "nowhere: holds no scenes.tsv; make scenes with 'earwitness scenes nowhere --data DATA'"),
])  # fmt: skip
def test_wrong_use_exits_2_with_one_line(arguments: list[str], message: str) -> None:
    done = earwitness("evaluate", *arguments)
    assert (done.returncode, done.stderr) == (2, f"earwitness: {message}\n")
