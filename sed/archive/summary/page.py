"""The page of a summary: what was heard, in numbers and pictures, and what failed. No scripts, no outside address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from html import escape

from sed.archive.summary.failures import Failure
from sed.archive.summary.gallery import clock
from sed.archive.summary.standouts import Standout
from sed.archive.summary.tally import Tally

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: 0.15rem 0.8rem; text-align: right; border-bottom: 1px solid #8884; }
th { font-weight: 600; }
.words th, .words td, th:first-child { text-align: left; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; border-radius: 6px; background: white; }
figcaption, .small { opacity: 0.75; font-size: 13px; }
"""

CAPTIONS = {
    "by-label.png": "How many events of each label, and how many a higher threshold would leave.",
    "by-hour.png": "When in the day: label by hour.",
    "by-day.png": "When in the archive: label by day, and all labels by day and hour.",
    "by-position.png": "Where in the archive: label by position.",
    "loudest.png": "The loudest of each label, one a recording. Dashed: onset and offset; dotted: the threshold.",
    "doubtful.png": "The most doubtful of each label: their scores are closest above the threshold.",
}


def page(
    title: str,
    facts: Mapping[str, str],
    tally: Tally,
    pictures: Sequence[str],
    events: Mapping[str, Sequence[Standout]],
    failed: Sequence[Failure],
    zone: tzinfo,
) -> str:
    """The document; `events` are what each sheet of spectrograms shows, by the name of its picture."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n<h1>{escape(title)}</h1>",
            *_table("words", (), facts.items()),
            *_labels(tally),
            *(line for name in pictures for line in _figure(name, events.get(name, ()), zone)),
            *_failures(failed),
            "</html>\n",
        ]
    )


def _labels(tally: Tally) -> Iterator[str]:
    yield "<h2>Events</h2>"
    if not tally.events:
        yield "<p>Nothing was heard that is an event by the rules.</p>"
        return
    hours = max(tally.seconds / 3600, 1e-9)
    rows = ((label, f"{tally.events[label]:,}", f"{tally.events[label] / hours:,.3g}") for label in tally.labels)
    yield from _table("", ("label", "events", "an hour of sound"), rows)


def _figure(name: str, events: Sequence[Standout], zone: tzinfo) -> Iterator[str]:
    words = escape(CAPTIONS[name])
    yield f'<figure><img src="{escape(name)}" alt="{words}"><figcaption>{words}</figcaption></figure>'
    if events:
        yield f"<details><summary>These {len(events)} events in words</summary>"
        yield from _table("words", _HEADS, (_words(event, zone) for event in events))
        yield "</details>"


_HEADS = ("label", "score", "dBFS", "recording", "at", "time")


def _words(event: Standout, zone: tzinfo) -> tuple[str, ...]:
    when = "" if event.onset_time is None else event.onset_time.astimezone(zone).isoformat(" ", "seconds")
    return event.label, f"{event.score:.3f}", f"{event.level_dbfs:.1f}", event.file, clock(event.onset), when


def _failures(failed: Sequence[Failure]) -> Iterator[str]:
    if not failed:
        return
    yield f"<h2>Not heard to their end: {sum(failure.count for failure in failed):,} recordings</h2>"
    for failure in failed:
        yield f"<details><summary>{failure.count:,} {escape(failure.status)}: {escape(failure.kind)}</summary>"
        yield from _table("words", ("recording", "error"), failure.examples)
        if failure.count > len(failure.examples):
            yield f'<p class="small">and {failure.count - len(failure.examples):,} more in the table of files</p>'
        yield "</details>"


def _table(kind: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f'<table class="{kind}">'
    if heads:
        yield "<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"
    for first, *rest in rows:
        yield f"<tr><th>{escape(first)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
    yield "</table>"
