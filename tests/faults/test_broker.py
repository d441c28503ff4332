"""Brokers that are away, that die at the worst moment, or that say no."""

import signal
import time
from pathlib import Path

import pytest

from tests.broker import Broker, Listener, certificates, eventually
from tests.daemon import START_SECONDS
from tests.faults.accounts import (
    assert_accounted,
    assert_beats,
    assert_holds,
    everything_arrives,
    heard_on,
    held,
    logged,
    received,
)
from tests.faults.box import Box
from tests.faults.wire import Wire

RETRY_SECONDS = 180.0
"""A daemon that has tried for a minute waits for up to a minute before it tries again."""


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.soak)])
def test_down_for_a_while_and_back(box: Box, tmp_path: Path, seconds: float) -> None:
    with Broker(tmp_path, persistent=True) as broker, Listener(broker, tmp_path, lasting=True) as listener:
        box.configure(broker, yard=box.beats("yard", 300))
        with box.run() as run:
            eventually(lambda: listener.heard("/event"), START_SECONDS)
            before = len(run.events())
            broker.stop()
            logged(run, "connection lost")
            time.sleep(seconds)
            eventually(lambda: len(run.events()) > before + seconds, START_SECONDS)
            broker.start()
            eventually(lambda: run.log().count("connected") >= 2, RETRY_SECONDS)
            everything_arrives(box.runs, listener)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_beats(received(listener).values())
        assert_beats(run.events())


def test_down_again_and_again_leaves_nothing_open(box: Box, tmp_path: Path) -> None:
    with Broker(tmp_path, persistent=True) as broker, Listener(broker, tmp_path, lasting=True) as listener:
        box.configure(broker, yard=box.beats("yard", 300))
        with box.run() as run:
            heard_on(run)
            everything_arrives(box.runs, listener)
            before = held(run)
            for outage in range(1, 4):
                broker.kill() if outage == 2 else broker.stop()
                logged(run, "connection lost", outage)
                broker.start()
                logged(run, "connected", outage + 1)
                everything_arrives(box.runs, listener)
                assert_holds(run, before)
            run.send(signal.SIGTERM)
            assert run.end() == 0


@pytest.mark.parametrize("told", ["to nobody", "to everybody"])
def test_killed_between_publish_and_puback(box: Box, tmp_path: Path, told: str) -> None:
    """What the broker had not confirmed comes again, with the id that it had."""
    with (
        Broker(tmp_path) as broker,
        Wire(broker.port) as wire,
        Listener(broker, tmp_path) as listener,
    ):
        box.configure(f'url = "mqtt://127.0.0.1:{wire.port}"', yard=box.beats("yard", 300))
        with box.run() as run:
            eventually(lambda: listener.heard("/event"), START_SECONDS)
            everything_arrives(box.runs, listener)
            if told == "to nobody":
                broker.freeze()
                known = len(run.events())
                eventually(lambda: len(run.events()) > known + 1)
            else:
                wire.withholds = True
                known, before = len(run.events()), wire.withheld
                eventually(lambda: wire.withheld > before + 2)  # an event and its label at least
                eventually(lambda: len(received(listener)) > known)
            wire.cut = True
            broker.kill()
            logged(run, "connection lost")
            wire.withholds = False
            again = listener.subscribed()
            broker.start()
            eventually(lambda: listener.subscribed() > again, START_SECONDS)
            wire.cut = False
            eventually(lambda: run.log().count("connected") >= 2, RETRY_SECONDS)
            everything_arrives(box.runs, listener)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_beats(received(listener).values())
        assert (len(listener.heard("/event")) > len(received(listener))) == (told == "to everybody")


def test_a_wrong_password_and_then_the_right_one(box: Box, tmp_path: Path) -> None:
    """Where systemd puts it: a credential of that name."""
    secret = tmp_path / "credentials" / "mqtt-password"
    secret.parent.mkdir()
    secret.write_text("falsch")
    options = ["-u", "hearer", "-P", "offen"]
    with (
        Broker(tmp_path, users={"gate": "geheim", "hearer": "offen"}) as broker,
        Listener(broker, tmp_path, options=options) as listener,
    ):
        mqtt = f'url = "mqtt://gate@127.0.0.1:{broker.port}"\npassword_file = "{secret.name}"'
        box.configure(mqtt, yard=box.beats("yard", 300))
        with box.run(environment={"CREDENTIALS_DIRECTORY": str(secret.parent)}) as run:
            logged(run, "not authorized; set mqtt.username and mqtt.password_file")
            heard_on(run, 2)
            assert not received(listener)
            secret.write_text("geheim\n")
            everything_arrives(box.runs, listener)
            assert run.log().count("not authorized") == 1
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert "geheim" not in run.log()
        assert "falsch" not in run.log()
        assert_accounted(box.runs, listener)
        assert_beats(received(listener).values())


def test_a_certificate_for_another_name_and_then_the_right_name(box: Box, tmp_path: Path) -> None:
    tls = certificates(tmp_path)
    with (
        Broker(tmp_path, tls=tls) as broker,
        Listener(broker, tmp_path, options=["--cafile", tls["ca"]]) as listener,
    ):
        authority, yard = f'ca_file = "{tls["ca"]}"', box.beats("yard", 300)
        box.configure(f'url = "mqtts://localhost:{broker.port}"\n{authority}', yard=yard)
        with box.run() as run:
            logged(run, "certificate is not valid for 'localhost'")
            heard_on(run, 2)
            assert not received(listener)
            before = held(run)
            box.configure(f'url = "mqtts://127.0.0.1:{broker.port}"\n{authority}', yard=yard)
            run.reload()
            everything_arrives(box.runs, listener)
            assert run.log().count("certificate is not valid") == 1
            most = (before[0] + 3, before[1])  # the connection: two ends to wake it, and the socket
            eventually(lambda: all(now <= then for now, then in zip(held(run), most, strict=True)), START_SECONDS)
            run.send(signal.SIGTERM)
            assert run.end() == 0
        assert_accounted(box.runs, listener)
        assert_beats(received(listener).values())
