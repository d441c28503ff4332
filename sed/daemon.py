"""The daemon: every source, the journal and the sinks, from the start to a signal or the end of all sound."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import TextIO

from sed.broadcast.lookout import Broadcast, published
from sed.choir import Choir
from sed.clips.lookout import Clips
from sed.config import Config, merged_rules
from sed.doorkeeper import Admission
from sed.ear import Ear
from sed.errors import EarwitnessError
from sed.flow import Flow
from sed.health.lookout import Health
from sed.journal import Journal
from sed.metadata import Metadata, Rule
from sed.model import OnnxModel
from sed.observer import Lookout
from sed.orders import Orders
from sed.satellite.port import Ports
from sed.shipped import model_path
from sed.signals import State
from sed.sinks.opened import Sinks, confirming
from sed.sinks.tls import tls_context
from sed.source.opened import open_source
from sed.stopping import on_signal
from sed.systemd import Notifier
from sed.values import SATELLITE
from sed.web.lookout import Web, served
from sed.web.view import View

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
        self._ports = Ports(admission(self._config))
        self._ears: list[Ear] = []
        self._health = Health(self._model.metadata, lambda: self._ears, lambda: self._flowing)
        self._clips = Clips()
        self._lookouts: tuple[Lookout, ...] = (self._health, self._clips)
        self._flowing = False
        self._stopping = self._reloading = False

    @property
    def rejected(self) -> Counter[tuple[str, str, str]]:
        """Candidates that became no event, by source, label and reason."""
        return Counter({(ear.name, *key): count for ear in self._ears for key, count in ear.rejected.items()})

    @property
    def states(self) -> dict[str, State]:
        """How each source is now; nothing before `run`."""
        return {ear.name: ear.state for ear in self._ears}

    @property
    def summary(self) -> str:
        """What it would do, in one line for people."""
        config = self._config
        sources = ", ".join(f"{source.name} ({source.shown})" for source in config.source)
        broker = f"broker {config.mqtt.host}:{config.mqtt.port}" if config.mqtt else "no broker"
        clips = f", clips in {config.clips_folder}" if config.clips.enabled else ""
        publishes = f", publishes at {config.zmq.publish}" if config.zmq and config.zmq.publish else ""
        metrics = f", metrics at {config.metrics.place}" if config.metrics else ""
        page = f", page at http://{config.http.place}/" if config.http else ""
        where = config.file or "no file"
        model = self._model.metadata.name
        places = f"{clips}{publishes}{metrics}{page}"
        return f"{where}: node {config.node}, model {model}, listens to {sources}, {broker}{places}"

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
            shown = self._view(journal, orders, sinks)
            self._lookouts = (*self._lookouts, Broadcast(journal.states, orders.rules), Web(shown))
            self._health.serve(self._config, journal, sinks, self._lookouts)
            for lookout in self._lookouts:
                opened.callback(lookout.close)
                lookout.update(self._config)
            opened.callback(self._close_ears)
            self._start_ears(journal, orders)
            systemd.tell(READY=1, STATUS=f"listening to {', '.join(names)}")
            self._attend(orders, sinks, systemd)
            systemd.tell(STOPPING=1)
        return 1 if any(ear.failure for ear in self._ears) else 0

    def _view(self, journal: Journal, orders: Orders, sinks: Sinks) -> View:
        """What the page shows."""
        return View(
            self._model.metadata, lambda: self._ears, lambda: self._flowing, journal, orders.rules,
            lambda: sinks.connected, self._clips.path, lambda: self._health.collectors,
        )  # fmt: skip

    def _start_ears(self, journal: Journal, orders: Orders) -> None:
        config, observe = self._config, [lookout.observe for lookout in self._lookouts]
        alone, together = (open_source, None), (self._ports.open, Choir())
        for source in config.source:
            way, rules = together if source.kind == SATELLITE else alone, orders.rules(source.name)
            self._ears.append(Ear(source, config.node, self._model, rules, journal, observe, *way))
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
            self._flowing = flow.goes_on(time.monotonic())
            if self._flowing:
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
        for lookout in self._lookouts:
            lookout.update(self._config)
        _LOG.info("reloaded %s", wanted.file or "the command line")

    def _close_ears(self) -> None:
        for ear in self._ears:
            ear.stop()
        now = time.monotonic()
        for ear in self._ears:
            ear.close(now + PATIENCE_SECONDS, now + STOP_SECONDS)


def admission(config: Config) -> Admission | None:
    """Who may come in from other computers; None without keys. Raises ConfigError."""
    files = config.zmq.key_files if config.zmq is not None else None
    return Admission.read(*files) if files else None


def checked(config: Config, metadata: Metadata) -> dict[str, Rule]:
    """The rules of a configuration that fits the model, and whose files can be used. Raises ConfigError."""
    if config.mqtt is not None and config.mqtt.tls:
        tls_context(config.mqtt)
    config.clips.check_labels(metadata.labels, config.file)
    published(config)
    served(config)
    return merged_rules(config, metadata)
