"""Publishing by a daemon: from its first sound on, through reloads, and beside whoever does not read."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile
import zmq

from sed.broadcast.bulletin import Bulletin
from sed.broadcast.lookout import Broadcast
from sed.config import Config, load
from sed.curve import Keys, write_keys
from sed.daemon import Daemon
from sed.errors import ConfigError, SinkError
from sed.listen.subscriber import Access, Subscriber
from sed.message import event_schema
from tests.broadcast.feeds import RULES, STATE, origin
from tests.broker import eventually, free_port
from tests.daemon import SOON, START_SECONDS, Run
from tests.test_daemon import configured
from tests.toy import RATE, bursts, metadata, write_toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    soundfile.write(tmp_path / "yard.wav", bursts((2.5, 3.0), (3.6, 3.8), seconds=4.2), RATE)
    soundfile.write(tmp_path / "long.wav", bursts(*[(n + 0.5, n + 1.0) for n in range(300)], seconds=300.0), RATE)
    return tmp_path


def heard(subscriber: Subscriber, seconds: float = START_SECONDS) -> Iterator[Bulletin]:
    """All that comes; waits so long for each."""
    while True:
        bulletin = next(subscriber.bulletins(seconds), None)
        assert bulletin is not None, subscriber.trouble
        yield bulletin


def url(port: int) -> str:
    return f"tcp://127.0.0.1:{port}"


def publish(port: int) -> str:
    return f'publish = "{url(port)}"'


def test_a_daemon_publishes_all_that_it_hears(folder: Path) -> None:
    port, told = free_port(), list[Bulletin]()
    config = configured(folder, "yard", zmq=publish(port))
    with Subscriber(url(port)) as subscriber, Run(folder, "-c", config) as run:
        for bulletin in heard(subscriber):
            told.append(bulletin)
            if bulletin.kind == "state" and bulletin.content()["state"] == "stopped":
                break
        assert run.end() == 0
        assert subscriber.lost.total() == 0
    assert [each.content() for each in told if each.kind == "event"] == run.events()
    assert len(run.events()) == 4
    for event in run.events():
        jsonschema.validate(event, event_schema())
    scores = [each for each in told if each.kind == "scores"]
    starts, rows = [each.sample or 0 for each in scores], [len(each.rows()) for each in scores]
    np.testing.assert_array_equal(np.diff(starts), 640 * np.array(rows[:-1]))
    values = np.concatenate([each.rows()[:, 0] for each in scores])
    loud = (starts[0] + 640 * np.flatnonzero(values > 0.9)) / RATE
    assert loud[0] == pytest.approx(2.5, abs=0.15)
    assert loud[-1] == pytest.approx(3.8, abs=0.15)
    assert max(each.content()["level_dbfs"] for each in told if each.kind == "level") == pytest.approx(-20, abs=0.5)


def test_sighup_brings_a_publisher_moves_it_and_takes_it_away(folder: Path) -> None:
    one, two = free_port(), free_port()
    with Run(folder, "-c", configured(folder, "long")) as run:
        eventually(lambda: run.events("start"), START_SECONDS)
        configured(folder, "long", zmq=publish(one))
        run.reload()
        with Subscriber(url(one)) as subscriber:
            first = next(heard(subscriber))
            configured(folder, "long", zmq=publish(one), **{"rules.tone": "on = 0.75"})
            run.reload()  # the same publisher tells of another threshold
            hellos = (bulletin.content()["on"] for bulletin in heard(subscriber) if bulletin.kind == "hello")
            assert next(on for on in hellos if on != [0.5]) == [0.75]
            assert subscriber.lost.total() == 0
        configured(folder, "long", zmq=publish(two))
        run.reload()
        with Subscriber(url(two)) as subscriber:
            assert next(heard(subscriber)).session == first.session
            configured(folder, "long")
            run.reload()
            eventually(lambda: not list(subscriber.bulletins(1.0)))
        run.send(signal.SIGTERM)
        assert run.end() == 0
    assert {event["lost_samples"] for event in run.events()} == {0}


def test_a_port_that_is_taken_is_told_and_never_stops_the_ears(folder: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1")
        with Run(folder, "-c", configured(folder, "long")) as run:
            eventually(lambda: run.events("start"), START_SECONDS)
            configured(folder, "long", zmq=publish(port))
            run.reload()
            assert run.said(f"error zmq.publish: {url(port)}: address already in use; choose another, or end what uses")
            before = len(run.events())
            eventually(lambda: len(run.events()) > before + 1)
        with Run(folder, "-c", configured(folder, "long", zmq=publish(port))) as run:
            assert run.end() == 1
            assert run.said(f"zmq.publish: {url(port)}: address already in use")


@contextmanager
def deaf(port: int) -> Iterator[None]:
    """A client that subscribes to everything and never reads."""
    with zmq.Context() as context, context.socket(zmq.SUB) as sub:
        sub.linger, sub.rcvhwm = 0, 1
        sub.setsockopt(zmq.RCVBUF, 1_024)
        sub.subscribe(b"")
        sub.connect(url(port))
        yield


def test_a_client_that_never_reads_costs_the_daemon_nothing(folder: Path) -> None:
    port = free_port()
    config = configured(folder, "yard", "long", zmq=publish(port))
    with deaf(port), Subscriber(url(port), "yard") as subscriber, Run(folder, "-c", config) as run:
        for bulletin in heard(subscriber):
            if bulletin.kind == "state" and bulletin.content()["state"] == "stopped":
                break
        run.send(signal.SIGTERM)
        assert run.end(SOON) == 0
        assert subscriber.lost.total() == 0
    starts = [event["id"] for event in run.events("start")]
    assert sorted(starts) == sorted(event["id"] for event in run.events("end"))
    assert {event["lost_samples"] for event in run.events()} == {0}


def test_with_keys(folder: Path) -> None:
    port, server, friend = free_port(), Keys.new("gate"), Keys.new("friend")
    write_keys(folder / "gate", server)
    (folder / "clients").mkdir()
    tables = {"zmq": f'{publish(port)}\nsecret_key_file = "gate.key"\nallowed_keys = "clients"'}
    config = configured(folder, "long", **tables)
    with pytest.raises(ConfigError, match=r"clients: no \*.pub in this folder; copy the public key there of everyone"):
        Daemon(lambda: load(config))
    write_keys(folder / "clients" / "stranger", Keys.new())
    with Subscriber(url(port), access=Access(friend, server.public)) as subscriber, Run(folder, "-c", config) as run:
        eventually(lambda: list(subscriber.bulletins(0.1)) == [] and run.said("is not allowed"), START_SECONDS)
        write_keys(folder / "clients" / "friend", friend)
        run.reload()  # and the subscriber tries again
        assert next(heard(subscriber)).source == "long"


def test_check_says_where_it_would_publish(folder: Path) -> None:
    config = configured(folder, "yard", zmq='publish = "ipc://ear"')
    assert Daemon(lambda: load(config)).summary.endswith(f"no broker, publishes at ipc://{folder}/ear")
    assert not (folder / "ear").exists()


def test_the_first_configuration_may_fail_and_a_later_one_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    wrong = {"publish": "tcp://127.0.0.1:1", "secret_key_file": "/nowhere/a.key", "allowed_keys": "/nowhere"}
    broadcast = Broadcast(lambda: [STATE], lambda source: RULES)
    with pytest.raises(ConfigError, match=r"a.key: no such file"):
        broadcast.update(Config.model_validate({"zmq": wrong}))
    broadcast.update(Config.model_validate({"zmq": wrong}))
    assert "a.key: no such file or directory" in caplog.messages[0]
    with Subscriber(url(port := free_port())) as subscriber:
        broadcast.update(Config.model_validate({"zmq": {"publish": url(port)}}))
        broadcast.observe(origin())
        assert next(heard(subscriber)).node == "gate"
        other = Broadcast(list, lambda source: RULES)
        with pytest.raises(SinkError, match="address already in use"):
            other.update(Config.model_validate({"zmq": {"publish": url(port)}}))
        broadcast.close()
        broadcast.close()
