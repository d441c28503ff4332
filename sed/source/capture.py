"""One stream's sound on its way from PortAudio's callback into the ring: channel, gain, rate, losses and times."""

import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from sed.clock import SampleClock
from sed.resample import Resampler
from sed.ring import RingBuffer
from sed.signals import Block, Floats
from sed.values import Channel

QUEUE = 1000
"""Callbacks that may wait to be taken, forty seconds; what comes beyond is dropped, and counted as lost."""

LATE_SECONDS = 0.1
"""Sound that comes so late, and does not catch up, tells that some was lost before it."""

CATCH_UP_SECONDS = 1.0
"""How long it may take to catch up."""

OVERFLOW_SECONDS = 0.02
"""Shorter losses cannot be told from jitter where PortAudio flags an overflow but does not say how long it was."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former goes on while the computer is suspended


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one callback hands over."""

    first: int  # frames since the stream was opened
    samples: Floats  # (n, channels)
    age: float  # seconds since the first of them was captured, as the device tells
    monotonic: float
    wall: float  # seconds since 1970
    overflow: bool


@dataclass
class Losses:
    """How often something was lost before the ring, over all streams of a microphone; the ring counts how much."""

    overflows: int = 0  # PortAudio said that it had to drop something
    gaps: int = 0


class Capture:
    """The callback copies and returns; whoever calls `take` does the rest, in a thread that may be held up."""

    def __init__(
        self,
        ring: RingBuffer,
        clock: SampleClock,
        rate: float,
        channel: Channel,
        gain_db: float,
        losses: Losses,
        late: float = LATE_SECONDS,
    ) -> None:
        """`rate` is the device's, in Hz; the ring's is the clock's. `late` is for those that are late more often."""
        self._ring, self._clock, self._rate, self._channel, self._late = ring, clock, rate, channel, late
        self._losses = losses
        self._gain = np.float32(10.0 ** (gain_db / 20.0))
        self._resampler = self._resampled_from(rate)
        self._chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
        self._frames = 0  # that callbacks were called with
        self._frame = 0  # expected next
        self._origin: tuple[int, int] | None = None  # a frame, and its number in the ring
        self._left_out = 0  # frames to come that are not brought in
        self._late_since: float | None = None
        self._least_late = 0.0
        self.longest_age = np.inf
        """Seconds of buffer that the stream has: no sound can be older, whatever the device tells."""
        self.finished = threading.Event()
        """Set by PortAudio when the stream has ended by itself."""

    def callback(self, samples: Floats, frames: int, times: Any, status: Any) -> None:
        """PortAudio's: one copy, and never a wait."""
        age = times.currentTime - times.inputBufferAdcTime
        if self._chunks.qsize() < QUEUE:
            self._chunks.put(
                Chunk(self._frames, samples.copy(), age, time.clock_gettime(_CLOCK), time.time(), status.input_overflow)
            )
        self._frames += frames

    def take(self, timeout: float) -> Floats | None:
        """Bring the next chunk into the ring, and say what it was, (n,) at the device's rate; None if none came."""
        try:
            return self.bring(self._chunks.get(timeout=timeout))
        except queue.Empty:
            return None

    def bring(self, chunk: Chunk) -> Floats:
        """Bring one chunk into the ring, and say what it was."""
        samples = chunk.samples.mean(axis=1) if self._channel == "mix" else chunk.samples[:, self._channel]
        samples = np.ascontiguousarray(samples * self._gain)
        self._place(chunk, len(samples))
        heard = samples[self._left_out :]
        self._left_out -= len(samples) - len(heard)
        self._ring.write(heard if self._resampler is None else self._resampler.push(Block(0, heard)).samples)
        self._frame = chunk.first + len(samples)
        return samples

    def retune(self, rate: float) -> None:
        """From the next frame on the stream has another rate, in Hz; nothing was lost."""
        self._flush()
        self._rate, self._resampler = rate, self._resampled_from(rate)
        self._origin = (self._frame, self._ring.end) if self._origin is not None else None

    def close(self, *, broken: bool) -> None:
        """No more will come; what the resampler still holds is heard, too.

        After a `broken` stream a loss is told at once, so that no event stays open until sound comes again.
        """
        self._flush()
        captured = self._clock.captured(self._ring.end)
        if broken and self._origin is not None and captured is not None:
            self._skip(max(1, self._samples(time.clock_gettime(_CLOCK) - captured)))

    def _resampled_from(self, rate: float) -> Resampler | None:
        return None if rate == self._clock.sample_rate else Resampler(round(rate), self._clock.sample_rate)

    def _place(self, chunk: Chunk, frames: int) -> None:
        """Find out what was lost before the chunk, and tell the clock of it."""
        self._losses.overflows += chunk.overflow
        length = frames / self._rate
        age = float(np.clip(chunk.age, length, max(length, self.longest_age)))
        if self._origin is None:
            self._begin(chunk.first, self._lateness(self._ring.end, chunk, age))
        elif chunk.first > self._frame:  # the queue was full: we know exactly
            self._jump(chunk.first, self._number(chunk.first) - self._number(self._frame))
        else:
            late = self._lateness(self._number(chunk.first), chunk, age)
            if chunk.overflow and late > OVERFLOW_SECONDS:
                self._begin(chunk.first, late)
            elif self._stays(late, chunk.monotonic):
                self._begin(chunk.first, self._least_late)
        self._clock.observe(self._number(chunk.first), age, chunk.monotonic, chunk.wall)

    def _lateness(self, sample: int, chunk: Chunk, age: float) -> float:
        """Seconds that the chunk was captured after what the clock expects, were it to begin with `sample`."""
        expected = self._clock.captured(sample)
        return 0.0 if expected is None else chunk.monotonic - age - expected

    def _stays(self, late: float, now: float) -> bool:
        """Whether chunks have been late for so long that they will not catch up: a loss that nobody flagged."""
        if late < self._late:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since, self._least_late = now, late
        self._least_late = min(self._least_late, late)
        return now - self._late_since >= CATCH_UP_SECONDS

    def _begin(self, frame: int, late: float) -> None:
        """The frame was captured `late` seconds after the last one: about, so its time has to be measured afresh."""
        self._jump(frame, self._samples(late))
        self._clock.restart(self._ring.end)

    def _jump(self, frame: int, lost: int) -> None:
        self._flush()
        lead = self._ring.lead if self._resampler is None else 0  # a resampler ends its blocks where it likes
        self._skip(lost + lead if self._ring.end else 0)
        self._left_out = lead
        self._origin = (frame + lead, self._ring.end)
        self._late_since = None

    def _skip(self, lost: int) -> None:
        if lost > 0:
            self._ring.skip(lost)
            self._losses.gaps += self._origin is not None  # else it is the rest of one that was told before

    def _number(self, frame: int) -> int:
        """The sample of the ring at a frame of the stream."""
        at, number = self._origin or (0, 0)
        return number + round((frame - at) * self._clock.sample_rate / self._rate)

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._clock.sample_rate)

    def _flush(self) -> None:
        if self._resampler is not None:
            if self._origin is not None:
                self._ring.write(self._resampler.flush().samples)
            self._resampler.reset()
