"""The daemon as systemd runs it: its own process, real sound, a real broker, real signals."""

import json
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest
import soundfile

from sed.config import load
from sed.daemon import Daemon
from sed.message import event_schema
from tests.broker import Broker, Listener, eventually
from tests.daemon import SOON, START_SECONDS, Run
from tests.toy import RATE, bursts, metadata, write_toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a model, three recordings and the config are."""
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    soundfile.write(tmp_path / "yard.wav", bursts((0.5, 1.0), (1.6, 1.8), seconds=2.2), RATE)
    soundfile.write(tmp_path / "street.wav", bursts((0.3, 1.3), seconds=1.6), RATE)
    soundfile.write(tmp_path / "siren.wav", bursts((0.3, 120.0), seconds=120.0), RATE)
    return tmp_path


def configured(folder: Path, *sources: str, **tables: str) -> Path:
    """A config with these recordings as sources of the same names, and tables such as mqtt='url = ...'."""
    lines = ['node = "gate"', f'model = "{folder / "toy.onnx"}"']
    lines += [f'[[source]]\nname = "{name}"\nurl = "file:{name}.wav"' for name in sources]
    lines += ['[journal]\npath = "journal.db"']
    lines += [f"[{table}]\n{text}" for table, text in tables.items()]
    (folder / "gate.toml").write_text("\n".join(lines) + "\n")
    return folder / "gate.toml"


def test_two_sources_at_once_and_one_that_is_not_there(folder: Path, broker: Broker) -> None:
    config = configured(folder, "yard", "street", "gone", mqtt=f'url = "mqtt://127.0.0.1:{broker.port}"')
    with Listener(broker, folder) as listener, Run(folder, "-c", config) as run:
        assert run.end() == 1  # a source has failed
        eventually(lambda: listener.heard("availability")[-1].payload == "offline")
        told = {name: [json.loads(h.payload)["state"] for h in listener.heard(f"{name}/state")] for name in NAMES}
        events = [heard.json() for heard in listener.heard("/event")]
        labels = [heard.payload for heard in listener.heard("yard/tone")]
    assert told == {"yard": ["hearing", "stopped"], "street": ["hearing", "stopped"], "gone": ["stopped"]}
    assert labels == ["OFF", "ON", "OFF", "ON", "OFF"]
    for event in events:
        jsonschema.validate(event, event_schema())
    assert sorted((e["source"], e["phase"]) for e in events) == sorted((e["source"], e["phase"]) for e in run.events())
    assert [len(run.events("end", name)) for name in NAMES] == [2, 1, 0]
    assert [len(run.events("start", name)) for name in NAMES] == [2, 1, 0]
    durations = [event["duration"] for name in NAMES for event in run.events("end", name)]
    assert durations == pytest.approx([0.5, 0.2, 1.0], abs=0.13)
    assert run.said("error source gone: stopped: ")
    assert run.said("gone.wav: no such file")
    assert len(run.log().splitlines()) == 6  # connected, and one line for each state above


NAMES = ("yard", "street", "gone")


def test_it_ends_with_0_once_all_sound_is_over(folder: Path) -> None:
    with Run(folder, "-c", configured(folder, "street")) as run:
        assert run.end() == 0
    assert [event["phase"] for event in run.events()] == ["start", "end"]


def test_what_was_rejected_can_be_asked_for(folder: Path) -> None:
    config = configured(folder, "yard", "street", **{"rules.tone": "min_duration = 0.8"})
    daemon = Daemon(lambda: load(config))
    assert daemon.run() == 0
    assert daemon.rejected == {("yard", "tone", "short"): 2}


def test_sigterm_ends_the_open_event_tells_it_and_exits_soon(folder: Path, broker: Broker) -> None:
    config = configured(folder, "siren", "yard", mqtt=f'url = "mqtt://127.0.0.1:{broker.port}"')
    with Listener(broker, folder) as listener, Run(folder, "-c", config) as run:
        eventually(lambda: run.events("start", "siren"), START_SECONDS)
        eventually(lambda: listener.heard("siren/tone") and listener.heard("siren/tone")[-1].payload == "ON")
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
        eventually(lambda: listener.heard("availability")[-1].payload == "offline")
        assert listener.heard("siren/tone")[-1].payload == "OFF"
        told = [heard.json() for heard in listener.heard("siren/event")]
    assert [event["phase"] for event in told] == ["start", "end"]
    assert told[1]["offset"] > told[1]["onset"]
    assert told == run.events(source="siren")


def test_the_second_signal_kills(folder: Path) -> None:
    """A broker that hangs holds the daemon up for a moment; whoever cannot wait asks again."""
    with Broker(folder) as broker:
        config = configured(folder, "siren", mqtt=f'url = "mqtt://127.0.0.1:{broker.port}"')
        with Run(folder, "-c", config) as run:
            eventually(lambda: run.events("start"), START_SECONDS)
            broker.freeze()
            run.send(signal.SIGTERM)
            eventually(lambda: run.said("source siren: stopped"))
            run.send(signal.SIGINT)
            assert run.end(SOON) == -signal.SIGINT


def test_sighup_takes_over_a_threshold_and_a_wrong_one_not_and_no_sample_is_lost(folder: Path) -> None:
    soundfile.write(folder / "long.wav", bursts(*[(n + 0.5, n + 1.0) for n in range(300)], seconds=300.0), RATE)
    config = configured(folder, "long")
    with Run(folder, "-c", config) as run:
        eventually(lambda: run.events("end"), START_SECONDS)
        configured(folder, "long", **{"rules.tone": "on = 1.0"})  # the toy never gets there
        run.reload()
        eventually(lambda: hushed(run))
        before = run.events()
        configured(folder, "long", **{"rules.tone": "on = 0.6"})
        run.reload()
        eventually(lambda: len(run.events()) > len(before))
        for wrong, complaint in WRONG:
            config.write_text(configured(folder, "long").read_text() + wrong)
            run.reload(taken=False)
            assert complaint in run.log().splitlines()[-1]
        before = run.events()
        eventually(lambda: len(run.events("end")) >= len(before) / 2 + 1)
        run.send(signal.SIGTERM)
        assert run.end() == 0
    offsets = [datetime.fromisoformat(event["offset"]) for event in run.events("end")][:-1]  # the last was cut short
    for offset in offsets:  # all a whole number of seconds apart: no sample was lost
        assert abs((offset - offsets[0]).total_seconds() % 1.0 - 0.5) == pytest.approx(0.5, abs=0.1)
    assert {event["lost_samples"] for event in run.events()} == {0}


def hushed(run: Run) -> bool:
    """Whether nothing is told although there are bursts; what was going on may have to come to its end first."""
    before = run.events()
    time.sleep(2.2)
    return run.events() == before


WRONG = [
    (
        "[rules.tone]\non = 2.0\n",
        "rules.tone.on: should be less than or equal to 1, got 2.0; everything stays as it was",
    ),
    ("[rules.ton]\non = 0.9\n", "rules.ton: no such label in toy, did you mean 'tone'?"),
    ("[rules.tone\n", "not TOML"),
]


def test_sighup_brings_a_broker_and_takes_it_away_again(folder: Path, broker: Broker) -> None:
    config = configured(folder, "siren")
    with Listener(broker, folder) as listener, Run(folder, "-c", config) as run:
        eventually(lambda: run.events("start"), START_SECONDS)
        configured(folder, "siren", "yard", mqtt=f'url = "mqtt://127.0.0.1:{broker.port}"')
        run.reload()
        eventually(lambda: listener.heard("siren/tone"))
        assert listener.heard("siren/tone")[-1].payload == "ON"  # it was sounding all the time
        assert run.said("warning reload: source: changed by a restart only, stays as it was")
        configured(folder, "siren")
        run.reload()
        eventually(lambda: listener.heard("availability")[-1].payload == "offline")
        run.send(signal.SIGTERM)
        assert run.end() == 0
        assert listener.heard("siren/event") == []  # its start was before, its end after


def test_another_threshold_is_told_without_leaving_the_broker(folder: Path, broker: Broker) -> None:
    mqtt = f'url = "mqtt://127.0.0.1:{broker.port}"'
    config = configured(folder, "siren", mqtt=mqtt)
    with Listener(broker, folder) as listener, Run(folder, "-c", config) as run:
        eventually(
            lambda: listener.heard("siren/tone") and listener.heard("siren/tone")[-1].payload == "ON", START_SECONDS
        )
        configured(folder, "siren", mqtt=mqtt, **{"rules.tone": "on = 0.61"})
        run.reload()
        eventually(lambda: "0.61" in listener.heard("/config")[-1].payload)  # Home Assistant's slider stands there now
        assert {heard.payload for heard in listener.heard("availability")} == {"online"}
        assert listener.heard("siren/tone")[-1].payload == "ON"
        run.send(signal.SIGTERM)
        assert run.end() == 0


def test_an_order_over_mqtt_holds_at_once_and_after_a_restart(folder: Path, broker: Broker) -> None:
    soundfile.write(folder / "long.wav", bursts(*[(n + 0.5, n + 1.0) for n in range(300)], seconds=300.0), RATE)
    config = configured(folder, "long", mqtt=f'url = "mqtt://127.0.0.1:{broker.port}"')
    with Run(folder, "-c", config) as run, Listener(broker, folder) as listener:
        eventually(lambda: run.events("end"), START_SECONDS)
        order(broker, "long", label="tone", enable=False)
        eventually(lambda: any("orders" in heard.json() for heard in listener.heard("long/state")))
        eventually(lambda: hushed(run))
        before = run.events()
        assert before[-1]["phase"] == "end"
        run.send(signal.SIGTERM)
        assert run.end() == 0
    soundfile.write(folder / "long.wav", bursts((0.5, 1.0), seconds=1.5), RATE)
    with Run(folder, "-c", config) as run:
        assert run.end() == 0
        assert run.events() == []


def order(broker: Broker, source: str, **words: object) -> None:
    where = ["-h", "127.0.0.1", "-p", str(broker.port), "-t", f"earwitness/gate/{source}/set"]
    subprocess.run(["mosquitto_pub", *where, "-q", "1", "-m", json.dumps(words)], check=True)


def test_with_no_file_at_all_it_listens_to_the_default_microphone_and_tells_no_broker(tmp_path: Path) -> None:
    """There may be no microphone here: then it says so, and waits for one."""
    with Run(tmp_path, environment={"XDG_STATE_HOME": str(tmp_path)}) as run:
        eventually(lambda: run.said(" source mic: "), START_SECONDS)
        assert run.said("info source mic: hearing") or run.said("warning source mic: lost: ")
        assert (tmp_path / "earwitness" / "journal.db").exists()
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
    assert run.events() == []


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sed", "run", "--check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_check_says_what_it_would_do_and_does_nothing(folder: Path) -> None:
    config = configured(folder, "yard", "street")
    done = check("-c", config)
    where = f"{config}: node gate, model toy, listens to yard (file:yard.wav), street (file:street.wav), no broker\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, where, "")
    assert not (folder / "journal.db").exists()


def test_check_says_what_is_wrong(folder: Path) -> None:
    done = check("-c", configured(folder, "yard"), "--rule", "ton.on=0.5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("rules.ton: no such label in toy, did you mean 'tone'?\n")
    assert len(done.stderr.splitlines()) == 1
