"""The other end of a microphone: plays some samples on a loudspeaker, once, for `earwitness selftest --speaker`."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from sed.errors import DeviceError
from sed.resample import resampled
from sed.signals import Block, Floats
from sed.source.portaudio import portaudio

RATE = 48_000
"""Hz; what every sound card plays."""

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 5.0
"""How much longer than the sound itself playing may take."""


class Loudspeaker:
    """An output by name, the default one for no name."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.began_at: datetime | None = None
        """When the first sample left it, as the sound card tells."""
        self._left: Floats = np.zeros(0, np.float32)
        self._done = threading.Event()

    def play(self, samples: Floats, rate: int, stop: threading.Event) -> None:
        """Return when all samples (n,) have been played, or at `stop`. Raises DeviceError."""
        self._left = np.concatenate([block.samples for block in resampled([Block(0, samples)], rate, RATE)])
        stream = portaudio().open_output(self._name, RATE, self._fill)
        try:
            for _ in range(round((len(samples) / rate + PATIENCE_SECONDS) / LOOK_SECONDS)):
                if self._done.wait(LOOK_SECONDS) or stop.is_set():
                    stop.wait(stream.latency)  # what is still in its buffers
                    return
            raise DeviceError(f"loudspeaker {self._name!r}: takes no sound; see that nothing else uses or suspends it")
        finally:
            portaudio().close(stream)

    def _fill(self, out: Floats, frames: int, times: Any, _status: Any) -> None:
        """PortAudio's callback."""
        if self.began_at is None:
            ahead = max(0.0, times.outputBufferDacTime - times.currentTime)
            self.began_at = datetime.now(UTC) + timedelta(seconds=ahead)
        part, self._left = self._left[:frames], self._left[frames:]
        out[: len(part), 0] = part
        out[len(part) :] = 0.0
        if not len(self._left):
            self._done.set()
