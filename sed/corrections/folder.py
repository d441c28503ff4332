"""A folder of corrections: clips.csv and audio to learn from, scenes.tsv to measure on."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sed.corrections.correction import Correction, truth
from sed.corrections.sides import sides
from sed.errors import SinkError, UsageError
from sed.evaluate.reference import COLUMNS, Sound, read_references
from sed.evaluate.scenelist import EVENTS
from sed.history.reader import History
from sed.message import rfc3339
from sed.train.manifest import CATALOGUE, Row, read_catalogue, write_catalogue

DATASET = "corrections"

AUDIO = "audio"
"""Where the recordings lie."""

KEPT = "valid"
"""The folder whose scenes.tsv names only what is not learnt from."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a folder holds now."""

    rows: tuple[Row, ...]
    unclear: int
    """Recordings that are not in scenes.tsv: of other events in them nobody has said anything."""

    @property
    def labels(self) -> Counter[str]:
        """How many recordings there are of each class."""
        return Counter(row.label for row in self.rows)

    def count(self, split: str, label: str | None = None) -> int:
        """How many recordings are on a side of the split."""
        return sum(row.split == split and label in (None, row.label) for row in self.rows)


def export(found: Sequence[Correction], history: History, out: Path) -> Export:
    """Add corrections to a folder, which is made if it is not there; those of earlier times stay.

    A recording keeps its side of the split; a verdict that was changed or taken back since is followed. Raises
    UsageError for a folder of something else, SinkError where it cannot be written.
    """
    before = _before(out)
    _copy(found, out / AUDIO)
    fresh = {row.path: row for row in map(_row, found)}
    stay = {row.path: row for row in before if row.path not in fresh and not _taken_back(history, row)}
    rows = _divided([*stay.values(), *fresh.values()], {row.key: row.split for row in before})
    scenes = {path: events for path, events in _scenes_before(out).items() if path in stay}
    scenes |= {_path(one): _events(one) for one in found if not one.unclear}
    write_catalogue(rows, out)
    _write(out / EVENTS, scenes)
    valid = {row.path for row in rows if row.split == "valid"}
    _write(out / KEPT / EVENTS, {f"../{path}": events for path, events in scenes.items() if path in valid})
    return Export(tuple(rows), len(rows) - len(scenes))


def _before(out: Path) -> list[Row]:
    if not (out / CATALOGUE).is_file():
        return []
    rows = read_catalogue(out)
    if any(row.dataset != DATASET for row in rows):
        raise UsageError(f"{out}: holds another data set; name a folder of its own for the corrections")
    return rows


def _copy(found: Iterable[Correction], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            part = folder / f"{one.path.name}.part"
            shutil.copyfile(one.path, part)
            part.replace(folder / one.path.name)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({(error.strerror or str(error)).lower()})") from error


def _row(one: Correction) -> Row:
    onset, offset = one.span(one.event)
    said = one.event.verdict
    return Row(
        path=_path(one), labels=(one.label,), group=one.group, dataset=DATASET, onset=onset, offset=offset,
        suspect=one.suspect,
        more={
            "heard_as": one.event.label, "verdict": said.verdict if said else "", "score": f"{one.event.score:.4f}",
            "model": one.event.model, "onset": rfc3339(one.event.onset),
        },
    )  # fmt: skip


def _path(one: Correction) -> str:
    return f"{AUDIO}/{one.path.name}"


def _taken_back(history: History, row: Row) -> bool:
    event = history.event(Path(row.path).stem)
    return event is not None and event.verdict is None


def _divided(rows: Sequence[Row], known: Mapping[str, str]) -> list[Row]:
    labels = defaultdict[str, list[str]](list)
    for row in rows:
        labels[row.key].append(row.label)
    placed = sides(labels, known)
    return [replace(row, split=placed[row.key]) for row in sorted(rows, key=lambda row: row.path)]


def _events(one: Correction) -> list[Sound]:
    """What is to be found in a recording."""
    told = [(truth(event), one.span(event)) for event in (one.event, *one.beside)]
    return sorted((Sound(label, *span) for label, span in told if label), key=lambda sound: sound.onset)


def _scenes_before(out: Path) -> dict[str, list[Sound]]:
    return read_references(out / EVENTS) if (out / EVENTS).is_file() else {}


def _write(path: Path, scenes: Mapping[str, Sequence[Sound]]) -> None:
    lines = ["\t".join(COLUMNS)]
    for name, events in sorted(scenes.items()):
        lines += [f"{name}\t{sound.onset:.3f}\t{sound.offset:.3f}\t{sound.label}" for sound in events]
        lines += [f"{name}\t\t\t"] if not events else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})") from error
