"""A folder with everything that was found: a page, and the pictures it shows. No scripts, no outside addresses."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from sed.errors import SinkError
from sed.evaluate.confusion import worst
from sed.evaluate.document import words
from sed.evaluate.evaluation import Findings
from sed.evaluate.pictures import PICTURES
from sed.metadata import Metadata

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 0.8rem; text-align: right; border-bottom: 1px solid #ddd; white-space: pre; }
th:first-child { text-align: left; }
img { max-width: 100%; }
"""


def write_report(folder: Path, findings: Findings, metadata: Metadata) -> None:
    """Write `index.html` and the pictures; raises SinkError if they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shown = PICTURES if findings.events else {}
        for name, draw in shown.items():
            draw(folder / name, findings)
        (folder / "index.html").write_text("\n".join(_page(findings, metadata, list(shown))), encoding="utf-8")
    except OSError as error:
        raise SinkError(f"--report {folder}: cannot be written ({error.strerror})") from error


def _page(findings: Findings, metadata: Metadata, pictures: list[str]) -> Iterator[str]:
    title = escape(f"{metadata.name} {metadata.version}")
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>"
    drawn = "In brackets: 95 % bootstrap intervals, a bed drawn with all scenes over it."
    yield f"<p>{escape(_heard(findings))}. {drawn}</p>"
    yield from _table(findings)
    if mistakes := worst(findings.confusion):
        items = "".join(f"<li>{escape(f'{there} told as {told}')}: {times}</li>" for there, told, times in mistakes)
        yield f"<h2>Worst pairs</h2>\n<ul>{items}</ul>"
    for name in pictures:
        yield f'<p><img src="{name}" alt="{name.removesuffix(".png")}"></p>'
    yield "</html>\n"


def _heard(findings: Findings) -> str:
    kinds = [f"{count} {kind} ({findings.hours[kind]:.2f} h)" for kind, count in findings.scenes.items()]
    events = [f"{count} {label}" for label, count in sorted(findings.events.items())]
    return f"Recordings: {', '.join(kinds)}" + (f"; events: {', '.join(events)}" if events else "")


def _table(findings: Findings) -> Iterator[str]:
    columns = ("all", *findings.labels)
    yield "<table>\n<tr><th></th>" + "".join(f"<th>{escape(label)}</th>" for label in columns) + "</tr>"
    for measure in findings.measures:
        cells = (f"<td>{words(measure.figures[label], measure.digits)}</td>" for label in columns)
        yield f"<tr><th>{escape(measure.title)}</th>{''.join(cells)}</tr>"
    yield "</table>"
