"""`[[source]]`: something to listen to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from sed.config.secret import read_secret, secret_path
from sed.metadata import Settings
from sed.values import NETWORK, SATELLITE, Channel, FilePath, SourceUrl, TopicLevel, expanded


class SourceConfig(Settings):
    """Something to listen to. No secret is part of `repr` or of an error."""

    name: TopicLevel = "mic"
    url: SourceUrl = "mic:"
    channel: Channel = 0
    gain_db: float = Field(0.0, ge=-60.0, le=60.0)
    password_file: Path | None = None
    ca_file: FilePath | None = None
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _beside(self, info: ValidationInfo) -> Self:
        self._folder = (info.context or {}).get("folder", Path())
        if self.kind == "file":
            expanded(Path(self.rest))
        if self.password_file is not None:
            parts = urlsplit(self.url) if self.kind in NETWORK else None
            if parts is None or not parts.username:
                raise ValueError("password_file needs a user in the URL: rtsp://USER@HOST/...")
            if parts.password is not None:
                raise ValueError("a password in the URL and password_file exclude each other")
        if self.ca_file is not None and self.kind not in ("https", "rtsps"):
            raise ValueError("ca_file is for https:// and rtsps:// URLs")
        if self.kind == SATELLITE and self.channel != 0:
            raise ValueError(f"channel: a satellite sends one only, chosen there with --channel; got {self.channel!r}")
        return self

    @property
    def kind(self) -> str:
        """What the URL begins with, `mic`, `file` or `rtsp`; `-` for standard input."""
        return self.url.partition(":")[0]

    @property
    def rest(self) -> str:
        """What follows in the URL: a device's name, or nothing for the default one."""
        return self.url.partition(":")[2]

    @property
    def path(self) -> Path:
        """What to read; a relative path starts at the config file, wherever the daemon was started."""
        return Path("-") if self.kind == "-" else self._folder / expanded(Path(self.rest))

    @property
    def endpoint(self) -> str:
        """Where its satellite comes to, as ZeroMQ binds it: `tcp://0.0.0.0:5557`."""
        return "tcp://" + self.url.removeprefix(f"{SATELLITE}://").partition("/")[0].replace("localhost", "127.0.0.1")

    @property
    def satellite(self) -> str:
        """What its satellite calls itself: the source's name, unless the URL says another."""
        return self.url.removeprefix(f"{SATELLITE}://").partition("/")[2] or self.name

    @property
    def shown(self) -> str:
        """The URL for people; of one into the network no more than its host, for the rest may hold a password."""
        if self.kind not in NETWORK:
            return self.url
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{'/...' if parts.path.strip('/') else ''}"

    def address(self) -> str:
        """The URL with its password: never to be shown. Raises ConfigError if `password_file` cannot be read."""
        if self.password_file is None:
            return self.url
        key = f"source {self.name}: password_file"
        secret = read_secret(key, secret_path(self.password_file, self._folder))
        parts = urlsplit(self.url)
        user, _, host = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}:{quote(secret, safe='')}@{host}").geturl()

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """With the URL as it may be shown."""
        return ((key, self.shown if key == "url" else value) for key, value in super().__repr_args__())
