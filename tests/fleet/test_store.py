"""The database: made, brought up to date, refused, and told of without secrets."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text

from sed.config import FleetConfig
from sed.errors import ConfigError, SinkError
from sed.fleet.schema import METADATA, box
from sed.fleet.store import Store, open_store
from tests.broker import free_port
from tests.fleet.conftest import Place
from tests.fleet.postgres import PASSWORD, Postgres

TABLES = {"event", "box", "source", "refusal"}


def tables(store: Store) -> set[str]:
    return set(inspect(store.engine).get_table_names()) - {"alembic_version"}


def test_steps_lead_to_the_tables_that_the_program_knows(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    assert tables(store) == TABLES


def test_opened_again_it_is_as_it_was(place: Place) -> None:
    with place.open() as store, store.engine.begin() as connection:
        connection.execute(insert(box).values(node="gate"))
    for upgrade in (True, False):
        with place.open(upgrade) as store, store.engine.connect() as connection:
            assert connection.execute(select(box.c.node)).scalars().all() == ["gate"]


def test_who_only_reads_makes_nothing(place: Place) -> None:
    with pytest.raises(SinkError, match=r"no collector has been here yet; run 'earwitness collect' first"):
        place.open(upgrade=False)


def test_who_only_reads_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"no collector has been here yet"):
        open_store(f"sqlite:///{tmp_path}/new/fleet.db")
    assert list(tmp_path.iterdir()) == []


def test_a_newer_version_is_left_alone(place: Place) -> None:
    with place.open() as store, store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for upgrade in (True, False):
        with pytest.raises(ConfigError, match=r"^database .* newer earwitness \(version 9999\); upgrade this one$"):
            place.open(upgrade)


def test_another_programs_tables_are_left_alone(place: Place) -> None:
    with place.open() as store, store.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(ConfigError, match="tables of another program"):
        place.open()


def test_an_upgrade_that_breaks_off_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class OutageError(Exception):
        pass

    def broken(*arguments: object, **options: object) -> None:
        raise OutageError

    monkeypatch.setattr("alembic.op.create_index", broken)
    with pytest.raises(OutageError):
        place.open()
    monkeypatch.undo()
    with place.open() as store:
        assert tables(store) == TABLES


def test_many_at_once_on_an_empty_database(place: Place) -> None:
    opened: list[Store] = []
    together = threading.Barrier(4)

    def open_one() -> None:
        together.wait()
        opened.append(place.open())

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tables(store) for store in opened] == [TABLES] * 4
    for store in opened:
        store.close()


def test_moments_are_utc_and_say_so(store: Store) -> None:
    noon = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))
    with store.engine.begin() as connection:
        connection.execute(insert(box).values(node="gate", last_seen=noon))
        connection.execute(insert(box).values(node="hall", last_seen=noon + timedelta(hours=11)))
        (found,) = connection.execute(select(box.c.last_seen).where(box.c.last_seen <= noon)).scalars()
    assert (found, found.tzinfo) == (noon, UTC)
    with pytest.raises(Exception, match="need a moment with a time zone"), store.engine.begin() as connection:
        connection.execute(insert(box).values(node="yard", last_seen=datetime(2026, 11, 20)))


def test_what_cannot_be_reached_is_told_in_a_line_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(SinkError) as refused:
        open_store(f"postgresql://{PASSWORD[:2]}:secret@127.0.0.1:{free_port()}/fleet")
    assert "Connection refused" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(SinkError, match="password authentication failed") as refused:
        open_store(postgres.url("postgres"), "wrong")
    assert "wrong" not in str(refused.value)
    assert str(refused.value).startswith(f"database {postgres.url('postgres')}: ")


@pytest.mark.parametrize(
    "url", ["", "fleet.db", "mysql://host/fleet", "sqlite+nothing:///x", "postgresql+asyncpg://h/f"]
)
def test_what_is_no_database_of_ours(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^database: should be sqlite:///PATH or postgresql://USER@HOST/NAME$"):
        open_store(url)


def test_through_a_socket_in_the_file_system(postgres: Postgres) -> None:
    with postgres.database() as name:
        url = FleetConfig(database=postgres.local_url(name)).database
        with open_store(url, PASSWORD, upgrade=True) as store:
            assert tables(store) == TABLES


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_bytes(b"text" * 1000)
    with pytest.raises(SinkError, match=r"fleet.db: file is not a database"):
        open_store(f"sqlite:///{tmp_path}/fleet.db", upgrade=True)
