"""A disk of one's own, small enough to be filled: only the daemon that was started on it can see it."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.daemon import Run

_ENTER = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
_MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'


class SmallDisk:
    """`before` is what the command of a daemon begins with that shall have it at `path`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk"
        self.path.mkdir()
        self.before = [*_ENTER, _MOUNT, str(self.path)]
        if subprocess.run([*self.before, "true"], capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a disk of his own")

    def full(self) -> list[str]:
        """As `before`, for a disk that is full from the start."""
        return [*_ENTER, _MOUNT.replace("&&", '&& cat /dev/zero > "$0/filler" 2>/dev/null;'), str(self.path)]

    def fill(self, run: Run) -> None:
        """Take all space that is left."""
        with self._filler(run).open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1_024))

    def free(self, run: Run) -> None:
        """Give it back."""
        self._filler(run).unlink()

    def _filler(self, run: Run) -> Path:
        return Path(f"/proc/{run.process.pid}/root{self.path}/filler")
