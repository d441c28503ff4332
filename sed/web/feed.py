"""What one source has to show live: its ear puts in, the server takes out, and neither waits for the other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sed.level import dbfs
from sed.message import Message
from sed.observer import Observer, Origin
from sed.signals import Block, Frames, Scores
from sed.web.strip import Piece, Strips, mel_piece, score_piece

LIMIT = 1_000
"""Pieces that may wait, some ten seconds of them; then the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """The energy of one block."""

    samples: int
    energy: float


@dataclass(slots=True)
class Tick:
    """What belongs into one message: strips without a gap, and all that was loud meanwhile."""

    strips: Strips = field(default_factory=Strips)
    samples: int = 0
    energy: float = 0.0

    def told(self, origin: Origin) -> Message:
        """As it is sent; empty if there is nothing to tell."""
        try:
            told = self.strips.told(origin.clock)
        except ValueError:  # the clock has not observed anything yet
            return {}
        if self.samples:
            told["level_dbfs"] = round(dbfs(self.energy / self.samples), 1) + 0.0  # no -0.0
        return {"source": origin.source} | told if told else {}


class Feed(Observer):
    """Silent until somebody watches."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._watched = self._pictured = False
        self._waiting: deque[Piece | Loudness | Message] = deque(maxlen=LIMIT)

    def watch(self, pictured: bool) -> None:
        """Somebody watches, from now on; a spectrogram, which can be made speech again, only if it is `pictured`."""
        self._pictured = pictured
        if not self._watched:
            self._waiting.clear()
            self._watched = True

    def rest(self) -> None:
        """Nobody watches any more."""
        self._watched = False
        self._waiting.clear()

    def frames(self, frames: Frames) -> None:
        """Columns of the spectrogram."""
        if self._watched and self._pictured:
            self._waiting.append(mel_piece(frames))

    def scores(self, scores: Scores) -> None:
        """Rows of the labels' curves."""
        if self._watched:
            self._waiting.append(score_piece(scores))

    def told(self, message: Message) -> None:
        """An event that is in the journal."""
        if self._watched:
            self._waiting.append(message)

    def block(self, block: Block) -> None:
        """How loud it was."""
        if self._watched and len(block.samples):
            self._waiting.append(Loudness(len(block.samples), float(np.dot(block.samples, block.samples))))

    def taken(self) -> Iterator[tuple[str, Message]]:
        """What came since the last time, for the server's thread: `sound` and `event`, with what is told of them."""
        tick = Tick()
        while self._waiting:
            each = self._waiting.popleft()
            if isinstance(each, Loudness):
                tick.samples, tick.energy = tick.samples + each.samples, tick.energy + each.energy
            elif not isinstance(each, Piece):
                yield "event", each
            elif not tick.strips.takes(each):  # sound was lost
                yield from self._sound(tick)
                tick = Tick(Strips({each.kind: [each]}))
        yield from self._sound(tick)

    def _sound(self, tick: Tick) -> Iterator[tuple[str, Message]]:
        if told := tick.told(self.origin):
            yield "sound", told
