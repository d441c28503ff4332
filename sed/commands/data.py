"""`earwitness data`: what a data set holds, and how it becomes a folder to train on."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from sed.errors import EarwitnessError, SinkError, UsageError
from sed.train.audit import UNDECIDED, Audit, ClassFigures, Spread, measured
from sed.train.gallery import check_drawing, draw
from sed.train.intake import check_target, present, take_in, wanted
from sed.train.layouts import layout_of, rows_of
from sed.train.manifest import Row, write_catalogue
from sed.train.mapping import changed, mapped
from sed.train.splits import SIDES, Division, divided, missing

_NAMED = 5
"""So many paths of each flaw are printed; audit.json has them all."""

_WIDE = 200  # columns where the output is no terminal
_BOTH = 150  # columns from which counts and spectra stand side by side
_SPECTRA = ("centroid, Hz", "flatness", "change")


def audit(folder: Path, out: Path | None, labels: Path | None, *, quiet: bool) -> int:
    """Measure every clip, one bad file never stopping the others; returns the exit code."""
    if out is not None:
        check_drawing(out)
    layout, rows = _rows(folder, labels)
    found = Audit(str(folder), layout)
    with _progress("listening", len(rows), quiet=quiet) as bar:
        found.take(measured(folder, rows, bar.step))
    console = _console()
    for path, reason in found.unreadable.items():
        bar.complain(reason if path in reason else f"{folder / path}: {reason}")
    if found.checked:
        _show(found, console)
    if out is not None and found.checked:
        with _progress("drawing", None, quiet=quiet):
            pictures = draw(found, out)
        _write_json(found.document(), out / "audit.json")
        console.print(f"\n{out}: audit.json, {', '.join(path.name for path in pictures)}", markup=False)
    return 1 if found.unreadable or not found.checked else 0


def take(
    folder: Path,
    out: Path,
    labels: Path | None,
    licence: str | None,
    division: Division,
    *,
    suspects: bool,
    quiet: bool,
) -> int:
    """Write `out/clips.csv` for a data set, unreadable clips left out and named; returns the exit code."""
    check_target(folder, out)
    layout, rows = _rows(folder, labels)
    rows, absent = present(wanted(rows, licence, suspects=suspects), folder)
    if not rows:
        raise UsageError(f"{folder}: none of the files that its table names is there, as {folder / absent[0].path}")
    divided(rows, division)  # refuses before the long part what cannot be divided
    taken: list[Row] = []
    failed = 0
    with _progress("listening", len(rows), quiet=quiet) as bar:
        for result in take_in(rows, folder, out, bar.step):
            if isinstance(result, EarwitnessError):
                failed += 1
                bar.complain(str(result))
            else:
                taken.append(result)
    placed, how = divided(taken, division)
    table = write_catalogue(placed, out)
    _tell(table, layout, placed, how, _grouped(rows), len(absent), failed)
    return 1 if failed else 0


def _rows(folder: Path, labels: Path | None) -> tuple[str, list[Row]]:
    """The name of a folder's layout, and its rows with our labels."""
    layout = layout_of(folder)
    rows = rows_of(folder, layout)
    kept = mapped(rows, changed(layout.labels, labels, rows))
    if not kept:
        raise UsageError(f"{labels}: leaves no clip of {folder}")
    return layout.name, kept


def _show(found: Audit, console: Console) -> None:
    seconds = found.durations()
    console.print(f"[bold]{found.folder}[/bold]  {found.layout}")
    console.print(
        f"{len(found.checked):,} clips, {timedelta(seconds=round(seconds['total']))} in all; "
        f"{seconds['min']:.2f} to {seconds['max']:.2f} s long, median {seconds['median']:.2f} s; "
        f"{found.silence():.1%} silent"
    )
    _line(console, "rates, Hz", found.count(lambda clip: clip.sound.rate))
    _line(console, "channels", found.count(lambda clip: clip.sound.channels))
    _line(console, "split", found.count(lambda clip: clip.row.split or UNDECIDED))
    _line(console, "licences", found.count(lambda clip: clip.row.licence_kind))
    for table in _tables(found.classes(), console.width):
        console.print(table)
    console.print("spectra: median, and quartiles in brackets", style="dim")
    for flaw, paths in found.flaws().items():
        _paths(console, flaw, paths)
    for target, paths in found.suspects().items():
        _paths(console, f"{target} heard in another class", paths)
    _paths(console, "groups on several sides of the split", list(found.crossing()))
    _paths(console, "unreadable", list(found.unreadable))


def _tables(classes: Sequence[ClassFigures], width: int) -> Iterator[Table]:
    """How much there is of each class and what it sounds like, side by side if there is room for both."""
    sides = [side for side in (*SIDES, UNDECIDED) if any(one.by_split.get(side) for one in classes)]
    counts = {
        one.label: (
            *(f"{count}" for count in (one.clips, *(one.by_split.get(side, 0) for side in sides), one.groups)),
            f"{one.minutes:.1f}",
            f"{one.silence:.0%}",
        )
        for one in classes
    }
    spectra = {
        one.label: (_spread(one.centroid, "{:.0f}"), _spread(one.flatness, "{:.3f}"), _spread(one.change, "{:.2f}"))
        for one in classes
    }
    heads = ("clips", *sides, "groups", "minutes", "silent")
    if width >= _BOTH:
        yield _table((*heads, *_SPECTRA), {label: (*counts[label], *spectra[label]) for label in counts})
    else:
        yield _table(heads, counts)
        yield _table(_SPECTRA, spectra)


def _table(heads: Sequence[str], lines: Mapping[str, Sequence[str]]) -> Table:
    columns = [Column("class", no_wrap=True), *(Column(head, justify="right", no_wrap=True) for head in heads)]
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for label, line in lines.items():
        table.add_row(label, *line)
    return table


def _spread(spread: Spread, form: str) -> str:
    low, median, high = (form.format(value) for value in (spread.low, spread.median, spread.high))
    return f"{median} [{low} {high}]".replace("nan", "-")


def _line(console: Console, name: str, counts: Mapping[str, int]) -> None:
    console.print(f"{name}: " + ", ".join(f"{kind} ({count:,})" for kind, count in counts.items()), markup=False)


def _paths(console: Console, name: str, paths: Sequence[str]) -> None:
    if paths:
        more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
        console.print(f"{name} ({len(paths):,}): {', '.join(paths[:_NAMED])}{more}", markup=False)


def _grouped(rows: Sequence[Row]) -> str:
    alone = sum(not row.group for row in rows)
    if not alone:
        return f"{len({row.key for row in rows}):,} groups of recordings"
    whose = "no clip says" if alone == len(rows) else f"{alone:,} clips do not say"
    return f"{whose} which recording it was cut from: each file is its own group, so cuts of one may be on two sides"


def _tell(table: Path, layout: str, rows: Sequence[Row], how: str, groups: str, absent: int, failed: int) -> None:
    console = _console()
    console.print(f"{table}: {len(rows):,} clips, {layout}, {how}; {groups}", markup=False)
    if absent:
        console.print(f"left out: {absent:,} clips whose files are not there")
    if failed:
        console.print(f"left out: {failed:,} clips that cannot be used")
    labels = sorted({row.label for row in rows})
    counts = Counter((row.label, row.split) for row in rows)
    console.print(_table(SIDES, {label: [str(counts[label, side]) for side in SIDES] for label in labels}))
    lacking = [label for label, sides in missing(rows, labels).items() if {"train", "valid"} & set(sides)]
    if lacking:
        why = "no clip to learn from, or none to choose a rule on"
        console.print(f"good as other sounds, not as --label ({why}): {', '.join(lacking)}", markup=False)


def _write_json(document: Mapping[str, object], path: Path) -> None:
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


class _Bar:
    """A progress bar on stderr, if that is a terminal, and lines that do not tear it."""

    def __init__(self, console: Console, advance: Callable[[], None]) -> None:
        self.step = advance
        self._console = console

    def complain(self, line: str) -> None:
        self._console.print(f"earwitness: {line}", markup=False)


@contextmanager
def _progress(what: str, total: int | None, *, quiet: bool) -> Iterator[_Bar]:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = console.is_terminal and not quiet
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(what, total=total)
        yield _Bar(console, lambda: progress.advance(task))


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDE)
