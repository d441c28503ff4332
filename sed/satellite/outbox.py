"""What a satellite has heard and the box has not yet: bounded, in order, and sent again after a break."""

from collections import deque
from collections.abc import Iterator

from sed.satellite.wire import Audio


class Outbox:
    """Audio that waits to be sent, and behind it audio that was sent and not acknowledged.

    What is too much drops out at the old end, and is counted.
    """

    def __init__(self, capacity: int) -> None:
        """`capacity` in samples."""
        self.lost = 0
        """Samples that fell out before the box had them."""
        self._capacity, self._held = capacity, 0
        self._sent: deque[Audio] = deque()
        self._waiting: deque[Audio] = deque()

    @property
    def held(self) -> int:
        """Samples that the box may not have yet."""
        return self._held

    def put(self, audio: Audio) -> None:
        """Behind all others."""
        self._waiting.append(audio)
        self._held += len(audio.samples)
        while self._held > self._capacity:
            dropped = (self._sent or self._waiting).popleft()
            self._held -= len(dropped.samples)
            self.lost += len(dropped.samples)

    def sendable(self, wanted: int, window: int) -> Iterator[Audio]:
        """What may be sent now, `window` samples from the one that is `wanted`, or from the oldest held.

        Each counts as sent when the next is asked for.
        """
        oldest = (self._sent or self._waiting)[0].first if self._sent or self._waiting else wanted
        while self._waiting and self._waiting[0].first < max(wanted, oldest) + window:
            yield self._waiting[0]
            self._sent.append(self._waiting.popleft())

    def acknowledge(self, wanted: int) -> None:
        """The box has everything before sample `wanted`."""
        for each in (self._sent, self._waiting):
            while each and each[0].end <= wanted:
                self._held -= len(each.popleft().samples)

    def rewind(self) -> None:
        """Whatever was not acknowledged waits again."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
