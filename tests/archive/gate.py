"""A recording that holds up whoever opens it, until it is let through."""

import contextlib
import os
import shutil
from pathlib import Path


class Gate:
    """A named pipe in the place of a recording; a `with` makes it, and lets all through in the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDWR)
        self._node = os.fstat(self._file).st_ino

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *exc: object) -> None:
        self.let_through()
        os.close(self._file)

    def held(self) -> set[int]:
        """The processes that wait here."""
        return {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit() and self._holds(folder)}

    def _holds(self, folder: Path) -> bool:
        if folder.name == str(os.getpid()):
            return False
        with contextlib.suppress(OSError):  # it has gone meanwhile
            return any(self._is_ours(link) for link in (folder / "fd").iterdir())
        return False

    def _is_ours(self, link: Path) -> bool:
        with contextlib.suppress(OSError):
            return link.stat().st_ino == self._node and link.is_fifo()
        return False

    def open_to(self, recording: Path) -> None:
        """Put a copy of a recording here, for whoever comes next; those who wait go on waiting."""
        copy = self.path.with_suffix(".copy")
        shutil.copyfile(recording, copy)
        copy.replace(self.path)

    def let_through(self) -> None:
        """Let those go on who wait: they open it once more, and find what is here now."""
        os.write(self._file, b"R" * 64)
