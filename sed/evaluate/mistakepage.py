"""A folder with the worst mistakes: a page with tables by data set, and the pictures it shows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from sed.errors import SinkError
from sed.evaluate.bydataset import Alarms, Events, alarms_by_class, alarms_by_dataset, events_by_dataset
from sed.evaluate.mistakes import OUTCOMES, Mistakes
from sed.evaluate.report import STYLE
from sed.evaluate.worst import Gallery, galleries
from sed.metadata import Metadata, Rule

MOST_ROWS = 25
"""Of a table; the document has all."""

_STYLE = (
    STYLE
    + """
figure { display: inline-block; margin: 0.5rem 0; max-width: 100%; }
"""
)


def write_mistakes(folder: Path, found: Mistakes, rules: Mapping[str, Rule], metadata: Metadata, most: int) -> None:
    """Write `index.html` and at most `most` pictures a label and kind of mistake; raises SinkError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown = {label: list(galleries(found, label, rules[label], metadata, most)) for label in found.labels}
        for name, picture in (one for own in shown.values() for gallery in own for one in gallery.pictures):
            picture.draw().savefig(folder / name, dpi=100)
        (folder / "index.html").write_text("\n".join(_page(found, rules, metadata, shown)), encoding="utf-8")
    except OSError as error:
        raise SinkError(f"--worst {folder}: cannot be written ({error.strerror})") from error


def _page(
    found: Mistakes, rules: Mapping[str, Rule], metadata: Metadata, shown: Mapping[str, Sequence[Gallery]]
) -> Iterator[str]:
    title = escape(f"{metadata.name} {metadata.version}: worst mistakes")
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n<h1>{title}</h1>"
    yield (
        "<p>An event is found if its onset is told within 500 ms; late or early if something of its label is told"
        " over it all the same. Everything else that is told is a false alarm, under which lies the sound that begins"
        " nearest to it, or the bed. Pictures: green is an event, orange what was told of its label, grey all else;"
        " one picture a recording. Though on in time: events not found although the score reached on within 500 ms of"
        " their onset, so that the rule's duration stood in the way, or an event before.</p>"
    )
    for label, own in shown.items():
        yield f"<h2>{escape(label)}</h2>\n<p>{_words(rules[label])}</p>"
        yield from _tables(found, label, rules[label])
        for gallery in (one for one in own if one.pictures):
            yield f"<h3>{escape(gallery.title)}</h3>"
            for name, picture in gallery.pictures:
                yield f'<figure><img src="{escape(name)}" alt="{escape(picture.headline)}"></figure>'
    yield "</html>\n"


def _words(rule: Rule) -> str:
    return f"on {rule.on:g}, off {rule.off:g}, min_duration {rule.min_duration:g} s, max_gap {rule.max_gap:g} s"


def _tables(found: Mistakes, label: str, rule: Rule) -> Iterator[str]:
    events, classes = events_by_dataset(found.fates_of(label)), alarms_by_class(found, label)
    if not events and not classes:
        yield "<p>No event to find, and no false alarm.</p>"
    if events:
        lost = found.fates_of(label, *OUTCOMES[1:])
        scored = Counter(fate.origin.dataset for fate in lost if fate.at_onset >= rule.on)
        heads = ("events from", "events", *OUTCOMES, "though on in time", "recall")
        yield from _table(heads, (_event_row(row, scored[row.dataset]) for row in events))
    if classes:
        heads = ("alarms on", "from", "alarms", "recordings", "heard times", "hours", "alarms/h of it")
        yield from _table(heads, map(_alarm_row, classes[:MOST_ROWS]))
        yield "<p>The same by data set:</p>"
        yield from _table(heads, map(_alarm_row, alarms_by_dataset(found, label)[:MOST_ROWS]))


def _event_row(row: Events, scored: int) -> tuple[str, ...]:
    counts = (row.count, *(row.outcomes[outcome] for outcome in OUTCOMES), scored)
    return row.dataset or "not known", *map(str, counts), f"{row.recall:.2f}"


def _alarm_row(row: Alarms) -> tuple[str, ...]:
    rate = "" if row.per_hour is None else f"{row.per_hour:.2f}"
    counts = (row.count, row.recordings, row.times)
    return row.under, row.dataset or "-", *map(str, counts), f"{row.hours:.3f}", rate


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "<table>\n<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"
    for first, *rest in rows:
        yield f"<tr><th>{escape(first)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
    yield "</table>"
