"""`[zmq]`: where scores, levels and events are published for other programs, and who may subscribe."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from sed.config.secret import secret_path
from sed.metadata import Settings
from sed.values import FilePath, expanded

LONGEST_PATH = 100
"""Bytes; the system's own limit for the path of a socket is 107."""

_TCP = re.compile(r"tcp://(\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def _endpoint(value: str, info: ValidationInfo) -> str:
    """As ZeroMQ binds it; a relative path starts at the config file."""
    if value.startswith("ipc://") and len(value) > len("ipc://") and value.isprintable():
        path = (info.context or {}).get("folder", Path()) / expanded(Path(value.removeprefix("ipc://")))
        if len(str(path).encode()) > LONGEST_PATH:
            raise ValueError(f"should be a path of at most {LONGEST_PATH} bytes, got {value!r}")
        return f"ipc://{path}"
    match = _TCP.fullmatch(value)
    if match is None or not 1 <= int(match[2]) <= 65_535:
        raise ValueError(f"should be tcp://ADDRESS:PORT, such as tcp://127.0.0.1:5556, or ipc://PATH, got {value!r}")
    return value


def stays_here(endpoint: str) -> bool:
    """Whether only this computer can reach it; of a name other than localhost nobody knows."""
    match = _TCP.fullmatch(endpoint)
    if match is None:
        return endpoint.startswith("ipc://")
    try:
        return match[1] == "localhost" or ip_address(match[1].strip("[]")).is_loopback
    except ValueError:
        return False


class ZmqConfig(Settings):
    """Where to publish. Whoever is not on this computer needs a key, and so do we."""

    publish: Annotated[str, Field(min_length=1), AfterValidator(_endpoint)] | None = None
    secret_key_file: Path | None = None
    allowed_keys: FilePath | None = None
    """A file with public keys, or a folder of *.pub."""
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _guarded(self, info: ValidationInfo) -> Self:
        if (self.secret_key_file is None) != (self.allowed_keys is None):
            raise ValueError("secret_key_file and allowed_keys go together")
        if self.publish is not None and self.secret_key_file is None and not stays_here(self.publish):
            raise ValueError(
                f"publish = {self.publish!r} is open to other computers: it needs secret_key_file and allowed_keys, "
                "which 'earwitness keys' makes; or publish on 127.0.0.1"
            )
        self._folder = (info.context or {}).get("folder", Path())
        return self

    @property
    def key_files(self) -> tuple[Path, Path] | None:
        """The file with our secret key, and the file or folder of public keys; None if all may come in."""
        if self.secret_key_file is None or self.allowed_keys is None:
            return None
        return secret_path(self.secret_key_file, self._folder), self.allowed_keys
