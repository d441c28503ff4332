"""The command as a user runs it: its own process, its streams and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.signals import Floats
from tests.toy import RATE, bursts, metadata, write_toy

COMMANDS = [
    "detect",
    "scan",
    "explain",
    "replay",
    "run",
    "watch",
    "listen",
    "keys",
    "satellite",
    "devices",
    "demo",
    "doctor",
    "selftest",
    "events",
    "verdict",
    "review",
    "export-corrections",
    "bench",
    "train",
    "tune",
    "scenes",
    "export",
    "evaluate",
    "compare",
    "baselines",
    "model show",
    "model card",
    "data audit",
    "data import",
    "collect",
    "fleet",
]


def earwitness(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "sed", *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=240,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160"},
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    meta = metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)
    return write_toy(tmp_path_factory.mktemp("model") / "toy.onnx", meta)


def wav(path: Path, samples: Floats | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5) if samples is None else samples
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(command: str) -> None:
    done = earwitness(*command.split(), "--help")
    assert done.returncode == 0
    assert f"Example: earwitness {command}" in " ".join(done.stdout.split())


def test_version() -> None:
    assert earwitness("--version").stdout.startswith("earwitness 0.")


def test_detect_gives_tsv_in_the_order_given(tmp_path: Path, toy: Path) -> None:
    b, a = wav(tmp_path / "b.wav"), wav(tmp_path / "deep" / "a.wav")
    done = earwitness("detect", b, a.parent, "-m", toy)
    assert (done.returncode, done.stderr) == (0, "")
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == ["filename", "onset", "offset", "event_label", "score"]
    assert [row[0] for row in rows] == [str(b)] * 2 + [str(a)] * 2
    assert [float(row[1]) for row in rows] == pytest.approx([0.5, 1.8] * 2, abs=0.13)


def test_detect_reads_stdin(tmp_path: Path, toy: Path) -> None:
    done = earwitness("detect", "-", "-f", "jsonl", "-m", toy, stdin=wav(tmp_path / "a.wav").read_bytes())
    assert [json.loads(line)["filename"] for line in done.stdout.splitlines()] == ["-", "-"]


def test_one_bad_file_never_stops_the_others(tmp_path: Path, toy: Path) -> None:
    nan = bursts((0.5, 1.0), seconds=2.0)
    nan[30_000] = np.nan
    (tmp_path / "page.wav").write_text("<html>")
    good, bad = wav(tmp_path / "good.wav"), wav(tmp_path / "nan.wav", nan)
    done = earwitness("detect", tmp_path / "page.wav", bad, good, "-m", toy)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 1 + 2
    assert done.stderr.splitlines() == [
        f"earwitness: {tmp_path}/page.wav: not a recording that can be read"
        " (unknown format, or the header is cut short)",
        f"earwitness: {bad}: sample 30000 (1.875 s) is not a number",
    ]


def test_wrong_use_exits_2_and_still_does_the_rest(tmp_path: Path, toy: Path) -> None:
    (tmp_path / "empty").mkdir()
    good = wav(tmp_path / "good.wav")
    done = earwitness("detect", tmp_path / "empty", tmp_path / "gone.wav", good, "-m", toy)
    assert done.returncode == 2
    assert "empty: no recordings in this folder" in done.stderr.splitlines()[0]
    assert "gone.wav: no such file or folder" in done.stderr.splitlines()[1]
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "xml"], "--format xml: unknown; choose one of table, tsv, jsonl, audacity, raven"),
        (["--channel", "left"], "--channel left: need a number from 0, or 'mix'"),
        (["--channel", "3"], "good.wav: no channel 3: the file has 0 only; choose one, or 'mix'"),
        (
            ["--model", "earwitness-99"],
            "model 'earwitness-99': no such file, and no shipped model of that name (shipped:",
        ),
        (["--rule", "tone.on=1.5"], "tone.on"),
        (["--rule", "tome.on=0.5"], "did you mean"),
        (["--rule", "tone"], "should be LABEL.KEY=VALUE, as siren.on=0.7"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--plot", "a.txt"], "--plot a.txt: need a name that ends in .png, .svg or .pdf"),
    ],
)
def test_wrong_options_say_what_to_do(tmp_path: Path, toy: Path, arguments: list[str], message: str) -> None:
    model = [] if "--model" in arguments else ["-m", str(toy)]
    done = earwitness("detect", wav(tmp_path / "good.wav"), *model, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rules.tone]\non = 1.5\n", "rules.tone.on"),
        ("[rules.tone]\nof = 0.5\n", "rules.tone.of"),
        ("nod = 'gate'\n", "did you mean"),
        ("node = \n", "not TOML"),
    ],
)
def test_a_wrong_config_exits_2(tmp_path: Path, toy: Path, text: str, message: str) -> None:
    config = tmp_path / "earwitness.toml"
    config.write_text(text)
    done = earwitness("detect", wav(tmp_path / "good.wav"), "-m", toy, "-c", config)
    assert done.returncode == 2
    assert "earwitness.toml" in done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_broken_model_exits_1(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    done = earwitness("detect", wav(tmp_path / "good.wav"), "-m", tmp_path / "bad.onnx")
    assert done.returncode == 1
    assert "bad.onnx: not a model that ONNX Runtime can open" in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = earwitness("--debug", "detect", wav(tmp_path / "a.wav"), "-m", "none")
    assert "Traceback" in done.stderr


def test_scores_and_plots_of_several_recordings_go_into_folders(tmp_path: Path, toy: Path) -> None:
    one, two = wav(tmp_path / "x" / "a.wav"), wav(tmp_path / "y" / "a.wav")
    done = earwitness("detect", one, two, "-m", toy, "--scores", tmp_path / "s", "--plot", tmp_path / "p")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "s").glob("*_a.tsv"))) == 2
    assert len(list((tmp_path / "p").glob("*_a.png"))) == 2
    refused = earwitness("detect", one, two, "-m", toy, "--scores", tmp_path / "s.tsv")
    assert refused.returncode == 2
    assert "several recordings need a folder, not a file" in refused.stderr


def test_model_show(toy: Path) -> None:
    shown = earwitness("model", "show", toy).stdout
    for part in (
        "toy 1",
        "sha256",
        "licence   MIT",
        "16000 Hz, window 512, hop 160, 64 mels",
        "tone",
        "macro onset F1",
    ):
        assert part in shown
    assert json.loads(earwitness("model", "show", toy, "--json").stdout)["labels"] == ["tone"]


def test_bench(toy: Path) -> None:
    done = earwitness("bench", "-m", toy, "--seconds", "2", "--json")
    document = json.loads(done.stdout)
    assert [cost["block_ms"] for cost in document["costs"]] == [10, 20, 100]
    for cost in document["costs"]:
        assert 0 < cost["ms_per_second"]["log-mel"] < cost["ms_per_second"]["whole path"]
        assert cost["streams_a_core"] >= 1
    assert "streams a core could carry" in earwitness("bench", "-m", toy, "--seconds", "1").stdout
