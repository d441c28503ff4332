"""`earwitness devices`: what can be listened to, what not and why, and how loud it is."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sed.config import SourceConfig
from sed.errors import DeviceError
from sed.level import dbfs
from sed.ring import RingBuffer
from sed.signals import FLOOR_DBFS
from sed.source.devices import Input, inputs, unreachable
from sed.source.microphone import Microphone
from sed.source.portaudio import portaudio
from sed.stopping import on_signal

RATE = 16_000
WINDOW = 0.1
"""Seconds over which a level is taken, and after which it is shown anew."""

QUIETEST_DBFS = -90.0
"""Where a bar begins."""

BAR = 40
"""Characters."""

STOP_SECONDS = 2.0


def show() -> int:
    """List what can be opened, and what not with the reason. Returns 1 if nothing can be opened."""
    console, found = Console(highlight=False), inputs(portaudio())
    opens = [each for each in found if each.rates]
    console.print(_table(opens) if opens else "no microphone can be opened")
    troubles = [f"mic:{each.name}: {each.trouble}" for each in found if not each.rates]
    for line in troubles + unreachable([each.name for each in found]):
        console.print(Text(f"not reached: {line}"), soft_wrap=True)
    return 0 if opens else 1


def meter(names: Sequence[str]) -> None:
    """Show live levels of the microphones of these names, or of all, until interrupted. Raises DeviceError."""
    names = names or [device.name for device in portaudio().inputs()]
    if not names:
        raise DeviceError("no microphone can be opened; 'earwitness devices' tells why")
    stopped: list[bool] = []
    with (
        on_signal(lambda: stopped.append(True)),
        _heard(names) as needles,
        Live(_bars(needles), refresh_per_second=1.0 / WINDOW) as live,
    ):
        while not stopped:
            time.sleep(WINDOW)
            live.update(_bars(needles))


class Needle:
    """One microphone's level."""

    def __init__(self, name: str) -> None:
        """`name` as in `mic:NAME`."""
        self.name = name
        self._ring = RingBuffer(RATE)
        self.microphone = Microphone(SourceConfig(url=f"mic:{name}"), self._ring, RATE)
        self._blocks = self._ring.blocks(1)
        self._level = FLOOR_DBFS

    def level(self) -> float:
        """Of what was heard since the last call, in dBFS; never waits."""
        if self._ring.waiting:
            samples = next(self._blocks).samples
            self._level = dbfs(float(np.mean(np.square(samples)))) if len(samples) else FLOOR_DBFS
        return self._level


@contextmanager
def _heard(names: Sequence[str]) -> Iterator[list[Needle]]:
    needles = [Needle(name) for name in names]
    for needle in needles:
        needle.microphone.start()
    try:
        yield needles
    finally:
        for needle in needles:
            needle.microphone.stop()
        for needle in needles:
            needle.microphone.join(STOP_SECONDS)


def _table(found: Sequence[Input]) -> Table:
    table = Table(
        "open as", "through", "channels", "rates, kHz", "default", box=None, pad_edge=False, padding=(0, 3, 0, 0)
    )
    for each in found:
        rates = " ".join(f"{rate / 1000:g}" for rate in each.rates)
        table.add_row(Text(f"mic:{each.name}"), each.host_api, str(each.channels), rates, "yes" if each.default else "")
    return table


def _bars(needles: Sequence[Needle]) -> Table:
    table = Table.grid(padding=(0, 1))
    for needle in needles:
        level, microphone = needle.level(), needle.microphone
        if microphone.state in ("hearing", "silent"):
            table.add_row(
                Text(f"mic:{needle.name}"), Text(_bar(level), "green"), f"{level:6.1f} dBFS", microphone.reason
            )
        else:
            table.add_row(Text(f"mic:{needle.name}"), "", microphone.state, Text(microphone.reason))
    return table


def _bar(level: float) -> str:
    full = (level - QUIETEST_DBFS) / -QUIETEST_DBFS
    return "█" * round(BAR * min(1.0, max(0.0, full)))
