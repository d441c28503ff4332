"""`[fleet]`: where a collector puts what many boxes tell."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from sed.config.journal import default_journal
from sed.config.secret import read_secret, secret_path
from sed.metadata import Settings
from sed.values import DATABASE_PASSWORD_VARIABLE, Age, DatabaseUrl, TopicLevel

WEEK, CENTURY = 7 * 86_400.0, 36_525 * 86_400.0
LONGEST_SESSION = 2.0**32 - 2
"""Seconds; MQTT 5 says for ever with one more."""


def default_database() -> str:
    """SQLite, beside where a journal would be."""
    return f"sqlite:///{default_journal().with_name('fleet.db').absolute()}"


class FleetConfig(Settings):
    """Where a collector puts what many boxes tell. No secret is part of `repr` or of an error."""

    database: DatabaseUrl = Field(default_factory=default_database)
    password_file: Path | None = None
    group: TopicLevel | None = None
    name: TopicLevel | None = None
    session: Age = Field(WEEK, ge=60.0, le=LONGEST_SESSION, description="seconds for which the broker keeps messages")
    keep: Annotated[Age, Field(le=CENTURY)] | None = None
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _remember(self, info: ValidationInfo) -> Self:
        self._folder = (info.context or {}).get("folder", Path())
        return self

    def secret(self) -> str | None:
        """The password: from the environment, else a file; None leaves it to ~/.pgpass. Raises ConfigError."""
        if DATABASE_PASSWORD_VARIABLE in os.environ:
            return os.environ[DATABASE_PASSWORD_VARIABLE]
        if self.password_file is None:
            return None
        return read_secret("fleet.password_file", secret_path(self.password_file, self._folder))
