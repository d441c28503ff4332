"""Databases for the tests of the fleet: each on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sed.fleet.store import Store, open_store
from tests.fleet.postgres import PASSWORD, Postgres


@dataclass(frozen=True)
class Place:
    """Where a database is; `password` is None where there is none."""

    url: str
    password: str | None = None

    def open(self, upgrade: bool = True) -> Store:
        return open_store(self.url, self.password, upgrade=upgrade)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests that do not stop it."""
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path}/fleet.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as name:
        yield Place(server.url(name), PASSWORD)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An open one, with its tables."""
    with place.open() as opened:
        yield opened
