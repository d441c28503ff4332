"""`earwitness run` as its own process, for tests: its lines, its log, its signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.broker import eventually

SYSTEMDS = ("JOURNAL_STREAM", "NOTIFY_SOCKET", "STATE_DIRECTORY")
"""Variables that are about the process which runs the tests."""

START_SECONDS = 120.0
"""Machines are busy: an interpreter with ONNX Runtime may take its time."""

SOON = 20.0
"""Seconds. It promises to end within two, on a machine that is not busy; one that waits for sound takes longer."""


class Run:
    """One daemon; a `with` starts it and kills what is left of it."""

    def __init__(
        self,
        folder: Path,
        *options: object,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        before: Sequence[str] = (),
    ) -> None:
        self._out, self._log = folder / f"out-{time.monotonic_ns()}", folder / f"log-{time.monotonic_ns()}"
        self._command = [*before, sys.executable, "-m", "sed", "run", *map(str, options)]
        self._stdin = stdin
        own = {key: value for key, value in os.environ.items() if key not in SYSTEMDS}
        self._environment = own | {"NO_COLOR": "1", "COLUMNS": "160"} | dict(environment or {})

    def events(self, phase: str = "", source: str = "") -> list[dict[str, Any]]:
        """The JSON lines so far."""
        whole, _, _ = self._out.read_text().rpartition("\n")  # the last line may still be being written
        found = [json.loads(line) for line in whole.splitlines()]
        return [event for event in found if phase in ("", event["phase"]) and source in ("", event["source"])]

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def said(self, text: str) -> bool:
        return text in self.log()

    @contextmanager
    def says(self, text: str) -> Iterator[None]:
        """At the end of the block, wait until the log has said so once more than at its beginning."""
        before = self.log().count(text)
        yield
        eventually(lambda: self.log().count(text) > before, START_SECONDS)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def reload(self, taken: bool = True) -> None:
        """SIGHUP; returns when the configuration was taken over, or was not."""
        with self.says("info reloaded " if taken else "error reload: "):
            self.send(signal.SIGHUP)

    def end(self, seconds: float = 60.0) -> int:
        """Wait for its end; returns its exit code."""
        return self.process.wait(seconds)

    def __enter__(self) -> Self:
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, stdin=self._stdin, stdout=out, stderr=log, env=self._environment
            )
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        with self.process:  # closes the pipe to it, if there is one
            self.process.wait(START_SECONDS)
