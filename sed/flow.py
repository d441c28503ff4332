"""Whether sound really reaches the detector: what a watchdog wants to know."""

from collections.abc import Sequence
from typing import Protocol

from sed.signals import State

FRESH_SECONDS = 1.0
"""Sound that was listened to so lately shows that it flows."""

STUCK_SECONDS = 5.0
"""How long an ear may listen to nothing although its source says that it hears."""


class Listening(Protocol):
    """Something that listens to a source."""

    @property
    def state(self) -> State: ...  # noqa: D102
    @property
    def heard(self) -> int:
        """Samples."""

    @property
    def broken(self) -> bool:
        """Whether it listens no more although there may be sound."""


class Flow:
    """Looks at all ears again and again. A source that is lost, and says so, is nothing that a restart would help."""

    def __init__(self, ears: Sequence[Listening], now: float) -> None:
        """`now`, as always here, in monotonic seconds."""
        self._ears = ears
        self._heard = [ear.heard for ear in ears]
        self._moved = [now - FRESH_SECONDS for _ in ears]  # nothing was listened to yet

    def goes_on(self, now: float) -> bool:
        """Whether some sound was listened to lately, and no ear is stuck or broken."""
        for n, ear in enumerate(self._ears):
            if ear.heard != self._heard[n]:
                self._heard[n], self._moved[n] = ear.heard, now
            elif ear.state not in ("hearing", "silent") and now - self._moved[n] > FRESH_SECONDS:
                self._moved[n] = now - FRESH_SECONDS  # it has its time once it says that it hears again
        fresh = any(now - moved < FRESH_SECONDS for moved in self._moved)
        stuck = any(
            ear.broken or now - moved > STUCK_SECONDS for ear, moved in zip(self._ears, self._moved, strict=True)
        )
        return fresh and not stuck
