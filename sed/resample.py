"""Blocks at the model's rate from blocks at any other, without seams."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from sed.signals import Block


class Resampler:
    """A stateful band-limited resampler (soxr, HQ: 20 bits); sample n of the output lies at time n / `to`."""

    def __init__(self, rate: int, to: int) -> None:
        self._rate, self._to = rate, to
        self.reset()

    def reset(self, at: int = 0) -> None:
        """Forget the sound so far; the next block begins at input sample `at`."""
        self._stream = soxr.ResampleStream(self._rate, self._to, 1, dtype="float32", quality="HQ")
        self._start = round(at * self._to / self._rate)

    def push(self, block: Block) -> Block:
        """What `block` completes at the new rate; the filter holds back some 30 ms."""
        return self._block(block, last=False)

    def flush(self) -> Block:
        """What the filter still holds when the sound ends."""
        return self._block(Block(0, np.zeros(0, np.float32)), last=True)

    def _block(self, block: Block, *, last: bool) -> Block:
        out = Block(self._start, self._stream.resample_chunk(block.samples, last=last))
        self._start = out.end
        return out


def resampled(blocks: Iterable[Block], rate: int, to: int) -> Iterator[Block]:
    """`blocks` brought from `rate` to `to` Hz; a loss in the input stays a jump in the output."""
    if rate == to:
        yield from blocks
        return
    resampler = Resampler(rate, to)
    expected = 0
    for block in blocks:
        if block.start != expected:
            yield resampler.flush()
            resampler.reset(at=block.start)
        expected = block.end
        yield resampler.push(block)
    yield resampler.flush()
