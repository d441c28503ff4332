"""A TOML file as people write them."""

import tomllib
from pathlib import Path
from typing import Any

from sed.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a file. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}; name a readable TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
