"""The configuration file, and whether others on this computer can read the secrets in it or beside it."""

import stat
from collections.abc import Iterator
from pathlib import Path

from sed.config import Config
from sed.config.secret import secret_path
from sed.doctor.finding import Finding, ok, warning


def look(config: Config) -> Iterator[Finding]:
    """What the configuration says, in short, then each file that holds a secret and is open to everyone."""
    sources = ", ".join(f"{source.name} ({source.kind})" for source in config.source)
    yield ok(f"{config.file or 'no file, all as it comes'}: node {config.node}, listens to {sources}")
    for path in _secret_files(config):
        if _open_to_others(path):
            yield warning(f"{path}: everyone on this computer can read the password", f"chmod go= {path}")


def _secret_files(config: Config) -> list[Path]:
    mqtt, file = config.mqtt, config.file.absolute() if config.file else Path.cwd() / "-"
    named = [source.password_file for source in config.source]
    if mqtt is not None:
        named += [mqtt.password_file, mqtt.key_file, file if mqtt.password else None]
    return [secret_path(path, file.parent) for path in named if path is not None]


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False  # whoever needs it says so
