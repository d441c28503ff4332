"""Taking a data set in: its rows as clips.csv wants them, each clip heard once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from sed.errors import AudioError, EarwitnessError, SinkError, UsageError
from sed.source.file import AudioFile
from sed.train.audit import measured
from sed.train.manifest import CATALOGUE, LICENCE_KINDS, Row, licensed, moved
from sed.train.sound import Sound, cut


def check_target(source: Path, target: Path) -> None:
    """Raise UsageError if clips.csv cannot be written into `target` without a loss."""
    if target.exists() and not target.is_dir():
        raise UsageError(f"--out {target}: need a folder, this is a file")
    if (target / CATALOGUE).exists():
        told = " (the data set's own)" if target.resolve() == source.resolve() else ""
        raise UsageError(f"--out {target}: has a {CATALOGUE} already{told}; choose another folder")


def wanted(rows: Sequence[Row], licence: str | None, *, suspects: bool) -> list[Row]:
    """The rows with a licence at least as free, and suspects only if asked for; raises UsageError if none is left."""
    if licence is not None and licence not in LICENCE_KINDS:
        raise UsageError(f"--licence {licence}: need one of {', '.join(LICENCE_KINDS)}")
    kept = licensed(rows, licence) if licence else list(rows)
    if not kept:
        kinds = [f"{sum(row.licence_kind == kind for row in rows)} {kind}" for kind in LICENCE_KINDS]
        raise UsageError(f"--licence {licence}: leaves no clip; there are {', '.join(kinds)}")
    kept = [row for row in kept if suspects or not row.suspect]
    if not kept:
        raise UsageError("--without-suspects: leaves no clip")
    return kept


def present(rows: Iterable[Row], folder: Path) -> tuple[list[Row], list[Row]]:
    """The rows whose files are there, and those whose are not."""
    there: list[Row] = []
    gone: list[Row] = []
    for row in rows:
        (there if (folder / row.path).is_file() else gone).append(row)
    return there, gone


def take_in(
    rows: Iterable[Row], source: Path, target: Path, step: Callable[[], None] = lambda: None
) -> Iterator[Row | EarwitnessError]:
    """Each row as it is seen from `target`, with its duration, rate and where something is heard in it.

    A marked section is cut out into `target/audio/<label>/`; other audio stays where it is. In the place of a clip that
    cannot be used there is the error that says why. Raises SinkError if a section cannot be written.
    """
    for row, result in measured(source, rows, step):
        if not isinstance(result, Sound):
            yield result
        elif "near-empty" in result.flaws:
            yield AudioError(f"{source / row.path}: nothing to hear in it; left out")
        else:
            place = _cut_out(row, source, target) if row.section else moved(row, source, target)
            yield _described(place, result)


def _described(row: Row, sound: Sound) -> Row:
    more = {"duration": f"{sound.seconds:.3f}", "original_rate": str(sound.rate)} | dict(row.more)
    onset = sound.onset if row.onset is None else row.onset
    offset = sound.offset if row.offset is None else row.offset
    return replace(row, onset=onset, offset=offset, more=more)


def _cut_out(row: Row, source: Path, target: Path) -> Row:
    """Write a row's section as FLAC; the row then speaks of that file, whole."""
    onset, offset = row.section or (0.0, 0.0)
    path = f"audio/{row.label}/{Path(row.path).stem}-{round(1000 * onset)}-{round(1000 * offset)}.flac"
    with AudioFile(source / row.path, "mix") as file:
        samples = np.concatenate(list(cut(file, 10.0, row.section)))
        rate = file.sample_rate
    try:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target / path, np.clip(samples, -1.0, 1.0), rate, subtype="PCM_16")
    except (OSError, soundfile.SoundFileError) as error:
        raise SinkError(f"{target / path}: cannot be written ({error})") from error
    return replace(row, path=path, section=None, group=row.key)
