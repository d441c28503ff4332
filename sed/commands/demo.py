"""`earwitness demo`: a street, a private broker, a second client, and every alert with its delay behind the sound."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rich.console import Console
from rich.table import Table

from sed.broker import PrivateBroker
from sed.commands.demopage import SOURCE, DemoPage
from sed.config import Config, JournalConfig, overridden
from sed.replay import Replay
from sed.shipped import example_module
from sed.stopping import on_signal
from sed.watch import Received, Subscriber

NODE = "demo"
LAST_WORDS_SECONDS = 1.0
COLLAR = 1.0
"""Seconds by which a heard onset may miss the true one and still be the same event."""


class TrueEvent(Protocol):
    """What the street's maker knows of an event, in seconds."""

    onset: float
    offset: float
    label: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A `start` message as the second client got it."""

    label: str
    onset: float  # seconds into the street
    score: float
    behind_sound: float  # seconds from the onset to its arrival
    behind_certainty: float  # seconds from the deciding sample to its arrival


def run(config: Config, page: bool | None = None) -> int:
    """Play the street at its own speed; returns 0 if everything in it was heard, else 1.

    The page with what was heard stays until Ctrl-C: with `page`, or, if that is not said, on a terminal.
    """
    console = Console(highlight=False)
    stay = console.is_terminal if page is None else page
    with TemporaryDirectory(prefix="earwitness-demo-") as folder, PrivateBroker() as broker:
        street = Path(folder) / "street.wav"
        truth: list[TrueEvent] = example_module("make_street.py").make_street(street)
        journal = JournalConfig(path=street.with_name("journal.db"))
        config = overridden(config, mqtt_url=broker.url).model_copy(update={"node": NODE, "journal": journal})
        assert config.mqtt is not None  # noqa: S101 - the line above set it
        with (
            Subscriber(config.mqtt, [f"{config.mqtt.prefix}/{NODE}/+/event"]) as client,
            Replay(config, SOURCE, journal=journal.path) as replay,
            DemoPage(config, street, replay) as shown,
        ):
            client.wait_connected(LAST_WORDS_SECONDS)
            with on_signal(replay.stop):
                console.print(f"playing 45 s of street; a second client of {broker.url} hears:")
                listening = _Listening(client, console)
                listening.start()
                seconds = replay.play(str(street), 0, began=listening.began, observe=shown.observe)
                replay.deliver()
            alerts = listening.finish()
            if replay.stopped:
                console.print(f"stopped after {seconds:.0f} s")
                return 1
            code = _compare(truth, alerts, console)
            console.print(shown.invitation(stay=stay), soft_wrap=True)
            if stay and shown.address:
                _wait()
    return code


def _wait() -> None:
    """Until a signal comes."""
    over = threading.Event()
    with on_signal(over.set):
        over.wait()


class _Listening(threading.Thread):
    """The second client: prints each alert as it arrives."""

    def __init__(self, client: Subscriber, console: Console) -> None:
        super().__init__(name="demo-client", daemon=True)
        self._client, self._console = client, console
        self._began: datetime | None = None
        self._alerts: list[Alert] = []
        self._over = threading.Event()

    def began(self, moment: datetime) -> None:
        """The street's first sample was heard at `moment`."""
        self._began = moment

    def finish(self) -> list[Alert]:
        """Take what is still on its way; returns all alerts."""
        self._over.set()
        self.join()
        return self._alerts

    def run(self) -> None:
        """Print until told to finish."""
        while not self._over.is_set():
            for received in self._client.messages(timeout=LAST_WORDS_SECONDS):
                self._take(received)

    def _take(self, received: Received) -> None:
        event = received.json()
        at = _seconds(event["onset"], self._began)
        if event["phase"] == "end":
            self._console.print(f"          {event['label']} lasted {event['duration']:.2f} s", style="dim")
            return
        behind = [
            (received.at - datetime.fromisoformat(event[key])).total_seconds() for key in ("onset", "detected_at")
        ]
        self._alerts.append(Alert(event["label"], at, event["score"], *behind))
        self._console.print(
            f"{at:6.2f} s  [bold]{event['label']:<12}[/bold] {event['score']:.2f}  "
            f"told {behind[0]:.2f} s after its onset ({1000 * behind[1]:.0f} ms after certain)"
        )


def _seconds(stamp: str, began: datetime | None) -> float:
    since = datetime.fromisoformat(stamp) - began if began else timedelta()
    return since.total_seconds()


def _compare(truth: list[TrueEvent], alerts: list[Alert], console: Console) -> int:
    """Print what was expected against what was heard."""
    table = Table(
        "expected", "at s", "heard at s", "score", "told after s", title_justify="left", title="expected / heard"
    )
    left = list(alerts)
    missed = 0
    for true in truth:
        same = [a for a in left if a.label == true.label and true.onset - COLLAR <= a.onset <= true.offset]
        if same:
            left.remove(same[0])
            heard = (f"{same[0].onset:.2f}", f"{same[0].score:.2f}", f"{same[0].behind_sound:.2f}")
        else:
            missed += 1
            heard = ("missed", "", "")
        table.add_row(true.label, f"{true.onset:.2f}", *heard)
    for alert in left:
        table.add_row("[dim]nothing[/dim]", "", f"{alert.label} at {alert.onset:.2f}", f"{alert.score:.2f}", "")
    console.print(table)
    console.print(f"{len(truth) - missed} of {len(truth)} heard, {len(left)} false")
    return 1 if missed else 0
