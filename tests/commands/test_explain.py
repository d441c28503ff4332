"""`earwitness explain` as a user runs it."""

import json
from pathlib import Path

import pytest

from tests.test_cli import earwitness, wav
from tests.toy import bursts, metadata, write_toy


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    meta = metadata(on=0.5, off=0.4, min_duration=0.2, max_gap=0.04, cooldown=1.0)
    return write_toy(tmp_path_factory.mktemp("model") / "toy.onnx", meta)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An event, one within its cooldown, and a burst that is too short."""
    sound = bursts((0.5, 1.0), (1.6, 2.1), (3.5, 3.6), seconds=5.0)
    return wav(tmp_path_factory.mktemp("sound") / "a.wav", sound)


def rows(*arguments: object) -> list[dict[str, object]]:
    done = earwitness("explain", *arguments, "-f", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_events_and_what_was_rejected(toy: Path, recording: Path) -> None:
    event, soon, short = rows(recording, "-m", toy)
    assert [row["rule"] for row in (event, soon, short)] == [None, "cooldown", "min_duration"]
    assert event["onset"] == pytest.approx(0.5, abs=0.1)
    assert soon["reached"] == pytest.approx(0.6, abs=0.1)
    assert soon["asked"] == 1.0
    assert "s after the event before, within its cooldown of 1 s" in str(soon["why"])
    assert "s of the 0.2 s that min_duration asks" in str(short["why"])
    assert set(event) == {
        "filename", "label", "onset", "offset", "score", "why", "rule", "reached", "asked", "event", "chosen",
    }  # fmt: skip
    assert (event["filename"], event["event"], event["chosen"]) == (str(recording), True, False)


def test_it_agrees_with_detect(toy: Path, recording: Path) -> None:
    detected = [line.split("\t")[:5] for line in earwitness("detect", recording, "-m", toy).stdout.splitlines()]
    explained = [line.split("\t") for line in earwitness("explain", recording, "-m", toy).stdout.splitlines()]
    assert explained[0] == ["filename", "onset", "offset", "event_label", "score", "rule", "why"]
    assert [row[:5] for row in explained if row[6] in {"why", "event"}] == detected


def test_a_rule_of_the_command_line_explains_itself(toy: Path, recording: Path) -> None:
    whys = [str(row["why"]) for row in rows(recording, "-m", toy, "--rule", "tone.on=1", "--rule", "tone.off=1")]
    assert len(whys) == 3
    assert all(why.startswith("peak 0.9") and why.endswith("never reached on = 1") for why in whys)


def test_a_moment(toy: Path, recording: Path) -> None:
    found = rows(recording, "-m", toy, "--at", "3.5")
    assert [row["chosen"] for row in found] == [False, False, True]
    found = rows(recording, "-m", toy, "--at", "4.6")
    assert [row["chosen"] for row in found] == [False, False, False, True]
    assert str(found[-1]["why"]).startswith("peak 0.07 never reached on = 0.5")


def test_fewer_or_none_of_the_rejected(toy: Path, recording: Path) -> None:
    assert [row["rule"] for row in rows(recording, "-m", toy, "--nearest", "0")] == [None]
    assert len(rows(recording, "-m", toy, "--nearest", "1")) == 2


def test_a_table_for_people(tmp_path: Path, toy: Path, recording: Path) -> None:
    shown = earwitness("explain", recording, "-m", toy, "-f", "table").stdout
    assert "within its cooldown of 1 s" in shown
    quiet = wav(tmp_path / "quiet.wav", bursts(seconds=2.0))
    shown = earwitness("explain", quiet, "-m", toy, "-f", "table").stdout
    assert "no events, and no score came to half of what its rule asks" in " ".join(shown.split())


@pytest.mark.parametrize("at", [[], ["--at", "3.5"], ["--at", "4.9", "--label", "tone"]])
def test_a_picture(tmp_path: Path, toy: Path, recording: Path, at: list[str]) -> None:
    from matplotlib.image import imread

    path = tmp_path / "why.png"
    found = rows(recording, "-m", toy, "--plot", path, *at)
    assert sum(bool(row["chosen"]) for row in found) == 1
    assert imread(path)[..., :3].std() > 0.1


def test_the_shipped_model_hears_the_burst_as_something(tmp_path: Path, recording: Path) -> None:
    done = earwitness("explain", recording, "--plot", tmp_path / "why.svg")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "why.svg").stat().st_size > 20_000


def test_a_recording_that_breaks_off_is_explained_as_far_as_it_goes(tmp_path: Path, toy: Path) -> None:
    sound = bursts((0.5, 1.0), seconds=4.0)
    sound[60_000] = float("nan")
    done = earwitness("explain", wav(tmp_path / "nan.wav", sound), "-m", toy, "--plot", tmp_path / "why.png")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == f"earwitness: {tmp_path}/nan.wav: sample 60000 (3.750 s) is not a number\n"
    assert (tmp_path / "why.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "xml"], "--format xml: unknown; choose one of table, tsv, jsonl"),
        (["--label", "tome"], "--label tome: the model has no such label, did you mean 'tone'?"),
        (["--at", "99"], "--at 99: the recording has scores from 0 to 5.00 s"),
        (["--plot", "a.txt"], "--plot a.txt: need a name that ends in .png, .svg or .pdf"),
        (["--rule", "tone.on=1.5"], "tone.on"),
    ],
)
def test_wrong_use_is_one_line(toy: Path, recording: Path, arguments: list[str], message: str) -> None:
    done = earwitness("explain", recording, "-m", toy, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_stdin_and_missing_files(toy: Path, tmp_path: Path) -> None:
    done = earwitness("explain", "-", "-m", toy)
    assert (done.returncode, done.stderr) == (
        2,
        "earwitness: explain -: the recording is read twice, so it has to be a file\n",
    )
    done = earwitness("explain", tmp_path / "gone.wav", "-m", toy)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    done = earwitness("explain", wav(tmp_path / "blink.wav", bursts(seconds=0.01)), "-m", toy)
    assert (done.returncode, done.stderr) == (1, f"earwitness: {tmp_path}/blink.wav: too short to have a score\n")
