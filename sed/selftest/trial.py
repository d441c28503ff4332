"""The trial: the daemon itself, under another name, with a journal of its own, hears the siren and tells of it."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from sed.config import Config, JournalConfig, SourceConfig, merged_rules
from sed.daemon import Daemon
from sed.errors import DeviceError, EarwitnessError, UsageError
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.selftest.siren import LABEL, LEAD, Siren, make_siren
from sed.selftest.witness import Alert, Witness
from sed.shipped import model_path
from sed.source.loudspeaker import Loudspeaker

NAME = "selftest"
"""The source's; the node's is the configured one with this behind it."""

HEAR_SECONDS = 30.0
"""How long a microphone may take to be opened."""

PATIENCE_SECONDS = 15.0
"""How long the alert and its end may take after the sound: brokers may be far away, and rules may have long gaps."""

LOOK_SECONDS = 0.1
LAST_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went."""

    alert: Alert | None
    missing: str  # empty if all came
    rejected: str  # candidates for a siren that were none by the rules
    played_at: datetime | None  # when the siren left the loudspeaker, if one was used


def staged(config: Config, source: SourceConfig, folder: Path) -> Config:
    """What the trial runs with: the model, rules and broker that are configured, and nothing that others look at.

    Raises UsageError if a siren would not be told.
    """
    rules = merged_rules(config, OnnxModel(model_path(config.model)).metadata)
    if LABEL not in alerting(rules):
        raise UsageError(
            f"selftest: {LABEL} does not alert here, nothing would be told; set rules.{LABEL}.alert = true"
        )
    mqtt = config.mqtt and config.mqtt.model_copy(update={"client_id": None, "discovery": False})
    changes = {
        "node": f"{config.node}-{NAME}", "model": config.model, "rules": config.rules, "mqtt": mqtt,
        "source": (source.model_copy(update={"name": NAME}),), "journal": JournalConfig(path=folder / "journal.db"),
    }  # fmt: skip
    return Config().model_copy(update=changes)  # not made anew: files named in it lie beside the configuration's


def microphone(config: Config, name: str | None) -> SourceConfig:
    """The source of that name, or the first microphone. Raises UsageError if there is none."""
    found = [each for each in config.source if each.kind == "mic" and name in (None, each.name)]
    if not found:
        names = ", ".join(each.name for each in config.source if each.kind == "mic") or "none"
        raise UsageError(f"selftest: no such microphone in the configuration (there are: {names})")
    return found[0]


def through_the_path(config: Config) -> Verdict:
    """The siren from a file, at a microphone's pace. Raises SinkError or UsageError."""
    with TemporaryDirectory(prefix="earwitness-selftest-") as folder:
        siren, path = make_siren(), Path(folder) / "siren.wav"
        soundfile.write(path, siren.samples, siren.rate, subtype="FLOAT")
        return _tried(staged(config, SourceConfig(url=f"file:{path}"), Path(folder)), siren, None)


def through_the_air(config: Config, source: SourceConfig, output: str) -> Verdict:
    """The siren from a loudspeaker, heard by a microphone. Raises DeviceError, SinkError or UsageError."""
    with TemporaryDirectory(prefix="earwitness-selftest-") as folder:
        return _tried(staged(config, source, Path(folder)), make_siren(noise=0.0), Loudspeaker(output))


def _tried(config: Config, siren: Siren, speaker: Loudspeaker | None) -> Verdict:
    with Witness(config, NAME) as witness:
        daemon = Daemon(lambda: config, witness.lines)
        director = Director(daemon, witness, siren, speaker)
        director.start()
        try:
            daemon.run()
        finally:
            director.over.set()
            director.join()
        if director.error is not None:
            raise director.error
        rejected = [(reason, n) for (_, label, reason), n in daemon.rejected.items() if label == LABEL]
        said = ", ".join(f"{n} {reason}" for reason, n in rejected)
        began = speaker.began_at if speaker else None
        return Verdict(witness.alert, witness.missing, said, began + timedelta(seconds=LEAD) if began else None)


class Director(threading.Thread):
    """Lets the siren sound when the daemon hears, waits for what it tells, and stops it."""

    def __init__(self, daemon: Daemon, witness: Witness, siren: Siren, speaker: Loudspeaker | None) -> None:
        """Without a loudspeaker the daemon plays the siren itself."""
        super().__init__(name="selftest director", daemon=True)
        self._daemon, self._witness, self._siren, self._speaker = daemon, witness, siren, speaker
        self.over = threading.Event()
        """Set when the daemon has ended."""
        self.error: EarwitnessError | None = None

    def run(self) -> None:
        """From the beginning to the end, whatever happens."""
        try:
            seconds = self._siren.seconds
            if self._speaker is not None:
                self._wait_for_microphone()
                self._speaker.play(self._siren.samples, self._siren.rate, self.over)
                seconds = 0.0
            self._wait_for_alert(seconds + PATIENCE_SECONDS)
        except EarwitnessError as error:
            self.error = error
        finally:
            self._daemon.stop()

    def _wait_for_microphone(self) -> None:
        until = time.monotonic() + HEAR_SECONDS
        while (state := self._daemon.states.get(NAME)) != "hearing":
            if self.over.wait(LOOK_SECONDS):
                raise DeviceError("selftest: it ended before the microphone was heard")
            if time.monotonic() > until:
                raise DeviceError(f"selftest: the microphone is {state}; 'earwitness doctor' says what to do")

    def _wait_for_alert(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not (self._witness.satisfied or self.over.is_set()) and time.monotonic() < until:
            self._witness.look(LOOK_SECONDS)
        self._witness.look(LAST_LOOK_SECONDS)
