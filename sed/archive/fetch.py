"""Recordings as files that can be opened here: what is elsewhere is brought into a temporary file first."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from sed.archive.engine import Recording
from sed.errors import AudioError

CHUNK = 1 << 20
"""Bytes copied at once."""


@contextmanager
def fetched(recording: Recording) -> Iterator[str]:
    """The path of a recording, or of a copy that goes away with this process however it ends. Raises AudioError."""
    if not recording.remote:
        yield recording.name
        return
    with TemporaryFile(prefix="earwitness-") as copy:
        try:
            import fsspec

            with fsspec.open(recording.name, "rb") as source:
                shutil.copyfileobj(source, copy, CHUNK)
            copy.flush()
        except Exception as error:
            raise AudioError(f"{recording.name}: cannot be fetched ({_reason(error)})") from error
        yield f"/proc/self/fd/{copy.fileno()}"


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, OSError) else f"{type(error).__name__}: {text}"
