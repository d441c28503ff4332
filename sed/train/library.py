"""Every clip decoded once, as 16-bit samples in one memory-mapped file outside the repository."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from sed.errors import AudioError
from sed.signals import Floats
from sed.train.clips import Clip
from sed.train.turns import alone_at

_VERSION = 1


def cache_folder() -> Path:
    """Where decoded audio and checkpoints live: $XDG_CACHE_HOME/earwitness or ~/.cache/earwitness."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earwitness"


class Library:
    """The samples of all clips, mono, float32 in [-1, 1], at one rate."""

    def __init__(self, data: Path, clips: list[Clip], rate: int, cache: Path) -> None:
        """Decode `clips` below `data` unless `cache` already holds them; raises AudioError."""
        self.rate = rate
        self.cache = cache
        self._file = cache / f"clips-{_key(data, clips, rate)}.i16"
        index = self._file.with_suffix(".json")
        if not index.is_file():
            with alone_at(index.with_suffix(".lock")):
                if not index.is_file():
                    _decode(data, clips, rate, self._file, index)
        self._at: dict[str, tuple[int, int]] = {k: (v[0], v[1]) for k, v in json.loads(index.read_text()).items()}
        self._samples = np.memmap(self._file, np.int16, "r")

    @property
    def name(self) -> str:
        """Other samples have another name."""
        return self._file.stem

    def samples(self, clip: Clip, start: int = 0, stop: int | None = None) -> Floats:
        """The clip's samples from `start` to `stop`, a copy."""
        first, count = self._at[clip.path]
        stop = count if stop is None else min(stop, count)
        cut = self._samples[first + start : first + max(start, stop)]
        return np.asarray(cut, np.float32) / np.float32(32768.0)

    def length(self, clip: Clip) -> int:
        """How many samples the clip has."""
        return self._at[clip.path][1]


def _key(data: Path, clips: Iterable[Clip], rate: int) -> str:
    """What the samples depend on: other files, or files of other sizes, are decoded anew."""
    sizes = (f"{clip.path} {_size(data / clip.path)}" for clip in clips)
    text = f"{_VERSION} {data.resolve()} {rate} " + " ".join(sizes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error


def _decode(data: Path, clips: Iterable[Clip], rate: int, file: Path, index: Path) -> None:
    part = file.with_suffix(f".part{os.getpid()}")
    at: dict[str, tuple[int, int]] = {}
    total = 0
    with part.open("wb") as out:
        for clip in clips:
            samples = _read(data / clip.path, rate)
            out.write(samples.tobytes())
            at[clip.path] = (total, len(samples))
            total += len(samples)
    part.replace(file)
    index.write_text(json.dumps(at))


def _read(path: Path, rate: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    try:
        samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioError(f"{path}: cannot be read ({error})") from error
    mono = samples.mean(axis=1)
    if found != rate:
        mono = soxr.resample(mono, found, rate)
    return np.asarray(np.clip(np.round(mono * 32768.0), -32768, 32767), np.int16)
