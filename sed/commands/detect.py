"""`earwitness detect`: recordings in, an event list out."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from sed.config import Config, merged_rules
from sed.errors import EarwitnessError, UsageError
from sed.formats import open_writer
from sed.metadata import Rule
from sed.model import OnnxModel
from sed.plot import Plot
from sed.scan import Observer, Scan, Scanner
from sed.scorefile import ScoreFile
from sed.shipped import model_path
from sed.source.file import AudioFile, Channel
from sed.source.folder import recordings


def run(
    paths: Sequence[str],
    format_name: str | None,
    scores: Path | None,
    plot: Path | None,
    channel: Channel,
    config: Config,
    *,
    quiet: bool,
) -> int:
    """Scan every recording, one bad file never stopping the others; returns the exit code."""
    found = list(recordings(paths))
    writer = open_writer(format_name or ("table" if sys.stdout.isatty() else "tsv"), sys.stdout, len(found))
    model = OnnxModel(model_path(config.model))
    rules = merged_rules(config, model.metadata)
    scanner = Scanner(model, rules, channel)
    tally = _Tally()
    try:
        with _progress(found, channel, quiet=quiet) as bar:
            for name in found:
                if isinstance(name, UsageError):
                    scan = Scan(error=name)
                else:
                    observe = _observers(name, model, rules, scores, plot, several=len(found) > 1)
                    scan = scanner.scan(name, observe, bar.heard)
                    writer.write(scan.detections)
                tally.add(scan)
                if scan.error is not None:
                    bar.complain(str(scan.error))
    finally:  # also after Ctrl-C: what was found is shown
        writer.close()
    bar.sum_up(str(tally))
    return tally.exit_code


class _Tally:
    """What was done in all."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._recordings = self._events = self._failed = 0
        self._seconds, self._began = 0.0, time.monotonic()

    def add(self, scan: Scan) -> None:
        self._recordings += 1
        self._events += len(scan.detections)
        self._seconds += scan.seconds
        if scan.error is not None:
            self._failed += 1
            self.exit_code = max(self.exit_code, scan.error.exit_code)

    def __str__(self) -> str:
        took = time.monotonic() - self._began
        speed = self._seconds / max(took, 1e-9)
        failed = f", {self._failed} failed" if self._failed else ""
        heard = timedelta(seconds=round(self._seconds))
        return f"{self._events} events in {self._recordings} recordings{failed}; {heard} at {speed:,.0f}x real time"


def _observers(
    name: str, model: OnnxModel, rules: Mapping[str, Rule], scores: Path | None, plot: Path | None, *, several: bool
) -> Callable[[], list[Observer]]:
    metadata = model.metadata

    def observe() -> list[Observer]:
        made: list[Observer] = []
        if scores is not None:
            path = _beside(scores, name, ".tsv") if several else scores
            made.append(ScoreFile(path, metadata.labels, metadata.frontend.sample_rate))
        if plot is not None:
            path = _beside(plot, name, ".png") if several else plot
            made.append(Plot(path, metadata, rules, name))
        return made

    return observe


def _beside(folder: Path, name: str, suffix: str) -> Path:
    """A file in `folder` named after a recording, its folders joined so that no two collide."""
    if folder.suffix:
        raise UsageError(f"{folder}: several recordings need a folder, not a file")
    parts = [part for part in Path(name).with_suffix("").parts if part not in {"/", "..", "."}]
    return folder / ("_".join(parts) + suffix)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}x real time" if task.speed else "")


class _Bar:
    """A progress bar on stderr, if that is a terminal, and lines that do not tear it."""

    def __init__(self, progress: Progress, console: Console, task: TaskID) -> None:
        self._progress, self._console, self._task = progress, console, task

    def heard(self, seconds: float) -> None:
        self._progress.advance(self._task, seconds)

    def complain(self, line: str) -> None:
        self._console.print(f"earwitness: {line}", markup=False)

    def sum_up(self, line: str) -> None:
        if not self._progress.disable:
            self._console.print(line, style="dim")


@contextmanager
def _progress(found: Sequence[str | UsageError], channel: Channel, *, quiet: bool) -> Iterator[_Bar]:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    shown = console.is_terminal and not quiet
    columns = (TextColumn("{task.description}"), BarColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        total = _total_seconds(found, channel) if shown else None
        task = progress.add_task(f"{len(found)} recordings" if len(found) > 1 else str(found[0]), total=total)
        yield _Bar(progress, console, task)


def _total_seconds(found: Sequence[str | UsageError], channel: Channel) -> float | None:
    """Seconds of sound in all, as far as the headers tell; None if one of them does not."""
    total = 0.0
    for name in found:
        if name == "-":
            return None
        try:
            with AudioFile(str(name), channel) as file:
                total += (file.frames or 0) / file.sample_rate
        except EarwitnessError:
            continue  # it will be told when its turn comes
    return total
