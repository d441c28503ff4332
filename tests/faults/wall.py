"""A wall clock of one's own: a daemon whose time of day is set while it runs, and nobody else's."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class Wall:
    """`environment` is for the process that lives by it."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler (Debian: gcc, libc6-dev)")
        library, self._step = folder / "wall.so", folder / "step"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        self._step.write_bytes(struct.pack("d", 0.0))
        self.environment = {"LD_PRELOAD": str(library), "WALL_STEP": str(self._step)}

    def set(self, seconds: float) -> None:
        """From now on it is so far ahead."""
        with self._step.open("r+b") as file:
            file.write(struct.pack("d", seconds))
