"""How loud a sound is above 100 Hz, 250 ms at a time: what an event-to-background ratio is measured by."""

import numpy as np
import numpy.typing as npt

LOWEST_HZ = 100.0
WINDOW = 0.25
"""Seconds."""
HOP = 0.01
"""Seconds between the windows tried for the loudest."""
SILENCE = 1e-9
"""A mean square, of full scale 1, below which there is nothing to hear (-90 dB)."""


class Loudness:
    """The power of 16-bit samples above 100 Hz, ready to be asked for any stretch of them."""

    def __init__(self, samples: npt.NDArray[np.int64], rate: int) -> None:
        self._window, self._hop = round(WINDOW * rate), round(HOP * rate)
        padded = np.concatenate((np.zeros(self._window), samples / 32768.0, np.zeros(self._window)))
        spectrum = np.fft.rfft(padded)
        spectrum[: int(np.ceil(LOWEST_HZ * len(padded) / rate))] = 0.0
        squares = np.square(np.fft.irfft(spectrum, len(padded)))
        self._energy = np.concatenate((np.zeros(1), np.cumsum(squares)))
        self._last = len(samples)

    def at(self, start: int) -> float:
        """The mean square over the 250 ms from sample `start` on; outside there is silence."""
        first = min(max(start, -self._window), self._last) + self._window
        return float(self._energy[first + self._window] - self._energy[first]) / self._window

    def loudest(self, start: int, stop: int) -> tuple[int, float]:
        """The first sample and the mean square of the loudest 250 ms between `start` and `stop`.

        A stretch shorter than 250 ms is one window that begins with it.
        """
        starts = range(start, max(start + 1, stop - self._window + 1), self._hop)
        powers = [self.at(first) for first in starts]
        best = int(np.argmax(powers))
        return starts[best], powers[best]
