"""Where sound comes from, as a configuration names it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from sed.config import SourceConfig
from sed.errors import DeviceError
from sed.message import Clock, Timekeeper
from sed.ring import RingBuffer
from sed.signals import State
from sed.source.microphone import Microphone
from sed.source.network import Network
from sed.source.recording import Recording
from sed.values import NETWORK


class Source(Protocol):
    """Writes sound into its ring in a thread of its own, until it is stopped or the sound is over; closes the ring."""

    @property
    def clock(self) -> Timekeeper: ...  # noqa: D102
    @property
    def state(self) -> State: ...  # noqa: D102
    @property
    def reason(self) -> str:
        """One line for people on why it is not hearing; empty if the sound was over."""

    def start(self) -> None: ...  # noqa: D102
    def stop(self) -> None:
        """Sets flags only."""

    def join(self, timeout: float | None = None) -> None: ...  # noqa: D102


def open_source(config: SourceConfig, ring: RingBuffer, rate: int) -> Source:
    """The source that a URL names, not started yet; `rate` is the ring's, in Hz."""
    try:
        return _MAKERS.get(config.kind, Recording)(config, ring, rate)
    except DeviceError as error:
        return Nothing(ring, rate, str(error))


_MAKERS: Mapping[str, Callable[[SourceConfig, RingBuffer, int], Source]] = {
    "mic": Microphone,
    **dict.fromkeys(NETWORK, Network),
}


class Nothing:
    """What is opened in the place of a source that cannot be had on this machine: it stops at once and says why."""

    def __init__(self, ring: RingBuffer, rate: int, reason: str) -> None:
        self._ring, self.reason = ring, reason
        self.clock = Clock(datetime.now(UTC), rate)
        self.state: State = "stopped"

    def start(self) -> None:
        """There will be no sound."""
        self._ring.close()

    def stop(self) -> None:
        """Has stopped."""

    def join(self, timeout: float | None = None) -> None:
        """Nothing to wait for."""
