"""`[http]`: where the page and the API are, and who may see them."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from sed.config.place import Place
from sed.config.secret import read_secret, secret_path
from sed.errors import ConfigError

SHORTEST_TOKEN = 12
"""Characters."""


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", value):
        raise ValueError(f'should be a name without a port, such as "ear.example.org", got {value!r}')
    return value.lower()


class HttpConfig(Place):
    """Where the page and the API are; whoever is not on this computer needs the token."""

    port: int = Field(8095, ge=1, le=65_535)
    token_file: Path | None = None
    """A file with the token, which is also the password of the page."""
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """Further names of this computer, such as that of a proxy in front of it."""
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _guarded(self, info: ValidationInfo) -> Self:
        if self.token_file is None and not self.stays_here:
            raise ValueError(
                f"address = {self.address!r} is open to other computers: it needs token_file, a file with a long "
                "random word such as 'openssl rand -hex 16' makes; or listen at 127.0.0.1"
            )
        self._folder = (info.context or {}).get("folder", Path())
        return self

    def token(self) -> str | None:
        """What whoever asks has to know; None if all on this computer may ask. Raises ConfigError."""
        if self.token_file is None:
            return None
        path = secret_path(self.token_file, self._folder)
        token = read_secret("http.token_file", path).strip()
        if len(token) < SHORTEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
            raise ConfigError(
                f"http.token_file: {path}: should hold one word of at least {SHORTEST_TOKEN} ASCII characters; "
                "'openssl rand -hex 16' makes one"
            )
        return token
