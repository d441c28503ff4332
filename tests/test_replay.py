"""The main job for real: real recordings, a real Mosquitto, a separate subscriber, checked against the JSON Schema."""

import contextlib
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import soundfile

from sed.config import Config
from sed.message import event_schema
from sed.replay import Replay
from tests.broker import Broker, Listener, eventually, free_port
from tests.toy import RATE, bursts, metadata, write_toy

DATA = Path(__file__).parents[2] / "shared" / "data"
ENVIRONMENT = os.environ | {"NO_COLOR": "1", "COLUMNS": "160"}
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings in {DATA}")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sed", *map(str, arguments)]


def earwitness(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=240, env=ENVIRONMENT
    )


@contextmanager
def subscriber(broker: Broker, folder: Path, topic: str) -> Iterator[list[tuple[str, str]]]:
    """mosquitto_sub, a client that shares no code with ours; gives all it has heard when the block is left."""
    received: list[tuple[str, str]] = []
    with Listener(broker, folder, topic, options=["-t", "done"]) as listening:
        yield received
        broker.publish("done", b"now")
        eventually(lambda: listening.heard("done"))
        received += [(heard.topic, heard.payload) for heard in listening.heard() if heard.topic != "done"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    meta = metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)
    return write_toy(tmp_path_factory.mktemp("model") / "toy.onnx", meta)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", bursts((0.5, 1.0), (1.8, 2.0), seconds=2.5), RATE)
    return tmp_path / "a.wav"


def test_every_topic_and_payload(broker: Broker, tmp_path: Path, toy: Path, recording: Path) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}"
    with subscriber(broker, tmp_path, "earwitness/#") as received:
        done = earwitness(
            "replay", recording, "--mqtt", url, "-m", toy, "--start-time", "2026-01-02T03:04:05Z", "--source", "yard",
            "--node", "gate",
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    by_topic: dict[str, list[str]] = defaultdict(list)
    assert {topic.split("/")[1] for topic, _ in received} == {"gate"}
    for topic, payload in received:
        by_topic[topic.split("/", 2)[2]].append(payload)
    assert by_topic["availability"] == ["online", "offline"]
    assert by_topic["yard/tone"] == ["OFF", "ON", "OFF", "ON", "OFF"]
    assert [json.loads(state)["state"] for state in by_topic["yard/state"]] == ["hearing", "stopped"]
    events = [json.loads(payload) for payload in by_topic["yard/event"]]
    assert [(e["phase"], e["label"]) for e in events] == [("start", "tone"), ("end", "tone")] * 2
    assert events[0]["id"] == events[1]["id"] != events[2]["id"]
    for event in events:
        jsonschema.validate(event, event_schema())
    anchor = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    onsets = [(datetime.fromisoformat(e["onset"]) - anchor).total_seconds() for e in events[0::2]]
    assert onsets == pytest.approx([0.5, 1.8], abs=0.13)
    assert [json.loads(line) for line in done.stdout.splitlines()] == events


@needs_data
@pytest.mark.parametrize("speed", ["1", "max"])
def test_real_recordings_through_a_real_broker(broker: Broker, tmp_path: Path, speed: str) -> None:
    """One test-split recording of each label that the model finds, in one file with silence between them."""
    picked = pick()
    gap = np.random.default_rng(0).normal(0.0, 1e-4, RATE)
    parts, truth, at = [gap], [], 1.0
    for row in picked:
        samples, rate = soundfile.read(DATA / row["path"], dtype="float32")
        assert rate == RATE
        samples = samples[: 5 * RATE]
        truth.append((row["class"], at + float(row["active_onset"]), at + len(samples) / RATE))
        parts += [samples, gap]
        at += len(samples) / RATE + 1.0
    soundfile.write(tmp_path / "street.wav", np.concatenate(parts), RATE)
    with subscriber(broker, tmp_path, "earwitness/+/replay/event") as received:
        done = earwitness(
            "replay", tmp_path / "street.wav", "--mqtt", f"mqtt://127.0.0.1:{broker.port}", "--speed", speed,
            "--start-time", "2026-01-01",
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(payload) for _, payload in received]
    for event in events:
        jsonschema.validate(event, event_schema())
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [e for e in events if e["phase"] == "start"]
    heard = [(e["label"], (datetime.fromisoformat(e["onset"]) - anchor).total_seconds()) for e in starts]
    for label, onset, offset in truth:
        near = [at for name, at in heard if name == label and onset - 0.5 <= at <= offset]
        assert near, f"{label} at {onset:.2f} s not among {heard}"
    assert {e["id"] for e in starts} == {e["id"] for e in events if e["phase"] == "end"}


def pick() -> list[dict[str, Any]]:
    """The first short test-split recording of each label whose own scan finds it: replay has to hear the same."""
    with (DATA / "clips.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and float(row["duration"]) <= 5.0]
    picked = []
    for label in ("siren", "gun_shot", "glass_break"):
        candidates = [row for row in rows if row["class"] == label][:12]
        lines = earwitness("detect", *(DATA / row["path"] for row in candidates)).stdout.splitlines()[1:]
        found = {line.split("\t")[0] for line in lines if line.split("\t")[3] == label}
        assert len(found) >= len(candidates) / 3, f"{label}: found in {len(found)} of {len(candidates)} recordings"
        picked.append(next(row for row in candidates if str(DATA / row["path"]) in found))
    return picked


def test_a_broker_that_is_not_there(toy: Path, recording: Path) -> None:
    done = earwitness("replay", recording, "--mqtt", f"mqtt://127.0.0.1:{free_port()}", "-m", toy)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "connection refused" in done.stderr


def test_a_broker_that_refuses(tmp_path: Path, toy: Path, recording: Path) -> None:
    with Broker(tmp_path, users={"gate": "right"}) as broker:
        config = tmp_path / "earwitness.toml"
        config.write_text(f'[mqtt]\nurl = "mqtt://gate@127.0.0.1:{broker.port}"\npassword = "wrong"\n')
        done = earwitness("replay", recording, "-c", config, "-m", toy)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"127.0.0.1:{broker.port}" in done.stderr
    assert "wrong" not in done.stderr


def test_one_bad_recording_never_stops_the_others(tmp_path: Path, toy: Path, recording: Path) -> None:
    (tmp_path / "page.wav").write_text("<html>")
    done = earwitness("replay", tmp_path / "page.wav", recording, tmp_path / "gone.wav", "-m", toy, "--speed", "max")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 4
    assert [line.split(": ")[1].split("/")[-1] for line in done.stderr.splitlines()] == ["page.wav", "gone.wav"]


def test_without_a_journal_in_the_config_none_is_left(
    tmp_path: Path, toy: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setitem(ENVIRONMENT, "XDG_STATE_HOME", str(tmp_path / "state"))
    assert earwitness("replay", recording, "-m", toy, "--speed", "max").returncode == 0
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "state").exists()


def test_a_live_pipe_is_told_as_it_happens(toy: Path) -> None:
    """Sound that trickles in through a pipe, as from a recorder: the start is told while the sound still goes on."""
    sound = (bursts((0.5, 5.0), seconds=5.0) * 32_767).astype("<i2")
    unknown = b"\xff\xff\xff\xff"
    rates = RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little")
    header = b"RIFF" + unknown + b"WAVEfmt \x10\0\0\0\x01\0\x01\0" + rates + b"\x02\0\x10\0data" + unknown
    with subprocess.Popen(
        command("replay", "-", "-m", toy, "--speed", "max"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(header + sound[: 2 * RATE].tobytes())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["phase"] == "start"  # and the pipe is still open
        process.stdin.write(sound[2 * RATE :].tobytes())
        process.stdin.close()
        assert json.loads(process.stdout.readline())["phase"] == "end"
        assert process.wait(60) == 0


def test_lines_go_to_a_file_if_one_is_named(tmp_path: Path, toy: Path, recording: Path) -> None:
    for runs in (1, 2):
        done = earwitness("replay", recording, "-m", toy, "--speed", "max", "--lines", tmp_path / "events.jsonl")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 4 * runs
    done = earwitness("replay", recording, "-m", toy, "--lines", tmp_path)
    assert done.returncode == 1
    assert "is a directory; name a file that this user can write" in done.stderr


def test_a_named_journal_remembers_and_the_daemons_is_left_alone(tmp_path: Path, toy: Path, recording: Path) -> None:
    config = tmp_path / "earwitness.toml"
    config.write_text('[journal]\npath = "daemon.db"\n')
    options = ["-m", toy, "-c", config, "--speed", "max", "--journal", tmp_path / "kept.db"]
    assert earwitness("replay", recording, *options).returncode == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "kept.db")) as journal:
        assert journal.execute("SELECT count(*) FROM event").fetchone() == (4,)
    assert not (tmp_path / "daemon.db").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_open_events_and_exits_at_once(tmp_path: Path, toy: Path, number: signal.Signals) -> None:
    soundfile.write(tmp_path / "long.wav", bursts((0.2, 30.0), seconds=30.0), RATE)
    with subprocess.Popen(
        command("replay", tmp_path / "long.wav", "-m", toy, "--loop"),
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["phase"] == "start"
        process.send_signal(number)
        end = json.loads(process.stdout.readline())
        process.wait(20)  # and not thirty: the sound goes on
    assert (process.returncode, end["phase"]) == (0, "end")


def test_a_stop_between_two_recordings_is_not_forgotten(tmp_path: Path, toy: Path) -> None:
    soundfile.write(tmp_path / "long.wav", bursts((0.2, 30.0), seconds=30.0), RATE)
    with Replay(Config(model=str(toy))) as replay:
        replay.stop()
        begin = time.monotonic()
        assert replay.play(str(tmp_path / "long.wav")) == 0.0
        assert time.monotonic() - begin < 20.0  # and not thirty


def test_loop_begins_again(tmp_path: Path, toy: Path, recording: Path) -> None:
    with subprocess.Popen(
        command("replay", recording, "-m", toy, "--loop", "--speed", "max"),
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout is not None
        phases = [json.loads(process.stdout.readline())["phase"] for _ in range(12)]
        process.terminate()
        process.communicate(timeout=240)
    assert phases == ["start", "end"] * 6
