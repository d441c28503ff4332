"""Sound that somebody else records, as a source: a file at a microphone's pace, standard input at its writer's."""

import threading
import time

from sed.clock import SampleClock
from sed.config import SourceConfig
from sed.errors import EarwitnessError
from sed.ring import RingBuffer
from sed.signals import Block, State
from sed.source.file import AudioFile
from sed.source.microphone import LOST_SECONDS, SILENT_SECONDS
from sed.source.player import Player

PIPE_SPEED = 1.25
"""Times real time: what has piled up in a pipe is caught up with, and a whole file in it still has times to tell."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Recording(threading.Thread):
    """Plays into `ring` and closes it at the end. What comes through a pipe is heard when it comes, a file when played.

    `state` and `reason` may be read by any thread.
    """

    def __init__(self, config: SourceConfig, ring: RingBuffer, rate: int) -> None:
        """`rate` is the ring's, in Hz."""
        super().__init__(name=f"source {config.name}", daemon=True)
        self._config, self._ring, self._rate = config, ring, rate
        self._player: Player | None = None
        self._heard: float | None = None  # monotonic seconds of the last block
        self._sounded = 0.0  # and of the last one that was not all zeros
        self._stopped = self._ended = False
        self._failure = ""
        self.clock = SampleClock(rate)

    @property
    def state(self) -> State:
        """How it is now."""
        now = time.monotonic()
        if self._ended:
            return "stopped"
        if self._heard is None or now - self._heard >= LOST_SECONDS:
            return "lost"
        return "silent" if now - self._sounded >= SILENT_SECONDS else "hearing"

    @property
    def reason(self) -> str:
        """Why it is not hearing, in one line; nothing if the sound was over."""
        reasons: dict[State, str] = {
            "lost": "not opened yet" if self._heard is None else f"no sound has come for {LOST_SECONDS:g} s",
            "silent": f"nothing but zeros for {SILENT_SECONDS:g} s",
        }
        return self._failure or reasons.get(self.state, "")

    def stop(self) -> None:
        """Play no further; only sets flags."""
        self._stopped = True
        if self._player is not None:
            self._player.stop()

    def run(self) -> None:
        """Play until the end or until stopped."""
        try:
            self._play()
        except EarwitnessError as error:
            self._failure = str(error)
        finally:
            self._ended = True
            self._ring.close()

    def _play(self) -> None:
        config = self._config
        with AudioFile(config.path, config.channel) as file:
            speed = 1.0 if config.kind == "file" else PIPE_SPEED
            self._player = Player(file, self._ring, self._rate, speed, config.gain_db, self._see)
            if self._stopped:  # while the file was being opened
                self._player.stop()
            self._player.play()

    def _see(self, block: Block) -> None:
        now = time.monotonic()
        if self._heard is not None and now - self._heard >= LOST_SECONDS:
            self.clock.restart(block.start)
        self.clock.observe(block.end, 0.0, time.clock_gettime(_CLOCK), time.time())
        self._sounded = now if self._heard is None or block.samples.any() else self._sounded
        self._heard = now
