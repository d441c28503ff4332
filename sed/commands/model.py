"""`earwitness model`: what a model file says of itself."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from sed.metadata import Metadata, Rule
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path

PIPE_WIDTH = 120


def show(name: str | None, *, as_json: bool) -> None:
    """Print a model's metadata; the file is opened as the detector opens it, so what is shown also works."""
    path = model_path(name or DEFAULT_MODEL)
    metadata = OnnxModel(path).metadata
    if as_json:
        sys.stdout.write(metadata.model_dump_json(indent=2) + "\n")
        return
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    content = path.read_bytes()
    console.print(f"[bold]{metadata.name}[/bold] {metadata.version}  {path}")
    console.print(f"{len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    console.print(f"licence   {metadata.licence}", markup=False)
    for name_and_value in _frontend(metadata):
        console.print(name_and_value, markup=False)
    console.print(_rules(metadata))
    for title, document in (("scores", metadata.scores), ("training", metadata.training)):
        console.print(f"[bold]{title}[/bold]" if document else f"[bold]{title}[/bold] none told")
        for line in _lines(document):
            console.print(f"  {line}", markup=False)


def _frontend(metadata: Metadata) -> Iterator[str]:
    f = metadata.frontend
    band = f"{f.low_hz:g} to {f.high_hz:g} Hz"
    yield f"frontend  {f.sample_rate} Hz, window {f.window}, hop {f.hop}, {f.mels} mels, {band}"
    ahead = metadata.ahead / f.sample_rate
    yield f"scores    one row each {1000 * metadata.period:g} ms, known {1000 * ahead:g} ms after its sound"


def _rules(metadata: Metadata) -> Table:
    table = Table(
        *(Column(name, no_wrap=True) for name in ("label", *Rule.model_fields)), box=None, padding=(0, 2, 0, 0)
    )
    for label in metadata.labels:
        rule = metadata.rules[label].model_dump()
        table.add_row(label, *(_value(value) for value in rule.values()))
    return table


def _lines(document: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{key}: {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and len(value) > 8:
        return f"{len(value)} values"
    return str(value)
