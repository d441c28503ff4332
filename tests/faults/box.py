"""A box as it is installed, in a folder: a toy model, its sounds, its configuration, and each run of its daemon."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from tests.broker import Broker
from tests.daemon import Run
from tests.microphone import Shorts
from tests.toy import RATE, bursts, metadata, write_toy

LABEL = "tone"
BEAT, ENDS = 0.5, 0.8
"""Seconds into every second at which a burst begins and ends."""
TRUE = 0.1
"""Seconds by which an onset may be off: the toy is up to 50 ms early, and a busy computer a little late."""


class Box:
    """One node called `gate`; what its daemons have said so far is in `runs`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "gate.toml"
        self.journal = folder / "journal.db"
        self.runs: list[Run] = []
        rule = metadata(look_ahead=0, on=0.5, off=0.4, min_duration=0.08, max_gap=0.12)
        write_toy(folder / "toy.onnx", rule)  # its onsets are at most 50 ms early

    def beats(self, name: str, count: int) -> str:
        """Write a recording with a burst in every second; returns its URL."""
        sound = bursts(*[(n + BEAT, n + ENDS) for n in range(count)], seconds=count + 0.2)
        soundfile.write(self.folder / f"{name}.wav", sound, RATE)
        return f"file:{name}.wav"

    def configure(self, broker: Broker | str | None, journal: Path | str = "journal.db", **sources: str) -> None:
        """Write the configuration: URLs by source; `broker` may be the lines of its table."""
        lines = ['node = "gate"', f'model = "{self.folder / "toy.onnx"}"']
        lines += [f'[[source]]\nname = "{name}"\nurl = "{url}"' for name, url in sources.items()]
        lines += [f'[journal]\npath = "{journal}"']
        if isinstance(broker, Broker):
            broker = f'url = "mqtt://127.0.0.1:{broker.port}"'
        lines += [f"[mqtt]\n{broker}"] if broker else []
        self.config.write_text("\n".join(lines) + "\n")

    def run(
        self,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> Run:
        """A daemon, for a `with`; `before` is what its command begins with."""
        self.runs.append(Run(self.folder, "-c", self.config, environment=environment, stdin=stdin, before=before))
        return self.runs[-1]


def beating(start: int, end: int) -> Shorts:
    """What a virtual microphone hears: `Box.beats` without an end."""
    second = (bursts((BEAT, ENDS), seconds=1.0) * 32_767).astype(np.int16)
    return second[np.arange(start, end) % RATE]
