"""Where a daemon's log goes: standard error, one line a thing, as its reader wants it."""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error")

_LOG = logging.getLogger(__name__)
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def begin(level: str, stream: TextIO = sys.stderr) -> None:
    """Log from `level` on; under systemd with the priority that journald reads, elsewhere with the time (UTC)."""
    handler = logging.StreamHandler(_own(stream))
    handler.setFormatter(JournalFormat() if is_journal(stream) else TerminalFormat())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    threading.excepthook = _log_crash


@cache
def _own(stream: TextIO) -> TextIO:
    """The same file through a handle that nobody else has.

    While sounddevice looks for devices, standard error leads nowhere, for all threads: it silences libraries so.
    """
    try:
        handle = os.dup(stream.fileno())
    except (OSError, ValueError):
        return stream
    return os.fdopen(handle, "w", buffering=1, encoding=stream.encoding, errors=stream.errors)


def is_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream leads to journald, and not somewhere else by now (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class JournalFormat(logging.Formatter):
    """`<4>broker gate:1883: connection lost`: journald keeps the time and the priority (sd-daemon(3))."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Every line gets its priority, those of a traceback too."""
        priority = _PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


class TerminalFormat(logging.Formatter):
    """`2026-11-20T02:59:01.240Z warning broker gate:1883: connection lost`."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The level in small letters."""
        return f"{self.formatTime(record)} {record.levelname.lower()} {super().format(record)}"


def _log_crash(crash: threading.ExceptHookArgs) -> None:
    """A thread's last word, in one line; where it comes from is for `--log-level debug`."""
    name = crash.thread.name if crash.thread else "?"
    _LOG.critical("%s: %s: %s", name, crash.exc_type.__name__, crash.exc_value)
    _LOG.debug("it came from here", exc_info=crash.exc_value)
