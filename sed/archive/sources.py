"""The recordings of an archive: folders, globs, manifests and object stores, listed as they are needed."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from sed.archive import objects
from sed.archive.engine import Recording, is_url
from sed.archive.manifest import names
from sed.errors import UsageError
from sed.source.folder import SUFFIXES

Complain = Callable[[str], None]


def listed(sources: Sequence[str], manifests: Sequence[Path], complain: Complain) -> Iterator[Recording]:
    """Every recording, in the order given, folders and globs in the order of their names: the same each time.

    A folder is read when its turn comes; one inside that cannot be is told to `complain` and passed over, as is all
    whose name begins with a dot. Raises UsageError for a source or a manifest that leads nowhere.
    """
    for source in sources:
        yield from _source(source, complain)
    for manifest in manifests:
        yield from map(_named, names(manifest))


def check(sources: Sequence[str], manifests: Sequence[Path]) -> None:
    """Raises UsageError for a source that leads nowhere, before anything is begun."""
    if not sources and not manifests:
        raise UsageError("scan: needs a SOURCE (a folder, a glob, a recording, a URL) or --manifest FILE")
    for source in sources:
        next(listed([source], [], lambda line: None), None)
    for manifest in manifests:
        next(listed([], [manifest], lambda line: None), None)


def _source(source: str, complain: Complain) -> Iterator[Recording]:
    if is_url(source):
        yield from _some(objects.listed(source, complain), f"{source}: no recordings there{_LOOKED_FOR}")
    elif Path(source).is_dir():
        yield from _some(_folder(source, complain), f"{source}: no recordings in this folder{_LOOKED_FOR}")
    elif Path(source).exists():
        yield _named(source)
    elif has_magic(source):
        found = sorted(filter(os.path.isfile, glob(source, recursive=True)))  # noqa: PTH207 - as the shell's
        yield from _some(map(_named, found), f"{source}: no file matches")
    else:
        raise UsageError(f"{source}: no such file or folder")


_LOOKED_FOR = f" (looked for {' '.join(sorted(SUFFIXES))})"


def _some(recordings: Iterable[Recording], complaint: str) -> Iterator[Recording]:
    """The recordings. Raises UsageError if there is none."""
    none = True
    for recording in recordings:
        none = False
        yield recording
    if none:
        raise UsageError(complaint)


def _folder(folder: str, complain: Complain) -> Iterator[Recording]:
    try:
        yield from _walk(folder, complain)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror})") from error


def _walk(folder: str, complain: Complain) -> Iterator[Recording]:
    """Files and folders of one folder in one order; raises OSError if it cannot be read."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in found:
        path = os.path.join(folder, name)  # noqa: PTH118 - a million Paths take a while
        if name.startswith("."):
            continue
        if not is_folder:
            if os.path.splitext(name)[1].lower() in SUFFIXES and os.path.isfile(path):  # noqa: PTH113, PTH122
                yield _named(path)
            continue
        try:
            yield from _walk(path, complain)
        except OSError as error:
            complain(f"{path}: cannot be read ({error.strerror}); passed over")


def _named(name: str) -> Recording:
    if is_url(name):
        return Recording(name)
    try:
        return Recording(name, os.stat(name).st_size)  # noqa: PTH116
    except OSError:  # it is told when its turn comes
        return Recording(name)
