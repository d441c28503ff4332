"""`earwitness run`: the daemon."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable

from sed import logs
from sed.allocator import keep_little
from sed.config import Config
from sed.daemon import Daemon
from sed.errors import UsageError


def run(load: Callable[[], Config], *, check: bool, log_level: str) -> int:
    """Listen until stopped; returns the exit code. `load` reads the configuration, again at each SIGHUP."""
    if log_level not in logs.LEVELS:
        raise UsageError(f"--log-level {log_level}: need one of {', '.join(logs.LEVELS)}")
    logs.begin(log_level)
    keep_little()
    daemon = Daemon(load, sys.stdout)
    if check:
        print(daemon.summary)
        return 0
    code = daemon.run()
    if any(thread.daemon for thread in threading.enumerate()):
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End the process now: a thread still waits inside a library, for a server or a sound card that hangs.

    The interpreter's own end would take away what that thread needs, and crash one time in sixty.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)
