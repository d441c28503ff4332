"""`earwitness explain`: why a recording gave its events, and why it gave no others."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from sed import complaints
from sed.config import Config, merged_rules
from sed.errors import AudioError, UsageError
from sed.explain.candidates import Candidates, nearest
from sed.explain.evidence import gather
from sed.explain.excerpt import place, read
from sed.explain.finding import Finding
from sed.explain.listing import FORMATS
from sed.explain.picture import Picture
from sed.explain.streams import Streams
from sed.formats import Detection
from sed.model import OnnxModel
from sed.plot import check_drawable, save
from sed.scan import Scanner
from sed.shipped import model_path
from sed.signals import Floats, Frames, Scores
from sed.source.file import Channel

PATIENCE = 1.0
"""Seconds before a progress bar appears."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants to know of a recording."""

    at: float | None = None  # seconds
    label: str | None = None
    plot: Path | None = None
    nearest: int = 10  # rejected candidates listed
    format: str | None = None


def run(name: str, channel: Channel, config: Config, wish: Wish) -> int:
    """List what was found and what was rejected, and draw one of them; returns the exit code."""
    model = OnnxModel(model_path(config.model))
    _check(name, wish, model.metadata.labels)
    rules = merged_rules(config, model.metadata)
    kept = _Kept()
    scan = Scanner(model, rules, channel).scan(name, lambda: [kept])
    if not sum(map(len, kept.rows)):
        raise scan.error or AudioError(f"{name}: too short to have a score")
    scores = Scores(0, model.metadata.hop, np.concatenate(kept.rows), model.metadata.ahead)
    candidates = Candidates(model.metadata.labels, rules, model.metadata.frontend.sample_rate, scores)
    chosen = _choose(candidates, wish)
    _list(name, candidates.findings(wish.label), chosen, wish)
    if wish.plot is not None and chosen is not None:
        save(_picture(name, channel, model, candidates, chosen).draw(), wish.plot)
    if scan.error is not None:
        sys.stderr.write(f"earwitness: {scan.error}\n")
    return scan.error.exit_code if scan.error is not None else 0


def _check(name: str, wish: Wish, labels: tuple[str, ...]) -> None:
    if name == "-":
        raise UsageError("explain -: the recording is read twice, so it has to be a file")
    if wish.format is not None and wish.format not in FORMATS:
        raise UsageError(f"--format {wish.format}: unknown; choose one of {', '.join(FORMATS)}")
    if wish.label is not None and wish.label not in labels:
        raise UsageError(f"--label {wish.label}: the model has no such label, {complaints.nearest(wish.label, labels)}")
    if wish.plot is not None:
        check_drawable(wish.plot)


class _Kept:
    """All score rows of a recording."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []

    def frames(self, frames: Frames) -> None:
        """Frames are read again where they are wanted."""

    def scores(self, scores: Scores) -> None:
        self.rows.append(scores.values)

    def close(self, detections: list[Detection]) -> None:
        """Detections come again with the candidates."""


def _choose(candidates: Candidates, wish: Wish) -> Finding | None:
    """What --at points at; for a picture without it, the best there is."""
    if wish.at is not None:
        return candidates.at(wish.at, wish.label)
    return candidates.best(wish.label) if wish.plot is not None else None


def _list(name: str, findings: list[Finding], chosen: Finding | None, wish: Wish) -> None:
    shown = nearest(findings, wish.nearest)
    hidden = len(findings) - len(shown)
    if chosen is not None and chosen not in shown:
        shown = sorted([*shown, chosen], key=lambda f: f.onset)
    FORMATS[wish.format or ("table" if sys.stdout.isatty() else "tsv")](sys.stdout, name, shown, chosen)
    sys.stdout.flush()
    if hidden and sys.stderr.isatty():
        sys.stderr.write(f"{hidden} that missed by more are not shown; --nearest {wish.nearest + hidden} shows all\n")


def _picture(name: str, channel: Channel, model: OnnxModel, candidates: Candidates, chosen: Finding) -> Picture:
    column = model.metadata.labels.index(chosen.label)
    where = place(chosen, candidates.scores, column, model.metadata)
    excerpt = read(name, channel, model.metadata, where)
    with _progress(f"{chosen.label} at {chosen.onset:.2f} s") as done:
        evidence = gather(Streams(model), excerpt, column, model.metadata, done)
    rows = slice(where.rows.start, where.rows.stop)
    raw, smoothed = candidates.scores.values[rows, column], candidates.smoothed(chosen.label)[rows]
    rule = candidates.rules[chosen.label]
    return Picture(name, chosen, rule, model.metadata, excerpt, evidence, raw, smoothed)


@contextmanager
def _progress(words: str) -> Iterator[Callable[[float], None]]:
    """Told which share is done; shows it on stderr, if that is a terminal, once it has taken PATIENCE."""
    console = Console(stderr=True)
    bar = Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True)
    task, begun = bar.add_task(words, total=1.0), time.monotonic()
    with ExitStack() as shown:

        def done(share: float) -> None:
            bar.update(task, completed=share)
            if console.is_terminal and not bar.live.is_started and time.monotonic() - begun > PATIENCE:
                shown.enter_context(bar)

        yield done
