"""`earwitness collect`: a fleet's events into a database."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from functools import partial

from sed import logs
from sed.config import Config
from sed.errors import UsageError
from sed.fleet.collector import Collector
from sed.stopping import on_signal
from sed.systemd import Notifier

GRACE_SECONDS = 1.25
"""After which a stop does not wait any more for a database that hangs."""
LOOK_SECONDS = 0.25

_LOG = logging.getLogger(__name__)


def run(config: Config, log_level: str, leave: bool) -> None:
    """Collect until stopped, or until all is there that the broker kept; what is not committed stays with it."""
    if log_level not in logs.LEVELS:
        raise UsageError(f"--log-level {log_level}: need one of {', '.join(logs.LEVELS)}")
    if config.mqtt is None:
        raise UsageError(
            "collect: name a broker, as 'earwitness collect --mqtt mqtt://localhost', or a file with [mqtt]"
        )
    config.fleet.secret()  # one that cannot be read is better known now
    logs.begin(log_level)
    with Notifier() as notifier:
        ready = partial(notifier.tell, READY=1, STATUS=f"collecting from {config.mqtt.host}")
        collector = Collector(config.mqtt, config.fleet, ready, notifier.feed)
        with on_signal(collector.stop), _in_time(collector):
            collector.run(leaving=leave)
            notifier.tell(STOPPING=1)


@contextlib.contextmanager
def _in_time(collector: Collector) -> Iterator[None]:
    """Ends the process if a stop takes too long: the thread that is to end it waits inside a library then.

    Nothing is lost, for nothing was acknowledged.
    """
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            if collector.stopping and not done.wait(GRACE_SECONDS):
                _LOG.warning("the database hangs: left without it; the broker keeps what is not committed")
                os._exit(0)

    watcher = threading.Thread(target=look, name="collect-stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
