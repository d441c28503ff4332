"""The derived tables and the picture of docs/scale.md, made anew from its own tables of constants and assumptions.

    python -m benchmarks.scaledoc [docs/scale.md] [--set scan_speed=1400 scan_second=1.9]

Everything between `<!-- table NAME -->` and `<!-- end -->`, or `<!--=NAME-->` and `<!--/-->`, is written by this
program, and so is docs/scale.png. Change a constant (or let `python -m benchmarks.broker --update docs/scale.md` do it)
or an assumption, run this, and read. tests/test_scale.py fails when the document is not what this gives.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import scalearchive, scalefleet, scalelimits
from benchmarks.scalewords import Numbers, Rows

DOCUMENT = Path(__file__).parents[1] / "docs" / "scale.md"
TABLES: dict[str, Callable[[Numbers], Rows]] = {
    "steps": scalelimits.steps,
    "listening": scalefleet.listening,
    "broker": scalefleet.broker,
    "outage": scalefleet.outage,
    "data": scalefleet.data,
    "first": scalelimits.first,
    "cost": scalefleet.cost,
    "archive": scalearchive.archive,
    "archive_first": scalearchive.first,
    "archive_cost": scalearchive.cost,
}
"""What is written into the document, by name."""

_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
_INLINE = re.compile(r"(<!--=(\w+)-->)[^<]*(<!--/-->)")
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def numbers(text: str) -> Numbers:
    """Every constant and assumption of the document by its name. Raises ValueError for what is no number."""
    found: Numbers = {}
    for name, value in _ROW.findall(text):
        if name in found:
            raise ValueError(f"{name}: is in the document twice")
        try:
            found[name] = float(value.replace(",", ""))
        except ValueError:
            raise ValueError(f"{name}: should be a number, got {value.strip()!r}") from None
    return found


def rendered(text: str) -> str:
    """The document with its derived tables, and the constants in its sentences, made anew."""
    known = numbers(text)

    def fill(match: "re.Match[str]") -> str:
        return f"{match[1]}{markdown(TABLES[match[2]](known))}{match[3]}"

    quoted = _INLINE.sub(lambda match: f"{match[1]}{known[match[2]]:,.10g}{match[3]}", text)
    return _TABLE.sub(fill, quoted)


def markdown(rows: Rows) -> str:
    """A table whose first row is its header; numbers are set to the right."""
    header, *body = rows
    rule = ["---" if column == 0 or not _number(body[-1][column]) else "--:" for column in range(len(header))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rule, *body))


def update(path: Path, found: Mapping[str, float], when: str | None = None) -> None:
    """Put measured constants into their rows, with the day (last column). Raises KeyError if one has no row."""
    text, day = path.read_text(), when or f"{datetime.now(UTC):%-d %b %Y}"
    for name, value in found.items():
        row = re.search(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
        if row is None:
            raise KeyError(f"{path} has no constant {name}")
        cells = row[0].split(" | ")
        cells[1], cells[-1] = f"{value:,.10g}", f"{day} |"
        text = text.replace(row[0], " | ".join(cells))
    path.write_text(rendered(text))


def draw(known: Numbers, path: Path) -> None:
    """What each part of a fleet is used to, and how long an archive takes; dashed beyond what was measured."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(11.0, 4.2), layout="constrained")
    titles = "Boxes: how far one of each is used on a busy day", "Archive: how long a scan takes"
    sides = (known["broker_boxes"], scalelimits.curves(known)), (known["scan_hours"], scalearchive.curves(known))
    for axes, title, (edge, lines) in zip(panels, titles, sides, strict=True):
        for colour, (label, points) in enumerate(lines.items()):
            for dashed in (False, True):
                part = [(x, y) for x, y in points if (x >= edge if dashed else x <= edge)]
                style = {"color": f"C{colour}", "linestyle": "--" if dashed else "-"}
                axes.plot(*zip(*part, strict=True), label=None if dashed else label, **style)
        axes.axvline(edge, color="0.8", zorder=0)
        axes.set(xscale="log", yscale="log", title=title)
        axes.legend(frameon=False, fontsize="small", loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].axhline(1.0, color="0.4", linewidth=0.8)
    panels[0].set(ylim=(1e-4, 30), xlabel="boxes")
    panels[0].set_yticks([1e-4, 1e-2, 1], ["0.01 %", "1 %", "100 %"])
    panels[1].set(ylim=(2e-4, None), xlabel="hours of sound")
    panels[1].set_yticks([1 / 3_600, 1 / 60, 1, 24, 720, 8_760], ["1 s", "1 min", "1 h", "a day", "a month", "a year"])
    for axes in panels:
        axes.minorticks_off()
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _number(cell: str) -> bool:
    return re.fullmatch(r"[\d,.]+ ?\S{0,5}( †)?", cell) is not None


def main() -> int:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=Path, nargs="?", default=DOCUMENT)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="constants measured today")
    parser.add_argument("--busy", action="store_true", help="on a busy machine, the document shall say")
    arguments = parser.parse_args()
    path, today = arguments.document, f"{datetime.now(UTC):%-d %b %Y}"
    try:
        found = {name: float(value) for name, _, value in (each.partition("=") for each in arguments.set)}
        update(path, found, f"busy, {today}" if arguments.busy else today)
        draw(numbers(path.read_text()), path.with_suffix(".png"))
    except (OSError, ValueError, KeyError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
