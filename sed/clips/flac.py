"""One clip while it is written: FLAC under a temporary name, given its own once it is whole and on the disk."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from sed.clips.folder import PART, SUFFIX, ClipFolder
from sed.signals import Block

FULL_SCALE = 32_768
"""What a sample of 1.0 is in 16 bits, as readers of FLAC and WAV have it: what came from 16 bits comes out the same."""

_ZEROS = 16_000  # samples of silence written at a time


class FlacFile:
    """16-bit mono. All of it raises OSError, after which there is nothing to do but `discard`."""

    def __init__(self, path: Path, sample_rate: int, tags: Mapping[str, str], start: int) -> None:
        """`path` ends with `.flac`; tags are those of soundfile (title, date, comment); `start` is the first sample."""
        self._path, self._at = path, start
        self.part = path.with_name(path.name.removesuffix(SUFFIX) + PART)
        """Where it is until it is whole."""
        ClipFolder(path.parent).make()
        self._disk = _Disk(self.part)
        self._sound = soundfile.SoundFile(self._disk, "w", sample_rate, 1, "PCM_16", format="FLAC")
        for key, value in tags.items():
            setattr(self._sound, key, value)

    def append(self, block: Block) -> None:
        """Samples at their place; what is missing before them is silence."""
        while (missing := block.start - self._at) > 0:
            self._write(np.zeros(min(missing, _ZEROS), np.int16))
        samples = np.rint(block.samples[self._at - block.start :] * np.float32(FULL_SCALE))
        self._write(np.clip(samples, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16))

    def finish(self) -> None:
        """On the disk, whatever happens to the power, and under its name."""
        self._sound.close()
        self._disk.check()
        self._disk.settle()
        self.part.rename(self._path)
        _settle_folder(self._path.parent)

    def discard(self) -> None:
        """As if it had never been begun."""
        self._sound.close()
        self._disk.close()
        self.part.unlink(missing_ok=True)

    def _write(self, samples: npt.NDArray[np.int16]) -> None:
        self._sound.write(samples)
        self._at += len(samples)
        self._disk.check()


class _Disk(io.FileIO):
    """A file that keeps its first error, for libsndfile calls it from C, where none can be raised."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._error: OSError | None = None

    def write(self, data: Any) -> int:
        """All of it, or from an error on nothing more."""
        left = memoryview(data)
        count = len(left)
        try:
            while left and self._error is None:
                left = left[super().write(left) :]
        except OSError as error:
            self._error = error
        return count

    def check(self) -> None:
        """Raises the OSError that was kept."""
        if self._error is not None:
            raise self._error

    def settle(self) -> None:
        """Onto the disk, and closed."""
        os.fsync(self.fileno())
        self.close()


def _settle_folder(path: Path) -> None:
    """Let the new name outlive a power cut, too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
