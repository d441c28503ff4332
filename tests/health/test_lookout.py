"""Metrics of the real daemon, scraped as Prometheus does: with a broker, without, and while it is reloaded."""

import re
import signal
import socket
from pathlib import Path
from typing import NamedTuple

import pytest
import soundfile

from tests.broker import Broker, eventually, free_port
from tests.daemon import SOON, START_SECONDS, Run
from tests.faults.box import beating
from tests.microphone import VirtualMicrophone
from tests.scrape import Scrape, scrape
from tests.toy import RATE, bursts, metadata, write_toy

LABELS = {"source", "label", "reason", "cause", "kind", "sink", "state", "le"}
VERSIONS = {"name", "version", "python", "onnxruntime"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a model and five minutes of bursts are: one of half a second each second, and one too short to count."""
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.3, max_gap=0.05))
    spans = [span for n in range(300) for span in ((n + 0.1, n + 0.6), (n + 0.8, n + 0.85))]
    soundfile.write(tmp_path / "yard.wav", bursts(*spans, seconds=300.0), RATE)
    return tmp_path


def configured(folder: Path, port: int | None, *lines: str, url: str = "file:yard.wav") -> Path:
    document = ['node = "gate"', f'model = "{folder / "toy.onnx"}"', f'[[source]]\nname = "yard"\nurl = "{url}"']
    document += ['[journal]\npath = "journal.db"', *([f"[metrics]\nport = {port}"] if port else []), *lines]
    (folder / "gate.toml").write_text("\n".join(document) + "\n")
    return folder / "gate.toml"


def mqtt(broker: Broker) -> str:
    return f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"'


def test_what_was_heard_and_told_is_counted(folder: Path, broker: Broker) -> None:
    config = configured(folder, port := free_port(), mqtt(broker))
    with Run(folder, "-c", config) as run:
        eventually(lambda: len(run.events("end")) >= 2, START_SECONDS)
        before, first, after = len(run.events("start")), scrape(port), len(run.events("start"))
        eventually(lambda: len(run.events("end")) >= 5, START_SECONDS)
        last = scrape(port)
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
    assert before <= first.value("earwitness_events_total", source="yard", label="tone") <= after + 1
    heard = first.value("earwitness_audio_seconds_total", source="yard")
    assert after + 3 >= heard >= before - 1  # lines may come a little later than sound
    assert last.value("earwitness_audio_seconds_total", source="yard") > heard + 2.0
    assert last.value("earwitness_rejected_candidates_total", label="tone", reason="short") >= 4
    assert last.value("earwitness_rejected_candidates_total", label="tone", reason="cooldown") == 0
    assert {last.value("earwitness_dropped_samples_total", cause=cause) for cause in ("gap", "overwritten")} == {0.0}
    assert last.value("earwitness_level_dbfs", source="yard") == pytest.approx(-20.0, abs=1.0)
    states = {s.labels["state"]: s.value for s in last.samples if s.name == "earwitness_source_state"}
    assert states == {"hearing": 1.0, "silent": 0.0, "lost": 0.0, "stopped": 0.0}
    assert last.value("earwitness_sound_flowing") == 1.0
    assert last.value("earwitness_model_info", name="toy", version="1") == 1.0
    assert last.value("earwitness_inference_seconds_count", source="yard") >= 10.0
    assert 0.0 < last.value("earwitness_inference_seconds_sum", source="yard") < 5.0
    assert_told(last)
    assert {name for s in last.samples for name in s.labels} <= LABELS | VERSIONS


def assert_told(found: Scrape) -> None:
    """Everything, soon, and no sooner than it was certain."""
    events = found.value("earwitness_events_total", source="yard", label="tone")
    for sink in ("mqtt", "jsonlines"):
        for since, least in (("onset", 0.3), ("detected", 0.0)):
            name = f"earwitness_{since}_to_publish_seconds"
            count = found.value(f"{name}_count", sink=sink, label="tone")
            assert count == pytest.approx(events, abs=2)
            assert least * count < found.value(f"{name}_sum", sink=sink, label="tone") < 10.0 * count
    assert found.value("earwitness_broker_connected") == 1.0
    assert found.value("earwitness_broker_connects_total") == 1.0
    assert found.value("earwitness_queue_messages", sink="mqtt") <= 3.0
    assert found.value("earwitness_discarded_messages_total", sink="mqtt") == 0.0


def test_a_broker_that_is_away_shows_in_the_queue(folder: Path, broker: Broker) -> None:
    config = configured(folder, port := free_port(), mqtt(broker))
    with Run(folder, "-c", config) as run:
        eventually(lambda: run.events("end"), START_SECONDS)
        broker.kill()
        eventually(lambda: queue(port).messages >= 2, START_SECONDS)
        eventually(lambda: queue(port).age > 0.3, START_SECONDS)
        away = scrape(port)
        broker.start()
        eventually(lambda: scrape(port).value("earwitness_broker_connected") == 1.0, START_SECONDS)
        eventually(lambda: queue(port) <= (1.0, 0.9), START_SECONDS)
        again = scrape(port)
    assert away.value("earwitness_broker_connected") == 0.0
    assert again.value("earwitness_broker_connects_total") == 2.0


class Queue(NamedTuple):
    """What waits for the broker, and for how many seconds the oldest of it has."""

    messages: float
    age: float


def queue(port: int) -> Queue:
    found = scrape(port)
    return Queue(*(found.value(f"earwitness_queue_{name}", sink="mqtt") for name in ("messages", "age_seconds")))


def test_a_microphone_that_goes_and_comes_back(folder: Path) -> None:
    with VirtualMicrophone(folder) as microphone:
        microphone.sound = beating
        microphone.plug()
        with Run(folder, "-c", configured(folder, port := free_port(), url="mic:yard")) as run:
            eventually(lambda: run.said("info source yard: hearing"), START_SECONDS)
            heard = scrape(port)
            microphone.kill()
            eventually(lambda: scrape(port).value("earwitness_source_state", state="lost") == 1.0, START_SECONDS)
            lost = scrape(port)
            microphone.plug()
            eventually(lambda: scrape(port).value("earwitness_source_state", state="hearing") == 1.0, START_SECONDS)
            again = scrape(port)
    assert heard.value("earwitness_source_opens_total", source="yard") == 1.0
    assert heard.has("earwitness_capture_faults_total", source="yard", kind="overflow")
    assert abs(heard.value("earwitness_clock_drift_ppm", source="yard")) < 1e5
    assert not heard.has("earwitness_broker_connected")  # there is none
    assert lost.value("earwitness_level_dbfs", source="yard") == -120.0
    assert again.value("earwitness_source_opens_total", source="yard") >= 2.0
    assert again.value("earwitness_dropped_samples_total", source="yard", cause="gap") > 0.0
    assert again.value("earwitness_dropped_samples_total", source="yard", cause="overwritten") == 0.0


def test_a_reload_brings_moves_and_ends_them_and_a_port_in_use_changes_nothing(folder: Path) -> None:
    first, second = free_port(), free_port()
    with Run(folder, "-c", configured(folder, None)) as run:
        eventually(lambda: run.events("end"), START_SECONDS)
        configured(folder, first)
        run.reload()
        assert scrape(first).value("earwitness_events_total") >= 1.0  # also those from before anybody could ask
        configured(folder, second)
        run.reload()
        assert scrape(second).has("earwitness_events_total")
        assert refused(first)
        with socket.create_server(("127.0.0.1", first)):
            configured(folder, first)
            run.reload()
            assert run.said(f"error reload: metrics: 127.0.0.1 port {first}: address already in use; ")
            assert scrape(second).has("earwitness_events_total")
        run.reload()
        assert scrape(first).has("earwitness_events_total")
        configured(folder, None)
        run.reload()
        assert refused(first)
        assert refused(second)
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0


def refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_in_use_at_start_is_one_line_and_nothing_is_listened_to(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Run(folder, "-c", configured(folder, port)) as run:
            assert run.end() == 1
    assert re.fullmatch(rf"earwitness: metrics: 127\.0\.0\.1 port {port}: address already in use; .*\n", run.log())
    assert run.events() == []
