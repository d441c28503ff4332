"""`earwitness watch`: alerts as they come."""

import sys

from sed.config import Config
from sed.errors import UsageError
from sed.watch import watch


def run(config: Config, *, node: str, count: int | None, as_json: bool) -> None:
    """Watch until interrupted, or until `count` events were shown."""
    if config.mqtt is None:
        raise UsageError("watch: name a broker, as 'earwitness watch mqtt://localhost', or a config file with [mqtt]")
    try:
        watch(config.mqtt, node, count=count, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(0)
