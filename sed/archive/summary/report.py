"""The summary of a scan: its pictures and the page that shows them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta, tzinfo
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sed.archive.engine import Order
from sed.archive.moment import zone
from sed.archive.summary import charts
from sed.archive.summary.calendar import calendar
from sed.archive.summary.excerpt import hear
from sed.archive.summary.failures import failures
from sed.archive.summary.gallery import Shown, sheet
from sed.archive.summary.page import page
from sed.archive.summary.positions import by_position
from sed.archive.summary.standouts import Standout, standouts
from sed.archive.summary.tally import Tally, count
from sed.archive.worker import prepare
from sed.errors import DamagedError, EarwitnessError, SinkError, UsageError
from sed.model import OnnxModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "summary"

SHEETS = {"loudest.png": "The loudest", "doubtful.png": "The most doubtful"}


def summarise(folder: Path, order: Order) -> list[Path]:
    """Write `summary/` into the folder of a scan, from its tables and with the sound of some events; the page first.

    Raises UsageError if matplotlib is not installed or nothing was scanned yet, SinkError if it cannot be written.
    """
    check_drawable()
    out = folder / FOLDER
    try:
        return [out / name for name in _written(folder, out, order)]
    except OSError as error:
        raise SinkError(f"{out}: the summary cannot be written ({error.strerror})") from error
    except pa.ArrowException as error:
        raise DamagedError(f"{folder}: its tables cannot be read ({' '.join(str(error).split())})") from error


def _written(folder: Path, out: Path, order: Order) -> list[str]:
    tally, where = count(folder), zone(order.timezone)
    if not tally.files:
        raise UsageError(f"{folder}: nothing was scanned into this folder yet")
    out.mkdir(parents=True, exist_ok=True)
    loudest, doubtful = standouts(folder, tally.labels, order.rules)
    events = {"loudest.png": loudest, "doubtful.png": doubtful} if tally.events else {}
    names = []
    for name, figure in chain(_charts(folder, tally, order), _sheets(events, prepare(order), order, where)):
        _save(figure, out / name)
        names.append(name)
    title = f"{folder.resolve().name}: what {order.model_name} heard"
    text = page(title, _facts(tally, order), tally, names, events, failures(folder), where)
    _write(out / "index.html", text.encode("utf-8", "replace"))
    return ["index.html", *names]


def check_drawable() -> None:
    """Raises UsageError if matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError("--summary: needs matplotlib; pip install 'earwitness[scan]', or --no-summary") from error


def _charts(folder: Path, tally: Tally, order: Order) -> Iterator[tuple[str, "Figure"]]:
    if not tally.events:
        return
    yield "by-label.png", charts.by_label(tally)
    if (known := calendar(tally, zone(order.timezone))) is not None and tally.timed:
        yield "by-hour.png", charts.by_hour(tally, known, order.timezone)
        yield "by-day.png", charts.by_day(tally, known, order.timezone)
    else:
        labels = tally.labels[: charts.MOST_LABELS]
        yield "by-position.png", charts.by_position(tally, by_position(folder, labels, tally.seconds), labels)


def _sheets(
    events: dict[str, list[Standout]], model: OnnxModel, order: Order, where: tzinfo
) -> Iterator[tuple[str, "Figure"]]:
    for name, own in events.items():
        shown = [_heard(event, model, order) for event in own]
        yield name, sheet(SHEETS[name], shown, model.metadata, order.rules, where)


def _heard(event: Standout, model: OnnxModel, order: Order) -> Shown:
    try:
        return hear(event, model, order)
    except EarwitnessError as error:
        return event, str(error).removeprefix(f"{event.file}: ")


def _facts(tally: Tally, order: Order) -> dict[str, str]:
    counts = (f"{number:,} {status.replace('_', ' ')}" for status, number in tally.files.most_common())
    rules = (f"{label} from {rule.on:g} on" for label, rule in order.rules.items() if rule.alert)
    speed = f" ({tally.seconds / tally.taken:,.0f} times real time a worker)" if tally.taken else ""
    return {
        "recordings": ", ".join(counts),
        "sound": f"{tally.seconds / 3600:,.1f} hours, heard in {timedelta(seconds=round(tally.taken))} of work{speed}",
        "time": _time_known(tally, order),
        "model": f"{order.model_name}, SHA-256 {order.model_sha256}",
        "rules": ", ".join(rules),
    }


def _time_known(tally: Tally, order: Order) -> str:
    if not tally.dated:
        return "not known of any recording; --time-format says how names tell it"
    known = "of all recordings" if tally.dated == tally.files.total() else f"of {tally.dated:,} recordings"
    return f"known {known}; shown as {order.timezone}"


def _save(figure: "Figure", path: Path) -> None:
    with _no_word_of_glyphs():
        figure.savefig(path, dpi=110)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


@contextmanager
def _no_word_of_glyphs() -> Iterator[None]:
    """A name may have letters that matplotlib's typeface has not: it shows boxes, and needs no warning each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield
