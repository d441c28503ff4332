"""What may go wrong with a collector, its broker and its database: every event is accounted for, once."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sed.fleet.store import Store
from sed.message import Message
from tests.broker import Broker, eventually
from tests.fleet.collecting import SECONDS, Collecting, Command, ended, pair, rows, send
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)
"""For what has little to do with the kind of database: processes take their time."""
STUCK = "(trying again; the broker keeps what comes)"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, persistent=True) as running:
        yield running


@contextlib.contextmanager
def held(store: Store) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    postgres = store.engine.dialect.name == "postgresql"
    with store.engine.connect().execution_options(immediate=True) as connection, connection.begin() as transaction:
        if postgres:
            connection.execute(text("LOCK TABLE event IN EXCLUSIVE MODE"))
        try:
            yield
        finally:
            transaction.rollback()


def events(count: int) -> list[Message]:
    """Starts and ends, of some boxes."""
    return [message for number in range(count) for message in pair(f"box-{number % 5}")]


def names(messages: list[Message]) -> set[Any]:
    return {message["id"] for message in messages}


def test_killed_between_receipt_and_commit(broker: Broker, place: Place, store: Store, tmp_path: Path) -> None:
    told = events(50)
    with Collecting(tmp_path, broker, place) as run:
        eventually(run.ready, SECONDS)
        with held(store):
            send(broker, told)
            eventually(lambda: run.said(STUCK), SECONDS)
            run.send(signal.SIGKILL)
            run.end()
    assert rows(store) == {}
    with Collecting(tmp_path, broker, place) as run:
        eventually(lambda: ended(store) == names(told), SECONDS)
    assert set(rows(store)) == names(told)


def test_killed_between_commit_and_acknowledgement(broker: Broker, postgres: Postgres, tmp_path: Path) -> None:
    """A second server that has to confirm every commit, and is not there: committed, and the collector not told."""
    told = events(20)
    with postgres.database() as name, postgres.connect() as server:
        place = Place(postgres.url(name), PASSWORD)
        with place.open() as store:
            with Collecting(tmp_path, broker, place) as run:
                eventually(run.ready, SECONDS)
                server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
                server.execute("SELECT pg_reload_conf()")
                try:
                    send(broker, told)
                    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                    eventually(lambda: server.execute(waiting).fetchone(), SECONDS)
                    run.send(signal.SIGKILL)
                    run.end()
                    for (pid,) in server.execute(waiting).fetchall():
                        server.execute("SELECT pg_terminate_backend(%s)", [pid])
                finally:
                    server.execute("ALTER SYSTEM RESET synchronous_standby_names")
                    server.execute("SELECT pg_reload_conf()")
            eventually(lambda: rows(store), SECONDS)
            before = {name: row.received_at for name, row in rows(store).items()}
            with Collecting(tmp_path, broker, place):
                eventually(lambda: ended(store) == names(told), SECONDS)
            assert set(rows(store)) == names(told)
            assert {name: row.received_at for name, row in rows(store).items() if name in before} == before


@on_postgresql
@pytest.mark.parametrize("group", [None, "collectors"])
def test_the_broker_is_restarted(broker: Broker, place: Place, store: Store, tmp_path: Path, group: str | None) -> None:
    """With messages that nobody has acknowledged, and with more that come before the collector is back.

    Mosquitto does not keep the latter for a group.
    """
    first, second, third = events(20), events(20), events(20)
    with Collecting(tmp_path, broker, place, group=group) as run:
        eventually(run.ready, SECONDS)
        send(broker, first)
        eventually(lambda: ended(store) == names(first), SECONDS)
        with held(store):
            send(broker, second)
            eventually(lambda: run.said(STUCK), SECONDS)
            broker.stop()
            broker.start()
            if group:
                eventually(lambda: run.log().count(": connected") == 2, SECONDS)
            send(broker, third)
        eventually(lambda: ended(store) == names([*first, *second, *third]), SECONDS)
        assert run.said("connection lost")
    assert len(rows(store)) == 60


def test_postgresql_is_restarted(broker: Broker, postgres: Postgres, tmp_path: Path) -> None:
    before, meanwhile, after = events(20), events(20), events(20)
    with postgres.database() as name:
        place = Place(postgres.url(name), PASSWORD)
        with place.open() as store, Collecting(tmp_path, broker, place) as run:
            eventually(run.ready, SECONDS)
            send(broker, before)
            eventually(lambda: rows(store), SECONDS)
            postgres.stop()
            try:
                send(broker, meanwhile)
                eventually(lambda: run.said(STUCK), SECONDS)
            finally:
                postgres.start()
            send(broker, after)
            store.engine.dispose()
            everything = names([*before, *meanwhile, *after])
            eventually(lambda: ended(store) == everything, SECONDS)
            assert set(rows(store)) == everything
            assert run.said(": answers")
            assert PASSWORD not in run.log()


def test_a_database_that_is_not_there_yet(broker: Broker, postgres: Postgres, tmp_path: Path) -> None:
    """The session at the broker begins before the database answers."""
    told = events(10)
    with postgres.database() as name:
        place = Place(postgres.url(name), PASSWORD)
        postgres.stop()
        try:
            with Collecting(tmp_path, broker, place) as run:
                eventually(lambda: run.said("connected") and run.said(STUCK), SECONDS)
                send(broker, told)
                postgres.start()
                eventually(lambda: run.said(": answers"), SECONDS)
                with place.open() as store:
                    eventually(lambda: ended(store) == names(told), SECONDS)
        finally:
            postgres.stop()
            postgres.start()


def test_two_start_at_once_on_an_empty_database(broker: Broker, place: Place, tmp_path: Path) -> None:
    told = events(20)
    with Collecting(tmp_path, broker, place, "a") as one, Collecting(tmp_path, broker, place, "b") as two:
        eventually(lambda: one.ready() and two.ready(), SECONDS)
        send(broker, told)
        with place.open() as store:
            eventually(lambda: ended(store) == names(told), SECONDS)
            assert len(rows(store)) == 20


@on_postgresql
def test_one_of_two_is_killed_and_its_share_waits_for_it(
    broker: Broker, place: Place, store: Store, tmp_path: Path
) -> None:
    told = events(50)
    with Collecting(tmp_path, broker, place, "a") as one, Collecting(tmp_path, broker, place, "b") as two:
        eventually(lambda: one.ready() and two.ready(), SECONDS)
        two.send(signal.SIGKILL)
        two.end()
        send(broker, told)
        eventually(lambda: len(rows(store)) >= 25, SECONDS)
        with Collecting(tmp_path, broker, place, "b"):
            eventually(lambda: ended(store) == names(told), SECONDS)
    assert set(rows(store)) == names(told)


@on_postgresql
def test_sigterm_finishes_what_was_begun(broker: Broker, place: Place, store: Store, tmp_path: Path) -> None:
    """While boxes go on telling; nothing that was acknowledged is missing, the rest comes with the next start."""
    told = events(300)
    with Collecting(tmp_path, broker, place) as run:
        eventually(run.ready, SECONDS)
        sender = threading.Thread(target=send, args=(broker, told))
        sender.start()
        eventually(lambda: rows(store), SECONDS)
        run.send(signal.SIGTERM)
        assert run.end(SECONDS) == 0
        sender.join()
    with Collecting(tmp_path, broker, place):
        eventually(lambda: ended(store) == names(told), SECONDS)
    assert set(rows(store)) == names(told)


@on_postgresql
def test_sigterm_while_the_database_does_not_take_it(
    broker: Broker, place: Place, store: Store, tmp_path: Path
) -> None:
    told = events(5)
    with Collecting(tmp_path, broker, place) as run:
        eventually(run.ready, SECONDS)
        with held(store):
            send(broker, told)
            eventually(lambda: run.said(STUCK), SECONDS)
            run.send(signal.SIGTERM)
            assert run.end(SECONDS) == 0
    assert rows(store) == {}
    with Collecting(tmp_path, broker, place):
        eventually(lambda: ended(store) == names(told), SECONDS)


def test_sigterm_while_the_database_hangs(broker: Broker, postgres: Postgres, tmp_path: Path) -> None:
    told = events(5)
    with postgres.database() as name, postgres.connect() as server:
        place = Place(postgres.url(name), PASSWORD)
        with place.open() as store, Collecting(tmp_path, broker, place) as run:
            eventually(run.ready, SECONDS)
            send(broker, told)
            eventually(lambda: ended(store) == names(told), SECONDS)
            backends = "SELECT pid FROM pg_stat_activity WHERE application_name = 'earwitness' AND pid <> ALL(%s)"
            with store.engine.connect() as connection:
                ours = [connection.execute(text("SELECT pg_backend_pid()")).scalar()]
            pids = [pid for (pid,) in server.execute(backends, [ours]).fetchall()]
            more = events(5)
            try:
                for pid in pids:
                    subprocess.run(["kill", "-STOP", str(pid)], check=True)
                send(broker, more)
                time.sleep(0.5)  # the collector is now in the middle of its question
                run.send(signal.SIGTERM)
                assert run.end(SECONDS) == 0
            finally:
                for pid in pids:
                    subprocess.run(["kill", "-CONT", str(pid)], check=True)
            assert run.said("the database hangs: left without it")
        with place.open() as store, Collecting(tmp_path, broker, place):
            eventually(lambda: ended(store) == names([*told, *more]), SECONDS)


def test_systemd_hears_of_it(broker: Broker, tmp_path: Path) -> None:
    """Ready when the database is open; then the watchdog is fed, whether anything comes or not."""
    words = ["collect", "--mqtt", broker.mqtt().url, "--database", f"sqlite:///{tmp_path}/fleet.db"]
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(environment["NOTIFY_SOCKET"])
        manager.settimeout(SECONDS)
        with Command(tmp_path, *words, environment=environment) as run:
            assert manager.recv(4096) == b"READY=1\nSTATUS=collecting from 127.0.0.1"
            assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            run.send(signal.SIGTERM)
            while (said := manager.recv(4096)) == b"WATCHDOG=1":
                pass
            assert (said, run.end(SECONDS)) == (b"STOPPING=1", 0)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; from sed.cli import main; sys.argv[1:] = ['collect']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "earwitness: sqlalchemy is not installed: pip install 'earwitness[fleet]'\n"


def test_what_is_wrong_with_the_command(tmp_path: Path, broker: Broker) -> None:
    run = Collecting(tmp_path, broker, Place("mysql://db/fleet"))
    with run:
        assert run.end(SECONDS) == 2
    assert "command line: fleet.database: should be sqlite:///PATH or postgresql://USER@HOST[:PORT]/NAME" in run.log()
    with Collecting(tmp_path, broker, Place("postgresql://fleet:secret@db/fleet")) as run:
        assert run.end(SECONDS) == 2
    assert "no password in the URL, please: use password_file or EARWITNESS_DATABASE_PASSWORD" in run.log()
    assert "secret" not in run.log()
