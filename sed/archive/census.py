"""How much there is to do, counted beside the doing."""

import threading
from collections.abc import Callable, Iterable

from sed.archive.engine import Recording
from sed.errors import EarwitnessError


class Census(threading.Thread):
    """Counts recordings, and their bytes as far as they are known."""

    def __init__(self, recordings: Callable[[], Iterable[Recording]]) -> None:
        super().__init__(name="census", daemon=True)
        self._recordings = recordings
        self._stopping = False
        self.files = self.bytes = 0
        self.complete = False

    def stop(self) -> None:
        """Count no further, and wait for that."""
        self._stopping = True
        self.join()

    def run(self) -> None:
        """Count to the end."""
        try:
            for recording in self._recordings():
                self.files += 1
                self.bytes += recording.size or 0
                if self._stopping:
                    return
        except EarwitnessError:
            return  # who scans them says so
        self.complete = True
