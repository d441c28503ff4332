"""What of a recording that a stranger sent is listened to, and what not."""

import re
from collections.abc import Callable
from datetime import datetime

import soundfile

from sed.errors import AudioError

LONGEST_SECONDS = 600.0
"""Of a recording."""

CHANNELS = 16
"""More than that is a broken header more often than a recording."""

_HOPELESS = 1 << 40
"""More samples than any recording has: what libsndfile says of a length it does not know."""


class TooLongError(AudioError):
    """A recording that lasts longer than is listened to."""


class ClosedError(AudioError):
    """The daemon ends."""


class Patience:
    """Ends a recording that goes on for too long, whatever its header says, and any when the daemon ends."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over, self._seconds = is_over, 0.0

    def __call__(self, seconds: float) -> None:
        """So many more were heard."""
        self._seconds += seconds
        if self._seconds > LONGEST_SECONDS:
            raise _too_long()
        if self._is_over():
            raise ClosedError("the daemon ends")


def check(path: str) -> None:
    """What its header says, before any of it is unpacked; what cannot be read at all is told later."""
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
    except (soundfile.LibsndfileError, TypeError):
        return
    if channels > CHANNELS:
        raise AudioError(f"need {CHANNELS} channels at most, the header says {channels}")
    if LONGEST_SECONDS * rate < frames < _HOPELESS:
        raise _too_long()


def begins(path: str) -> datetime:
    """When a clip of ours begins, as it says itself."""
    with soundfile.SoundFile(path) as file:
        said = re.search(r"\bbegins=(\S+)", file.comment)
    if said is None:
        raise AudioError("does not say when it begins; it is no clip of earwitness")
    return datetime.fromisoformat(said[1])


def _too_long() -> TooLongError:
    return TooLongError(f"need {LONGEST_SECONDS / 60:g} minutes at most; cut it, or use 'earwitness detect'")
