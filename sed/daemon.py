"""The daemon: every source, the journal and the sinks, from the start to a signal or the end of all sound."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import TextIO

from sed.config import Config, merged_rules
from sed.ear import Ear
from sed.errors import EarwitnessError
from sed.flow import Flow
from sed.journal import Journal
from sed.metadata import Metadata, Rule
from sed.model import OnnxModel
from sed.orders import Orders
from sed.service import on_signal
from sed.shipped import model_path
from sed.sinks.opened import Sinks, confirming
from sed.sinks.tls import tls_context
from sed.systemd import Notifier

FIXED = ("node", "model", "source", "journal")
"""Keys that only a restart changes."""

ORDERS = ".orders.json"
"""What was ordered over MQTT, beside the journal."""

LOOK_SECONDS = 0.1
"""How soon a signal, or a source's new state, is seen."""

PATIENCE_SECONDS = 0.4
"""How long a source may take to end, before its sound is cut off without it."""

STOP_SECONDS = 0.8
"""How long an ear may take to end its open events."""

_LOG = logging.getLogger(__name__)


class Daemon:
    """Listens to all sources at once; what happens to one never stops another."""

    def __init__(self, load: Callable[[], Config], lines: TextIO | None = None) -> None:
        """`load` gives the configuration, now and whenever it shall be read again; `lines` is for JSON lines.

        Raises ConfigError, UsageError or ModelError; nothing is listened to or told before `run`.
        """
        self._load, self._lines = load, lines
        self._config = load()
        self._model = OnnxModel(model_path(self._config.model))
        self._rules = checked(self._config, self._model.metadata)
        self._ears: list[Ear] = []
        self._stopping = self._reloading = False

    @property
    def rejected(self) -> Counter[tuple[str, str, str]]:
        """Candidates that became no event, by source, label and reason."""
        return Counter({(ear.name, *key): count for ear in self._ears for key, count in ear.rejected.items()})

    @property
    def summary(self) -> str:
        """What it would do, in one line for people."""
        config = self._config
        sources = ", ".join(f"{source.name} ({source.url})" for source in config.source)
        broker = f"broker {config.mqtt.host}:{config.mqtt.port}" if config.mqtt else "no broker"
        where = config.file or "no file"
        return f"{where}: node {config.node}, model {self._model.metadata.name}, listens to {sources}, {broker}"

    def stop(self) -> None:
        """Let all sound end; only sets a flag."""
        self._stopping = True

    def reload(self) -> None:
        """Read the configuration again soon; only sets a flag."""
        self._reloading = True

    def run(self) -> int:
        """Listen until stopped, or until all sources have ended; returns the exit code. Raises SinkError."""
        settings = self._config.journal
        with on_signal(self.stop, self.reload), ExitStack() as opened:  # closes bottom-up: sources first
            systemd = opened.enter_context(Notifier())
            journal = Journal(settings.path, confirming(self._config), settings.max_age, settings.max_size)
            opened.enter_context(journal)
            names = [source.name for source in self._config.source]
            orders = Orders(settings.path.with_suffix(ORDERS), self._rules, names)
            sinks = opened.enter_context(Sinks(journal, orders, self._lines))
            journal.close_abandoned()
            sinks.update(self._config, self._rules)
            opened.callback(self._close_ears)
            self._start_ears(journal, orders)
            systemd.tell(READY=1, STATUS=f"listening to {', '.join(names)}")
            self._attend(orders, sinks, systemd)
            systemd.tell(STOPPING=1)
        return 1 if any(ear.failure for ear in self._ears) else 0

    def _start_ears(self, journal: Journal, orders: Orders) -> None:
        config = self._config
        self._ears = [
            Ear(source, config.node, self._model, orders.rules(source.name), journal) for source in config.source
        ]
        for ear in self._ears:
            ear.start()

    def _attend(self, orders: Orders, sinks: Sinks, systemd: Notifier) -> None:
        """Look after everything, again and again, while the ears listen in their own threads."""
        flow, obeyed = Flow(self._ears, time.monotonic()), -1  # one may have come before the first look
        while not self._stopping and any(ear.alive for ear in self._ears):
            if self._reloading:
                self._reloading = False
                systemd.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
                self._reload(orders, sinks)
                systemd.tell(READY=1)
            if obeyed != orders.changes:
                obeyed = orders.changes
                for ear in self._ears:
                    ear.change(orders.rules(ear.name))
            for ear in self._ears:
                ear.look()
            if flow.goes_on(time.monotonic()):
                systemd.feed()
            time.sleep(LOOK_SECONDS)

    def _reload(self, orders: Orders, sinks: Sinks) -> None:
        """Take over what can be changed while listening; a wrong configuration changes nothing."""
        before = self._config
        try:
            wanted = self._load()
            rules = checked(wanted, self._model.metadata)
        except EarwitnessError as error:
            for line in str(error).splitlines():
                _LOG.error("reload: %s; everything stays as it was", line)
            return
        if fixed := [key for key in FIXED if getattr(wanted, key) != getattr(before, key)]:
            _LOG.warning("reload: %s: changed by a restart only, stays as it was", ", ".join(fixed))
        self._config = wanted.model_copy(update={key: getattr(before, key) for key in fixed})
        self._rules = rules
        orders.rebase(rules)
        sinks.update(self._config, rules)
        _LOG.info("reloaded %s", wanted.file or "the command line")

    def _close_ears(self) -> None:
        for ear in self._ears:
            ear.stop()
        now = time.monotonic()
        for ear in self._ears:
            ear.close(now + PATIENCE_SECONDS, now + STOP_SECONDS)


def checked(config: Config, metadata: Metadata) -> dict[str, Rule]:
    """The rules of a configuration that fits the model, and whose files can be used. Raises ConfigError."""
    if config.mqtt is not None and config.mqtt.tls:
        tls_context(config.mqtt)
    return merged_rules(config, metadata)
