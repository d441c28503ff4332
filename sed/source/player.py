"""A recording played into the ring at a microphone's pace, or at any other."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from sed.errors import AudioError
from sed.resample import resampled
from sed.ring import RingBuffer
from sed.signals import Block
from sed.source.file import AudioFile

BLOCK_SECONDS = 0.02
"""What a sound card hands over at a time."""

LOOK_SECONDS = 0.1
"""The longest sleep without a look whether to stop."""

ROOM_SECONDS = 30.0
"""How long a player at full speed waits for the detector before it gives up."""


class Player(threading.Thread):
    """Writes one recording into a ring, then closes the ring."""

    def __init__(
        self,
        file: AudioFile,
        ring: RingBuffer,
        sample_rate: int,
        speed: float | None = 1.0,
        gain_db: float = 0.0,
        see: Callable[[Block], None] = lambda block: None,
    ) -> None:
        """`speed` is in times real time; None is as fast as the ring is emptied, and loses nothing.

        `see` is shown each block just before the ring gets it.
        """
        super().__init__(name=f"player {file.name}", daemon=True)
        self._file, self._ring, self._rate, self._speed = file, ring, sample_rate, speed
        self._see = see
        self._gain = np.float32(10.0 ** (gain_db / 20.0))
        self._stopped = False
        self._began = threading.Event()
        self.error: AudioError | None = None
        """Why the recording broke off, if it did."""
        self.began_at = datetime.now(UTC)
        """When its first sample was heard."""
        self.seconds = 0.0
        """How much was played."""

    def stop(self) -> None:
        """Play no further; the ring is closed within LOOK_SECONDS.

        It only sets a flag, so that a signal's handler may call it: one that took a lock could wait for the very code
        that it interrupted.
        """
        self._stopped = True

    def wait_for_start(self) -> datetime:
        """When the first sample was heard."""
        self._began.wait()
        return self.began_at

    def run(self) -> None:
        """Play until the end or until stopped."""
        try:
            self.play()
        except AudioError as error:
            self.error = error
        finally:
            self._began.set()
            self._ring.close()

    def play(self) -> None:
        """As `run`, in the caller's thread; the ring stays open. Raises AudioError."""
        self.began_at, start = datetime.now(UTC), time.monotonic()
        self._began.set()
        for block in resampled(self._file.blocks(BLOCK_SECONDS), self._file.sample_rate, self._rate):
            if self._speed is None:
                if not self._ring.wait_for_room(len(block.samples), ROOM_SECONDS):
                    raise AudioError(f"{self._file.name}: the detector took nothing for {ROOM_SECONDS:g} s")
            else:  # a block is handed over when its last sample has been heard
                self._sleep_until(start + block.end / self._rate / self._speed)
            if self._stopped:
                return
            self._see(block)
            self._ring.write(block.samples * self._gain)
            self.seconds = block.end / self._rate

    def _sleep_until(self, moment: float) -> None:
        while not self._stopped and (left := moment - time.monotonic()) > 0.0:
            time.sleep(min(left, LOOK_SECONDS))
