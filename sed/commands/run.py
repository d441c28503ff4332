"""`earwitness run`: the daemon."""

import sys
from collections.abc import Callable

from sed import logs
from sed.config import Config
from sed.daemon import Daemon
from sed.errors import UsageError


def run(load: Callable[[], Config], *, check: bool, log_level: str) -> int:
    """Listen until stopped; returns the exit code. `load` reads the configuration, again at each SIGHUP."""
    if log_level not in logs.LEVELS:
        raise UsageError(f"--log-level {log_level}: need one of {', '.join(logs.LEVELS)}")
    logs.begin(log_level)
    daemon = Daemon(load, sys.stdout)
    if check:
        print(daemon.summary)
        return 0
    return daemon.run()
