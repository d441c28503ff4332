"""Log-mel frames from blocks of samples: the only mel in the repository."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np

from sed.metadata import FrontendSettings
from sed.signals import Block, Floats, Frames

TOGETHER = 8
"""Streams transformed in one go: with 40 ms of each, what that takes still fits into the processor's caches."""

_DB_PER_NEPER = np.float32(10.0 / np.log(10.0))


class LogMel:
    """Streaming log-mel power spectrogram in dB.

    Frame k covers samples k*hop to k*hop+window: no centring, no padding, no normalisation. Offline is streaming with
    one large block. Periodic Hann window, HTK mel scale, triangles of height one, as in torchaudio's MelSpectrogram.
    """

    def __init__(self, settings: FrontendSettings) -> None:
        self.settings = settings
        self._window, self._filters = _tables(settings)
        self.reset()

    def reset(self, at: int = 0) -> None:
        """Forget the samples held; the next block begins at sample `at`."""
        self._held = np.zeros(0, np.float32)
        self._start = at

    def push(self, block: Block) -> Frames:
        """The frames that `block` completes, (n, mels) in dB; n may be 0."""
        start, framed = self._framed(block)
        return Frames(start, self.settings.hop, self._log_mel(framed * self._window))

    def _framed(self, block: Block) -> tuple[int, Floats]:
        """Where the frames that `block` completes begin, and their samples, a view of (n, window); the rest is held."""
        s = self.settings
        samples = np.concatenate((self._held, block.samples)) if len(self._held) else block.samples
        count = max(0, (len(samples) - s.window) // s.hop + 1)
        start = self._start
        self._start += count * s.hop
        self._held = samples[count * s.hop :].copy()
        framed = np.lib.stride_tricks.as_strided(
            samples, (count, s.window), (s.hop * samples.strides[0], samples.strides[0]), writeable=False
        )
        return start, framed

    def _log_mel(self, windowed: Floats) -> Floats:
        if len(windowed) == 0:
            return np.zeros((0, self.settings.mels), np.float32)
        parts: Floats = np.fft.rfft(windowed).view(np.float32)  # (count, 2 * bins): real, imaginary, ...
        np.square(parts, out=parts)
        power = parts[:, 0::2] + parts[:, 1::2]
        mel: Floats = np.matmul(power, self._filters)
        mel += np.float32(self.settings.floor)
        np.log(mel, out=mel)
        mel *= _DB_PER_NEPER
        return mel


def push_all(frontends: Sequence[LogMel], blocks: Sequence[Block]) -> list[Frames]:
    """As `push` of each, TOGETHER at a time: frontends of one model, each with a block of its own stream."""
    pushed: list[Frames] = []
    for at in range(0, len(frontends), TOGETHER):
        pushed += _push_together(frontends[at : at + TOGETHER], blocks[at : at + TOGETHER])
    return pushed


def _push_together(frontends: Sequence[LogMel], blocks: Sequence[Block]) -> list[Frames]:
    framed = [frontend._framed(block) for frontend, block in zip(frontends, blocks, strict=True)]
    ends = list(accumulate(len(samples) for _, samples in framed))
    first, hop = frontends[0], frontends[0].settings.hop
    windowed = np.empty((ends[-1], first.settings.window), np.float32)
    for (_, samples), end in zip(framed, ends, strict=True):
        np.multiply(samples, first._window, out=windowed[end - len(samples) : end])
    mel = first._log_mel(windowed)
    return [
        Frames(start, hop, mel[end - len(samples) : end]) for (start, samples), end in zip(framed, ends, strict=True)
    ]


def log_mel(samples: Floats, settings: FrontendSettings) -> Floats:
    """The log-mel frames of a whole recording, (n, mels) in dB."""
    return LogMel(settings).push(Block(0, samples)).values


@lru_cache(maxsize=8)
def _tables(settings: FrontendSettings) -> tuple[Floats, Floats]:
    """The window and the filters, (bins, mels), the same for all streams of a model."""
    window = np.hanning(settings.window + 1)[:-1].astype(np.float32)
    filters = mel_filters(settings.sample_rate, settings.window, settings.mels, settings.low_hz, settings.high_hz)
    tables = window, np.ascontiguousarray(filters.T)
    for table in tables:
        table.flags.writeable = False
    return tables


def mel_filters(sample_rate: int, n_fft: int, mels: int, low_hz: float, high_hz: float) -> Floats:
    """Triangular filters on the HTK mel scale, (mels, n_fft // 2 + 1), float32; O'Shaughnessy 1987."""
    edges = _hz(np.linspace(_mel(low_hz), _mel(high_hz), mels + 2))
    bins = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def _hz(mel: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
