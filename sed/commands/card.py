"""`earwitness model card`: what a model file, its evaluations and its data say, as Markdown."""

import hashlib
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sed.commands.bench import BLOCK_MS, measure
from sed.config import Config
from sed.errors import SinkError, UsageError
from sed.evaluate.card import Clips, Cost, Subject, card
from sed.evaluate.document import SCHEMA
from sed.metadata import Metadata
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path
from sed.train.manifest import LICENCE_KINDS, read_catalogue

SIDES = ("train", "valid", "test")


def run(name: str | None, evaluations: Sequence[Path], data: Path | None, out: Path | None, *, seconds: float) -> None:
    """Write the card to `out`, or to stdout; `seconds` of sound are what cost is measured on, 0 leaves it out."""
    model = OnnxModel(model_path(name or DEFAULT_MODEL))
    content = model.path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    subject = Subject(
        model.metadata,
        len(content),
        digest,
        [_evaluation(path, digest) for path in evaluations],
        list(_clips(data, model.metadata)) if data else (),
        [Cost(ms, measure(model, Config(), seconds, ms).stages) for ms in BLOCK_MS] if seconds else (),
        f"{platform.machine()}, {os.cpu_count()} cores",
    )
    text = card(subject)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{out}: cannot be written ({error.strerror})") from error


def _evaluation(path: Path, digest: str) -> dict[str, Any]:
    """A document of evaluate; refused unless it speaks of this very file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path}: not what 'earwitness evaluate --json' writes ({SCHEMA})")
    if document.get("sha256") != digest:
        raise UsageError(f"{path}: measured another file, sha256 {str(document.get('sha256'))[:12]}; evaluate this one")
    return document


def _clips(data: Path, metadata: Metadata) -> Iterator[Clips]:
    """The recordings of each side of the split, counted."""
    rows = read_catalogue(data)
    for split in SIDES:
        own = [row for row in rows if row.split == split]
        targets, others = (
            Counter((row.dataset, row.licence_kind) for row in own if (row.label in metadata.labels) is wanted)
            for wanted in (True, False)
        )
        if own:
            yield Clips(split, LICENCE_KINDS, targets, others)
