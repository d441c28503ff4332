"""Recordings as blocks: WAV (also RF64, W64), FLAC, Ogg, MP3 and whatever else libsndfile reads; `-` is stdin."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np
import soundfile

from sed.errors import AudioError, UsageError
from sed.signals import Block, Floats

Channel = int | Literal["mix"]

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
"""Hz; what lies outside is more often a wrong header than a recording."""

_UNKNOWN_LENGTH = 1 << 40
"""More frames than any recording has: libsndfile's word for a pipe whose header does not tell."""

_ENDLESS = (range(0x7FFF_F000 - 0x100, 0x8000_0100), range(0xFFFF_FF00, 0x1_0000_0000))
"""Data sizes that writers put for a stream whose end they do not know: sox and arecord, ffmpeg."""

_UNTOLD = frozenset({"MP3", "OGG"})
"""Formats that do not tell their length in advance, or only guess it."""

_LARGEST = 1e9
"""No sample is larger, full scale being 1: numbers of a broken file that would only overflow later."""

_SLACK = 0.001
"""libsndfile miscounts an RF64 file on a pipe by a few samples."""

_GET_BROADCAST_INFO, _BROADCAST_BYTES = (
    0x10F0,
    602,
)  # sndfile.h: SFC_GET_BROADCAST_INFO, sizeof SF_BROADCAST_INFO less history

_DATA_SIZE = re.compile(r"^data : (\d{10})", re.MULTILINE)

_CUT_SHORT = [  # libsndfile's log of what the header says and what the file holds
    re.compile(r"^data : (?P<said>\d+) \(should be (?P<held>\d+)\)", re.MULTILINE),
    re.compile(r"^riff : (?P<said>\d+) \(should be (?P<held>\d+)\)", re.MULTILINE),
    re.compile(r"Calculated frame count (?P<held>\d+) does not match value from 'ds64' chunk of (?P<said>\d+)"),
]


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc]
    """Reads on without seeking: soundfile seeks after every read of a seekable file, and libmpg123 loses its place."""

    def seekable(self) -> bool:
        return False


class AudioFile:
    """One channel of a recording, read block by block in constant memory."""

    def __init__(self, path: Path | str, channel: Channel = 0) -> None:
        """Raises AudioError if it cannot be read, UsageError if it has no such channel."""
        self.name = str(path)
        self._channel = channel
        self._file = _open(self.name)
        self.sample_rate: int = self._file.samplerate
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def frames(self) -> int | None:
        """Samples a channel; None on a pipe that does not tell."""
        frames: int = self._file.frames
        size = _DATA_SIZE.search(self._file.extra_info)
        piped_without_end = self.name == "-" and size is not None and _is_endless(int(size[1]))
        return None if piped_without_end or not 0 < frames < _UNKNOWN_LENGTH else frames

    @property
    def channels(self) -> int:
        """How many it has."""
        channels: int = self._file.channels
        return channels

    @property
    def comment(self) -> str:
        """What its header says in words; often who recorded it, and when."""
        comment: str = self._file.comment
        return comment

    @property
    def originated(self) -> str:
        """`2026-11-20 02:59:01`, where a Broadcast Wave header says when it began (EBU Tech 3285); else empty."""
        told = soundfile._ffi.new("char[]", _BROADCAST_BYTES)
        if not soundfile._snd.sf_command(self._file._file, _GET_BROADCAST_INFO, told, _BROADCAST_BYTES):
            return ""
        date, clock = (bytes(soundfile._ffi.buffer(told))[at] for at in (slice(320, 330), slice(330, 338)))
        return f"{date.decode('latin-1')} {clock.decode('latin-1')}".strip("\0 ")

    @property
    def divisible(self) -> bool:
        """Whether it can be read from any sample on: its length is certain, and no sound before has to be decoded."""
        return self.name != "-" and self.frames is not None and self._file.format not in _UNTOLD

    def blocks(self, seconds: float = 1.0, first: int = 0, last: int | None = None) -> Iterator[Block]:
        """The samples in blocks of `seconds`; of one that is `divisible`, from sample `first` up to `last`.

        Raises AudioError, after the last good block, where the data ends early, cannot be decoded, or is not a number.
        """
        start, size = first, max(1, round(seconds * self.sample_rate))
        if first:
            self._seek(first)
        while last is None or start < last:
            samples = self._read(size if last is None else min(size, last - start), start)
            if len(samples) == 0:
                break
            yield Block(start, samples)
            start += len(samples)
        if last is None or start < last:
            self._check_end(start)

    def _seek(self, sample: int) -> None:
        try:
            self._file.seek(sample)
        except soundfile.LibsndfileError as error:
            at = sample / self.sample_rate
            raise AudioError(f"{self.name}: cannot be read from {at:.2f} s on ({_reason(error)})") from error

    def _check(self) -> None:
        if not LOWEST_RATE <= self.sample_rate <= HIGHEST_RATE:
            raise AudioError(
                f"{self.name}: need {LOWEST_RATE} to {HIGHEST_RATE} samples a second, "
                f"the header says {self.sample_rate}"
            )
        channels = self._file.channels
        if self._channel != "mix" and not 0 <= self._channel < channels:
            have = "0 only" if channels == 1 else f"0 to {channels - 1}"
            raise UsageError(f"{self.name}: no channel {self._channel}: the file has {have}; choose one, or 'mix'")

    def _read(self, size: int, start: int) -> Floats:
        try:
            samples = self._file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            at = start / self.sample_rate
            raise AudioError(f"{self.name}: cannot be decoded after {at:.2f} s ({_reason(error)})") from error
        with np.errstate(all="ignore"):  # what overflows is told below
            mono = samples.mean(axis=1) if self._channel == "mix" else samples[:, self._channel]
        usable = np.abs(mono) <= _LARGEST
        if not usable.all():
            bad = start + int(np.argmin(usable))
            number = float(mono[bad - start])
            value = (
                "not a number"
                if np.isnan(number)
                else "infinite"
                if np.isinf(number)
                else f"{number:g}, full scale is 1"
            )
            raise AudioError(f"{self.name}: sample {bad} ({bad / self.sample_rate:.3f} s) is {value}")
        return np.ascontiguousarray(mono)

    def _check_end(self, read: int) -> None:
        if read == 0:
            raise AudioError(f"{self.name}: holds no sound (0 samples)")
        if self._file.format in _UNTOLD:
            return
        said, held = _cut_short(self._file.extra_info)
        if self.frames is not None and read < self.frames:
            said, held = self.frames, read
        if said - held > said * _SLACK:
            raise AudioError(
                f"{self.name}: the data ends early, after {read / self.sample_rate:.2f} s: "
                f"{held / said:.0%} of what its header promises"
            )


def _open(name: str) -> _ForwardFile:
    if name != "-":
        _check_readable(Path(name))
    try:
        return _ForwardFile(0 if name == "-" else name, closefd=False)
    except (soundfile.LibsndfileError, TypeError) as error:
        hint = "; on stdin, FLAC needs a file or 'flac -dc'" if name == "-" else ""
        raise AudioError(f"{name}: not a recording that can be read ({_reason(error)}){hint}") from error


def _check_readable(path: Path) -> None:
    """Say what is wrong with the file before libsndfile says that something is."""
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    try:
        with path.open("rb") as file:
            empty = file.read(1) == b""
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error
    if empty:
        raise AudioError(f"{path}: holds no sound (0 bytes)")


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", str(error)).strip().rstrip(".")
    if "not a regular file" in text or "unimplemented format" in text or "Format not recognised" in text:
        return "unknown format, or the header is cut short"
    return text.removeprefix("Error : ").removeprefix("Error in ")


def _cut_short(log: str) -> tuple[int, int]:
    """What the header said and what the file held, in bytes or frames; equal where nothing is missing."""
    for pattern in _CUT_SHORT:
        if (found := pattern.search(log)) and not _is_endless(int(found["said"])):
            return int(found["said"]), int(found["held"])
    return 0, 0


def _is_endless(size: int) -> bool:
    return any(size in sizes for sizes in _ENDLESS)
