"""The fleet's dashboard: every query of it runs, as the user that it is to run as, and finds what is there."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from sed.fleet import schema
from sed.fleet.roll import Asked, call_roll
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, USER, Postgres
from tests.fleet.test_roll import box, events, put

GRAFANA = Path(__file__).parents[2] / "examples" / "grafana"
DASHBOARD = GRAFANA / "fleet.json"
NOW = datetime.now(UTC)
READERS = "rea'd"  # the password of the user who only reads
NOT_HERE = {"since", "lost", "duration", "clip", "seen"}
"""Columns of some panel that our three boxes never filled."""


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return document


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def variables() -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in dashboard()["templating"]["list"]}


def filled(query: str) -> str:
    """As Grafana sends it, with its macros and our variables."""
    begin, end = NOW - timedelta(hours=6), NOW + timedelta(hours=1)
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{begin.isoformat()}' AND '{end.isoformat()}'", query)
    group = r"\$__timeGroupAlias\((\w+), \$__interval\)"
    query = re.sub(group, r'floor(extract(epoch from \1)/300)*300 AS "time"', query)
    for name, value in (("label", "'siren','gun_shot'"), ("box", "'gate'")):
        query = query.replace(f"${{{name}:sqlstring}}", value)
    query = query.replace("$silent_after", "60")
    assert "$" not in query
    return query


@pytest.fixture(scope="module")
def reader(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A fleet of three, seen by the user that reader.sql makes."""
    psql = shutil.which("psql")
    assert psql is not None
    with postgres.database() as name:
        fill(Place(postgres.url(name), PASSWORD))
        variables = ("ON_ERROR_STOP=1", f"password={READERS}", f"owner={USER}")
        command = [psql, postgres.url(name), *(word for each in variables for word in ("-v", each)), "-qf"]
        environment = os.environ | {"PGPASSWORD": PASSWORD}
        subprocess.run([*command, str(GRAFANA / "reader.sql")], check=True, env=environment)
        url = postgres.url(name).replace("fleet@", "grafana@")
        with psycopg.connect(url, password=READERS, autocommit=True) as connection:
            yield connection
    with postgres.connect() as server:
        server.execute("DROP ROLE grafana")


def fill(place: Place) -> None:
    with place.open() as store:
        box(store, "gate", NOW, clock_offset=0.2)
        put(
            store, schema.source, {"node": "gate", "source": "a", "state": "hearing", "level_dbfs": -40.0, "model": "m"}
        )
        box(store, "roof", NOW - timedelta(hours=2), "hearing", "lost", clock_offset=-90_000.0)
        box(store, "yard", NOW, "lost")
        events(store, "gate", NOW, NOW - timedelta(minutes=20), NOW - timedelta(hours=30))
        events(store, "roof", NOW, source="b")
        refused = {"node": "yard", "reason": "not JSON", "day": NOW.date(), "count": 7}
        put(store, schema.refusal, {**refused, "last_at": NOW, "example": "?"})
        put(store, schema.refusal, {**refused, "day": NOW.date() - timedelta(days=1), "last_at": NOW, "example": "?"})


def asked(reader: psycopg.Connection[Any], title: str) -> list[tuple[Any, ...]]:
    (panel,) = [panel for panel in panels() if panel["title"] == title]
    return reader.execute(filled(panel["targets"][0]["rawSql"]).encode()).fetchall()


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: str(panel["title"]))
def test_every_panel_finds_something(reader: psycopg.Connection[Any], panel: dict[str, Any]) -> None:
    (target,) = panel["targets"]
    answer = reader.execute(filled(target["rawSql"]).encode())
    names = [column.name for column in answer.description or ()]
    rows = answer.fetchall()
    assert rows
    assert all(any(row[n] is not None for row in rows) for n, name in enumerate(names) if name not in NOT_HERE)
    assert len(set(names)) == len(names)
    if target["format"] == "time_series":
        assert names[0] == "time"
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    renamed = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert renamed <= set(names)


def test_variables_offer_what_there_is(reader: psycopg.Connection[Any]) -> None:
    offered = {
        name: [row[0] for row in reader.execute(each["query"].encode())]
        for name, each in variables().items()
        if each["type"] == "query"
    }
    assert offered == {"label": ["siren"], "box": ["gate", "roof", "yard"]}


def test_it_says_what_earwitness_fleet_says(reader: psycopg.Connection[Any], postgres: Postgres) -> None:
    with Place(postgres.url(reader.info.dbname), PASSWORD).open(upgrade=False) as store:
        roll = call_roll(store.engine, datetime.now(UTC), Asked(NOW))
    rows = asked(reader, "Boxes and sources")
    assert [(row[0], row[1], row[3], row[4], row[6]) for row in rows] == [
        (each.node, each.standing, source.source, source.state, source.events_24h)
        for each in roll.boxes
        for source in each.sources
    ]
    assert asked(reader, "Boxes") == [tuple(roll.count(standing) for standing in ("offline", "silent", "deaf", "ok"))]
    assert {row[0]: int(row[9] or 0) for row in rows} == {each.node: each.refused for each in roll.boxes}


def test_counts_are_right(reader: psycopg.Connection[Any]) -> None:
    assert sum(row[2] for row in asked(reader, "Events by label")) == 3
    assert asked(reader, "Most events") == [("gate", 2), ("roof", 1)]
    assert asked(reader, "Events in 24 hours") == [(3,)]
    assert asked(reader, "Refused since yesterday") == [(14,)]


def test_the_reader_only_reads(reader: psycopg.Connection[Any]) -> None:
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("DELETE FROM event")
    reader.execute("RESET default_transaction_read_only")


def test_the_dashboard_names_no_server_of_ours() -> None:
    """Whoever imports it chooses theirs; every variable is asked for."""
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text()))
    assert {name for name in used if not name.startswith("__")} == set(variables())


def test_provisioning_fits_the_dashboard() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "fleet.yml").read_text())["datasources"]
    assert source["type"] == variables()["datasource"]["query"] == panels()[0]["datasource"]["type"]
    assert f"CREATE ROLE {source['user']} " in (GRAFANA / "reader.sql").read_text()
    assert source["secureJsonData"]["password"].startswith("$")
    assert source["url"].startswith("localhost:")
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "earwitness.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert Path(provider["options"]["path"]).is_absolute()
