"""A daemon with a page, for tests: its own process, real recordings, a real client."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from tests.broker import eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.toy import RATE, bursts, metadata, write_toy

PATIENCE_SECONDS = 120.0
"""Machines are busy."""


@dataclass(frozen=True, slots=True)
class Box:
    """One that listens, and somebody who asks."""

    run: Run
    client: httpx.Client
    port: int

    def stream(self, query: str = "", **settings: Any) -> "Iterator[tuple[str, dict[str, Any]]]":
        """Server-sent events, as a browser takes them apart."""
        with self.client.stream("GET", f"/stream{query}", **settings) as answer:
            assert answer.status_code == 200, answer.read()
            name = ""
            for line in answer.iter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    yield name, json.loads(value)

    def heard(self, phase: str = "end") -> list[dict[str, Any]]:
        """The events so far; one at least."""
        eventually(lambda: self.run.events(phase), START_SECONDS)
        return self.run.events(phase)


def write_sounds(folder: Path, minutes: int = 10) -> None:
    """A toy model, and minutes of bursts of 0.4 s, one each second."""
    write_toy(folder / "toy.onnx", metadata(on=0.5, off=0.4, min_duration=0.08, max_gap=0.12))
    soundfile.write(folder / "yard.wav", np.tile(bursts((0.3, 0.7), seconds=1.0), 60 * minutes), RATE)


def configured(folder: Path, port: int | None, *lines: str, http: str = "") -> Path:
    document = ['node = "gate"', f'model = "{folder / "toy.onnx"}"', '[[source]]\nname = "yard"\nurl = "file:yard.wav"']
    document += ['[journal]\npath = "journal.db"', *([f"[http]\nport = {port}\n{http}"] if port else []), *lines]
    (folder / "gate.toml").write_text("\n".join(document) + "\n")
    return folder / "gate.toml"


@contextmanager
def box(folder: Path, *lines: str, http: str = "", **client: Any) -> Iterator[Box]:
    """Listening, and answering, for as long as the tests of a file may take."""
    write_sounds(folder, minutes=30)
    config = configured(folder, port := free_port(), *lines, http=http)
    with Run(folder, "-c", config) as run, calling(port, **client) as caller:
        eventually(lambda: answers(caller), START_SECONDS)
        yield Box(run, caller, port)


def calling(port: int, **settings: Any) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, trust_env=False, **settings)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def until(seconds: float) -> Iterator[None]:
    """Again and again, for so long at most."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
