"""What one source has to tell: its ear puts in, the publisher takes out, and neither waits for the other."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from sed.broadcast.bulletin import Bulletin, Kind
from sed.level import dbfs
from sed.message import Message
from sed.observer import Observer, Origin
from sed.signals import Block, Scores

LIMIT = 500
"""Bulletins that may wait: some ten seconds; then the oldest are dropped, and the subscribers see it from `seq`."""

LEVELS = 10
"""How many levels are told in a second."""


class Feed(Observer):
    """Silent until `open` is set."""

    def __init__(self, origin: Origin, session: str, wake: Callable[[], None]) -> None:
        """`wake` is called for what is urgent."""
        self.origin = origin
        self.open = False
        self.dropped = 0
        """Bulletins that the publisher did not come for in time."""
        self._session, self._wake = session, wake
        self._waiting: deque[Bulletin] = deque(maxlen=LIMIT)
        self._counts: Counter[Kind] = Counter()
        self._window = origin.metadata.frontend.sample_rate // LEVELS
        self._begun, self._end, self._energy = 0, 0, 0.0  # of the level that is not told yet

    def scores(self, scores: Scores) -> None:
        """Told as they are."""
        if self.open:
            body = scores.values.astype("<f4").tobytes()
            self._put("scores", body, sample=scores.start, labels=scores.values.shape[1])

    def told(self, message: Message) -> None:
        """An event, as soon as it is in the journal."""
        if self.open:
            self._put("event", json.dumps(message).encode())
            self._wake()

    def block(self, block: Block) -> None:
        """Ten times a second its level is told."""
        if not self.open:
            return
        if block.start != self._end:  # sound was lost
            self._begun, self._energy = block.start, 0.0
        self._end = block.end
        self._energy += float(np.dot(block.samples, block.samples))
        if (heard := block.end - self._begun) >= self._window:
            body = {"level_dbfs": round(dbfs(self._energy / heard), 1) + 0.0}  # no -0.0
            self._put("level", json.dumps(body).encode(), sample=self._begun)
            self._begun, self._energy = block.end, 0.0

    def taken(self) -> Iterator[Bulletin]:
        """Those that wait, oldest first, with their time; for the publisher's thread."""
        while self._waiting:
            bulletin = self._waiting.popleft()
            sample = bulletin.sample
            yield bulletin if sample is None else replace(bulletin, utc=self._stamp(sample))

    def bulletin(self, kind: Kind, content: dict[str, object]) -> Bulletin:
        """One that the publisher itself wants to tell of this source, in its own thread."""
        return self._numbered(kind, json.dumps(content).encode())

    def _put(self, kind: Kind, body: bytes, sample: int | None = None, labels: int | None = None) -> None:
        self.dropped += len(self._waiting) == LIMIT
        self._waiting.append(self._numbered(kind, body, sample, labels))

    def _numbered(self, kind: Kind, body: bytes, sample: int | None = None, labels: int | None = None) -> Bulletin:
        seq = self._counts[kind]  # each kind is counted by one thread only
        self._counts[kind] = seq + 1
        node, source = self.origin.node, self.origin.source
        return Bulletin(kind, node, source, self._session, seq, body, sample, labels=labels)

    def _stamp(self, sample: int) -> str | None:
        try:
            return self.origin.clock.stamp(sample)
        except ValueError:  # the clock has not observed anything yet
            return None
