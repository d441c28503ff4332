"""Findings as a table for people, and as TSV and JSON lines for programs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table

from sed.explain.finding import Finding

List = Callable[[TextIO, str, Sequence[Finding], Finding | None], None]
"""Writes a recording's name and its findings; one of them may be the chosen one."""


def table(out: TextIO, name: str, findings: Sequence[Finding], chosen: Finding | None) -> None:
    """A row a finding, the chosen one in bold, events in green."""
    console = Console(file=out, highlight=False)
    if not findings:
        console.print(f"{name}: no events, and no score came to half of what its rule asks", markup=False)
        return
    columns = [Column(heading, justify="right", no_wrap=True) for heading in ("onset s", "offset s", "score")]
    shown = Table(Column("label", no_wrap=True), *columns, Column("why", overflow="fold"), header_style="bold")
    for f in findings:
        style = " ".join(("bold" * (f == chosen), "green" * (f.rule is None))).strip()
        shown.add_row(f.label, f"{f.onset:.2f}", f"{f.offset:.2f}", f"{f.score:.2f}", f.why, style=style)
    console.print(name, markup=False)
    console.print(shown)


def tsv(out: TextIO, name: str, findings: Sequence[Finding], _: Finding | None) -> None:
    """As `detect` writes it, with two columns more: the rule that rejected it (empty for an event), and the words."""
    out.write("filename\tonset\toffset\tevent_label\tscore\trule\twhy\n")
    for f in findings:
        out.write(f"{name}\t{f.onset:.3f}\t{f.offset:.3f}\t{f.label}\t{f.score:.4f}\t{f.rule or ''}\t{f.why}\n")


def json_lines(out: TextIO, name: str, findings: Sequence[Finding], chosen: Finding | None) -> None:
    """One JSON object a finding; `chosen` is what --at or --plot picked."""
    for f in findings:
        numbers = {key: None if value is None else round(value, 4) for key, value in _numbers(f).items()}
        row = {"filename": name} | asdict(f) | numbers | {"event": f.rule is None, "chosen": f == chosen}
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _numbers(f: Finding) -> dict[str, float | None]:
    return {"onset": f.onset, "offset": f.offset, "score": f.score, "reached": f.reached, "asked": f.asked}


FORMATS: dict[str, List] = {"table": table, "tsv": tsv, "jsonl": json_lines}
