"""Secrets that stand in a file of their own."""

import os
from pathlib import Path

from sed.errors import ConfigError
from sed.values import expanded


def secret_path(path: Path, folder: Path) -> Path:
    """A bare name is one of systemd's credentials where there are any; another relative path starts at `folder`.

    Raises ConfigError if no file can have that name.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and len(path.parts) == 1:
        return Path(credentials) / path
    try:
        return folder / expanded(path)
    except ValueError as error:
        raise ConfigError(f"a file with a secret {error}") from error


def read_secret(key: str, path: Path) -> str:
    """The text of a file, without its line end. Raises ConfigError, which names the `key`."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "not UTF-8 text").lower()
        raise ConfigError(f"{key}: {path}: {reason}; make it readable for this user") from error
