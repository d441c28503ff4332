"""`earwitness run` whose standard input is played as fast as it is heard: `python -m benchmarks.flatout -c CONFIG`.

Everything else is the daemon's own. Time is the sample clock from 2026 on, however fast it passes.
"""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from sed import logs
from sed.allocator import keep_little
from sed.config import SourceConfig, load
from sed.daemon import Daemon
from sed.ear import RING_SECONDS
from sed.errors import EarwitnessError
from sed.message import Clock
from sed.ring import RingBuffer
from sed.signals import Block, State
from sed.source import opened
from sed.source.file import AudioFile
from sed.source.player import Player

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

AHEAD_SECONDS = 0.5
"""Of sound that may wait in the ring: blocks of many seconds would take more memory than any daemon's."""

PATIENCE_SECONDS = 30.0


class FlatOut(threading.Thread):
    """A source that waits for room in the ring, so that nothing is lost, and for nothing else."""

    def __init__(self, config: SourceConfig, ring: RingBuffer, rate: int) -> None:
        super().__init__(name=f"flat out {config.name}", daemon=True)
        self._ring, self._rate = ring, rate
        self._player: Player | None = None
        self.clock = Clock(BEGIN, rate)
        self.state: State = "hearing"
        self.reason = ""

    def stop(self) -> None:
        """Play no further."""
        if self._player is not None:
            self._player.stop()

    def run(self) -> None:
        """Play standard input to its end."""
        try:
            with AudioFile("-") as file:
                self._player = Player(file, self._ring, self._rate, speed=None, see=self._wait)
                self._player.run()
            self.reason = str(self._player.error or "")
        except EarwitnessError as error:
            self.reason = str(error)
        finally:
            self.state = "stopped"
            self._ring.close()

    def _wait(self, _: Block) -> None:
        most = round(RING_SECONDS * self._rate)
        self._ring.wait_for_room(most - round(AHEAD_SECONDS * self._rate), PATIENCE_SECONDS)


def main() -> int:
    """As `earwitness run -c CONFIG`."""
    opened._MAKERS = {**opened._MAKERS, "-": FlatOut}
    logs.begin("info")
    keep_little()
    return Daemon(lambda: load(Path(sys.argv[2])), sys.stdout).run()


if __name__ == "__main__":
    sys.exit(main())
