"""The journal's folder on real file systems: with room, nearly full, full, without inodes, read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sed.config import JournalConfig
from sed.doctor.disk import look
from sed.doctor.finding import Finding


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def found(folder: Path, **settings: int) -> list[Finding]:
    return list(look(JournalConfig(path=folder / "deep" / "journal.db", **settings)))


def test_room_enough_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, max_size=100_000)
    assert finding.status == "ok"
    assert finding.found.startswith(f"{tmp_path}: ")
    assert list(tmp_path.iterdir()) == []  # and it is left so


def test_a_disk_that_the_journal_may_fill(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=40M") as disk:
        (finding,) = found(disk, max_size=500_000_000)
    assert finding.status == "warning"
    assert "MB free, and the journal may grow to 500 MB; free some space, or lower journal.max_size" in finding.line


def test_a_full_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=1M") as disk:
        (disk / "filled").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        findings = found(disk)
    assert [finding.status for finding in findings] == ["failed", "failed"]
    assert f"{disk}: no space left on device; " in findings[0].line
    assert f"{disk}: 0 MB free; free some space" in findings[1].line


def test_no_inode_left(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=100M,nr_inodes=10") as disk:
        findings = found(disk, max_size=100_000)
    assert "inodes free; delete many small files there" in findings[0].line
    assert findings[0].status == "failed"


def test_a_read_only_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "ro") as disk:
        findings = found(disk)
    assert (findings[0].status, findings[0].line) == (
        "failed",
        f"{disk}: read-only file system; make it writable for this user, or set another journal.path",
    )
