"""`earwitness doctor` as a user runs it: one line a thing, its exit codes, and JSON."""

import json
from pathlib import Path

import soundfile

from tests.broker import Broker, eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.test_cli import earwitness
from tests.toy import RATE, bursts, write_toy


def configured(folder: Path, mqtt: str) -> Path:
    """A node whose source is a recording, so that no microphone is needed."""
    write_toy(folder / "toy.onnx")
    soundfile.write(folder / "street.wav", bursts((0.2, 2.8), seconds=3.0), RATE)
    file = folder / "earwitness.toml"
    file.write_text(
        f'node = "gate"\nmodel = "{folder}/toy.onnx"\n[[source]]\nname = "yard"\nurl = "file:street.wav"\n'
        f'[mqtt]\nurl = "{mqtt}"\n[journal]\npath = "journal.db"\nmax_size = "1MB"\n'
    )
    return file


def test_all_is_well(broker: Broker, tmp_path: Path) -> None:
    file = configured(tmp_path, f"mqtt://127.0.0.1:{broker.port}")
    before = sorted(tmp_path.iterdir())
    done = earwitness("doctor", "-c", file)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "warning"}  # a busy computer's clock or memory
    assert [line[9:21].strip() for line in lines] == [
        "config", "model", "model", "source yard", "source yard", "clock", "disk", "journal", "broker", "broker",
        "ports", "machine", "machine", "service"
    ]  # fmt: skip
    assert last.endswith(" 0 failed")
    assert sorted(tmp_path.iterdir()) == before


def test_what_failed_is_told_and_the_rest_is_looked_at_all_the_same(tmp_path: Path) -> None:
    file = configured(tmp_path, f"mqtt://127.0.0.1:{free_port()}")
    (tmp_path / "toy.onnx").write_bytes(b"nonsense")
    (tmp_path / "street.wav").unlink()
    done = earwitness("doctor", "-c", file, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    failed = [finding["check"] for finding in document["findings"] if finding["status"] == "failed"]
    assert failed == ["model", "source yard", "broker", "machine"]
    assert document["failed"] == len(failed)
    assert set(document["findings"][0]) == {"check", "status", "found", "advice"}
    assert {"disk", "journal", "clock", "service"} <= {finding["check"] for finding in document["findings"]}


def test_a_wrong_configuration_exits_2(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("nod = 1\n")
    done = earwitness("doctor", "-c", tmp_path / "c.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean" in done.stderr


def test_beside_a_running_daemon(broker: Broker, tmp_path: Path) -> None:
    """It goes on, connected and with its journal, and is told of."""
    file = configured(tmp_path, f"mqtt://127.0.0.1:{broker.port}")
    soundfile.write(tmp_path / "street.wav", bursts((0.2, 2.8), seconds=300.0), RATE)
    with Run(tmp_path, "-c", file) as run:
        eventually(lambda: run.events("start") and run.said("connected"), START_SECONDS)
        done = earwitness("doctor", "-c", file)
        assert f"journal.db, used by process {run.process.pid}: whole, " in done.stdout
        assert done.returncode == 0
        assert run.process.poll() is None
        assert "warning" not in run.log()
