"""A TOML file as people write them."""

import tomllib
from pathlib import Path
from typing import Any

from sed.errors import ConfigError

MAX_BYTES, MAX_LINE = 100_000, 1_000
"""No file that a person wrote is larger; of keys with thousands of dots tomllib would keep the square."""


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes; name a TOML file")
        text = data.decode("utf-8").replace("\r\n", "\n")
        if long := next((n for n, line in enumerate(text.split("\n"), start=1) if len(line) > MAX_LINE), None):
            raise ConfigError(f"{path}: line {long} has more than {MAX_LINE:,} characters; break it up")
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}; name a readable TOML file") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not TOML that can be read: nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, and of numbers with thousands of digits
        raise ConfigError(f"{path}: not TOML: {error}") from error
