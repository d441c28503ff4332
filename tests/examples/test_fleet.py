"""examples/fleet.md: its files can be used together as they are, and its commands exist."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.main import get_command

from sed.cli import app
from sed.config import load
from sed.fleet.store import Store
from tests.broker import Broker, eventually
from tests.fleet.collecting import SECONDS, Command, ended, now, pair
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples" / "fleet.md").read_text()
UNIT = (ROOT / "systemd" / "earwitness-collect.service").read_text()
USERS = {"collector": "open sesame", "gate": "open barley"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


def say(broker: Broker, topic: str, *payloads: str) -> None:
    """As the box `gate`."""
    where = ["-h", "127.0.0.1", "-p", str(broker.port), "-u", "gate", "-P", USERS["gate"], "-V", "mqttv311"]
    command = ["mosquitto_pub", *where, "-t", f"earwitness/{topic}", "-q", "1", "-l"]
    subprocess.run(command, input="\n".join(payloads).encode(), check=True)


def configured(folder: Path, broker: Broker, place: Place) -> Path:
    """The text's configuration with its passwords beside it; only where things are is otherwise."""
    (folder / "mqtt-password").write_text(USERS["collector"])
    (folder / "database-password").write_text(PASSWORD)
    _, written = blocks("toml")
    written = written.replace("localhost:1883", f"127.0.0.1:{broker.port}")
    (folder / "collect.toml").write_text(written.replace("postgresql://earwitness@localhost/fleet", place.url))
    return folder / "collect.toml"


def asked(store: Store, queries: str) -> list[list[tuple[Any, ...]]]:
    with store.engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(text(line))] for line in queries.splitlines()]


def test_the_unit_hands_over_what_the_configuration_names(tmp_path: Path) -> None:
    for name in ("mqtt-password", "database-password"):
        (tmp_path / name).write_text("open")
        assert f"#LoadCredential={name}:/etc/earwitness/{name}\n" in UNIT
    box, collector = blocks("toml")
    for name, block in (("box", box), ("collector", collector)):
        (tmp_path / f"{name}.toml").write_text(block)
        config = load(tmp_path / f"{name}.toml")
        assert config.mqtt is not None
        assert config.mqtt.secret() == "open"
    assert (config.fleet.secret(), config.fleet.keep) == ("open", 365 * 86_400.0)
    assert "collect -c /etc/earwitness/collect.toml" in UNIT


def test_commands_and_files_exist() -> None:
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    called = {line[line.index("earwitness") + 1] for line in lines if "earwitness" in line[:2]}
    assert called == {"fleet"}
    assert called < set(get_command(app).commands)  # type: ignore[attr-defined]
    for name in re.findall(r"systemd/[a-z-]+\.service", TEXT):
        assert (ROOT / name).is_file()


def test_as_written_it_collects(tmp_path: Path, server: Postgres) -> None:
    """Broker, rights and configuration as in the text; a box cannot speak for another."""
    (access,), (conf,) = blocks("acl"), blocks("conf")
    keeping = [line for line in conf.splitlines() if not line.startswith(("listener", "allow", "password", "acl"))]
    assert keeping == ["persistence true", "max_queued_messages 0", "set_tcp_nodelay true"]
    extra = "\n".join([*keeping[:2], f"persistence_location {tmp_path}/"])
    start, end = pair(onset=now())
    with Broker(tmp_path, users=USERS, access=access, extra=extra) as broker, server.database() as name:
        place = Place(server.url(name), PASSWORD)
        file = configured(tmp_path, broker, place)
        with Command(tmp_path, "collect", "-c", file) as run, place.open() as store:
            eventually(lambda: run.said(": connected") and run.said(": open"), SECONDS)
            say(broker, "hall/yard/event", json.dumps(pair("hall")[0]))
            told = (start, {**end, "offset": None, "duration": None}, {"siren": "!"})
            say(broker, "gate/yard/event", *map(json.dumps, told))
            say(broker, "gate/availability", "offline")
            (query,) = blocks("sql")
            eventually(lambda: all(asked(store, query)), SECONDS)
            assert ended(store) == {start["id"]}
            events, silent, refused = asked(store, query)
    assert events == [("gate", "siren", 1)]
    assert [row[0] for row in silent] == ["gate"]
    assert refused == [("gate", "schema: not earwitness.event/1", 1, '{"siren": "!"}')]
