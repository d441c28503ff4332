"""The folder of the journal: whether something can be written there, and for how long."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sed.config import JournalConfig
from sed.doctor.finding import Finding, failed, ok, warning

LEAST_BYTES = 20_000_000
"""Below this the disk counts as full."""

LEAST_INODES = 100


def look(config: JournalConfig) -> Iterator[Finding]:
    """The folder of the journal, or the nearest there is above it: the rest is made at the first start."""
    folder = config.path.absolute().parent
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    if trouble := _unwritable(there):
        yield failed(f"{there}: {trouble}", "make it writable for this user, or set another journal.path")
    yield from _room(there, config.max_size)


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there; writes a file without a name, which leaves nothing behind."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _room(folder: Path, wanted: int) -> Iterator[Finding]:
    """Free bytes against what the journal may take, and inodes where the file system counts them."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    said = f"{folder}: {free / 1e6:,.0f} MB free"
    if disk.f_files and disk.f_favail < LEAST_INODES:
        yield failed(f"{folder}: {disk.f_favail} inodes free", "delete many small files there")
    if free < LEAST_BYTES:
        yield failed(said, "free some space, or set another journal.path")
    elif free < wanted:
        yield warning(
            f"{said}, and the journal may grow to {wanted / 1e6:,.0f} MB", "free some space, or lower journal.max_size"
        )
    else:
        yield ok(said)
