"""Brokers that are away, restarted or hung, and processes that are killed: nothing is lost, the last word is true."""

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest

from sed.config import MqttConfig
from sed.journal import Journal, SourceState
from sed.message import Message
from sed.sinks import connection
from sed.sinks.mqtt import NAME, MqttSink
from tests.broker import PATIENCE_SECONDS, Broker, Listener, eventually
from tests.messages import message

HEARING = SourceState("yard", "hearing", -43.21, 0, "earwitness-1")
SOON = 20.0
"""Seconds. The promise is two, on a computer that is not busy; who waits for a broker waits for longer than this."""


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_SECONDS", 0.4)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", [NAME]) as opened:
        yield opened


def gate(journal: Journal, broker: Broker, protocol: str = "5") -> MqttSink:
    return MqttSink(journal, broker.mqtt(protocol=protocol), "gate", ["yard"], ["siren"])


def append_slowly(journal: Journal, messages: Sequence[Message]) -> None:
    for each in messages:
        journal.append(each)
        time.sleep(0.005)


def first_time_each(listener: Listener) -> list[object]:
    """The ids heard, in order; what was heard a second time counts once."""
    return list(dict.fromkeys(event.json()["id"] for event in listener.heard("event")))


def test_a_broker_that_comes_late_hears_everything(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sent = [message() for _ in range(30)]
    broker = Broker(tmp_path, persistent=True)
    with broker, Listener(broker, tmp_path, lasting=True) as listener:
        broker.stop()
        with gate(journal, broker) as sink:
            for each in sent:
                journal.append(each)
            eventually(lambda: "connection refused" in caplog.text)
            assert sink.drain(0.3) == 30
            assert not sink.connected
            broker.start()
            assert sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: len(first_time_each(listener)) == 30)
    assert first_time_each(listener) == [each["id"] for each in sent]
    at = f"broker 127.0.0.1:{broker.port}"
    assert [record.message for record in caplog.records] == [
        f"{at}: connection refused; is it running, and is the port right? (trying again)",
        f"{at}: connected",
    ]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_restarts_in_the_middle_misses_nothing(journal: Journal, tmp_path: Path, protocol: str) -> None:
    sent = [message() for _ in range(150)]
    broker = Broker(tmp_path, persistent=True)
    with broker, Listener(broker, tmp_path, lasting=True) as listener, gate(journal, broker, protocol) as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        feeding = threading.Thread(target=append_slowly, args=[journal, sent])
        feeding.start()
        for _ in range(2):
            time.sleep(0.2)
            broker.stop()
            time.sleep(0.1)
            broker.start()
        feeding.join()
        assert sink.drain(PATIENCE_SECONDS) == 0
        eventually(lambda: len(first_time_each(listener)) == len(sent))
    assert first_time_each(listener) == [each["id"] for each in sent]


def test_all_states_are_told_again_to_a_broker_that_forgot_them(journal: Journal, tmp_path: Path) -> None:
    journal.report(HEARING)
    with Broker(tmp_path) as broker, gate(journal, broker) as sink:
        sink.wait_connected(PATIENCE_SECONDS)
        journal.append(message())
        assert sink.drain(PATIENCE_SECONDS) == 0
        broker.kill()
        eventually(lambda: not sink.connected)
        broker.start()
        eventually(lambda: sink.connected)
        with Listener(broker, tmp_path) as listener:
            eventually(lambda: listener.heard("state"))
            told = {heard.topic: heard.payload for heard in listener.heard() if heard.retain}
    assert told == {
        "earwitness/gate/availability": "online",
        "earwitness/gate/yard/siren": "ON",
        "earwitness/gate/yard/state": '{"state": "hearing", "dropped_samples": 0, "model": "earwitness-1"}',
    }


@pytest.mark.parametrize("outage", ["kill", "freeze"])
def test_closing_is_soon_over_whatever_the_broker_does(journal: Journal, tmp_path: Path, outage: str) -> None:
    journal.report(HEARING)
    with Broker(tmp_path) as broker:
        sink = gate(journal, broker)
        sink.wait_connected(PATIENCE_SECONDS)
        getattr(broker, outage)()
        journal.append(message())
        began = time.monotonic()
        sink.close()
        assert time.monotonic() - began < SOON
    assert journal.undelivered(NAME) == 1


def test_closing_in_the_middle_of_a_handshake_does_not_wait_for_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 2.0 * SOON)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sink = MqttSink(journal, MqttConfig(url=f"mqtts://127.0.0.1:{mute.getsockname()[1]}"), "gate")
        mute.settimeout(PATIENCE_SECONDS)
        with mute.accept()[0] as accepted:
            assert accepted.recv(1)  # it has begun
            began = time.monotonic()
            sink.close()
            assert time.monotonic() - began < SOON


def test_two_nodes_of_one_name_are_told_apart(
    journal: Journal, broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Journal(tmp_path / "other.db", [NAME]) as other, gate(journal, broker) as first:
        first.wait_connected(PATIENCE_SECONDS)
        with gate(other, broker):
            eventually(lambda: "does another client use the same id? Give each node its own name" in caplog.text)


LISTENING = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.broker import PATIENCE_SECONDS
from tests.messages import message
from sed.config import MqttConfig
from sed.journal import Journal, SourceState
from sed.sinks.mqtt import NAME, MqttSink
journal = Journal(Path(sys.argv[1]), [NAME])
journal.close_abandoned()
journal.report(SourceState("yard", "hearing", -43.21, 0, "earwitness-1"))
sink = MqttSink(journal, MqttConfig(url=sys.argv[2]), "gate", ["yard"], ["siren"])
sink.wait_connected(PATIENCE_SECONDS)
for number in range(int(sys.argv[4]), int(sys.argv[5])):
    journal.append(message(name=f"{number:026}"))
    print(number, flush=True)
print("left", sink.drain(PATIENCE_SECONDS), flush=True)
time.sleep(60.0)
"""


class Daemon:
    """A process that appends starts, first to last, and tells them."""

    def __init__(self, broker: Broker, folder: Path, first: int, last: int) -> None:
        where = [str(folder / "daemon.db"), broker.mqtt().url, str(Path(__file__).parents[1]), str(first), str(last)]
        self._process = subprocess.Popen([sys.executable, "-c", LISTENING, *where], stdout=subprocess.PIPE, text=True)

    def read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> list[str]:
        """SIGKILL; returns what it had still said."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.stdout is not None
        with self._process as process, self._process.stdout as out:
            lines = out.read().split()
            process.wait(PATIENCE_SECONDS)
        return lines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process.returncode is None:
            self.kill()


def test_kill_9_of_the_daemon_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    with Listener(broker, tmp_path) as listener:
        with Daemon(broker, tmp_path, 0, 100_000) as daemon:
            appended = [int(daemon.read()) for _ in range(100)]
            appended += [int(line) for line in daemon.kill()]
        eventually(lambda: listener.heard("availability")[-1].payload == "offline")  # the will
        with Daemon(broker, tmp_path, 200_000, 200_001) as second:
            assert second.read() == "200000"
            assert second.read() == "left 0"
            eventually(lambda: f"{200_000:026}" in first_time_each(listener))
        heard = [int(str(name)) for name in first_time_each(listener)]
        assert heard[: len(appended)] == appended
        assert heard == sorted(heard)


def test_an_event_cut_short_by_kill_9_is_ended_by_the_next_process(broker: Broker, tmp_path: Path) -> None:
    with Listener(broker, tmp_path) as listener:
        with Daemon(broker, tmp_path, 0, 1) as daemon:
            assert (daemon.read(), daemon.read()) == ("0", "left 0")
            eventually(lambda: listener.heard("siren")[-1].payload == "ON")
        eventually(lambda: listener.heard("availability")[-1].payload == "offline")
        with Daemon(broker, tmp_path, 0, 0) as second:
            assert second.read() == "left 0"
            eventually(lambda: listener.heard("siren")[-1].payload == "OFF")
            eventually(lambda: len(listener.heard("event")) == 2)
        end = listener.heard("event")[-1].json()
        assert (end["id"], end["phase"], end["offset"], end["duration"]) == ("0" * 26, "end", None, None)
