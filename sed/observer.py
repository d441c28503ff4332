"""Those who look on while sources are listened to: clips, publishers, metrics."""

from dataclasses import dataclass
from typing import Protocol

from sed.config import Config
from sed.message import Message, Timekeeper
from sed.metadata import Metadata
from sed.ring import RingBuffer
from sed.signals import Block, Event, Frames, Scores


@dataclass(frozen=True, slots=True)
class Origin:
    """The source that is observed."""

    node: str
    source: str
    metadata: Metadata
    """The model's: labels, rate, frontend."""
    clock: Timekeeper
    ring: RingBuffer
    """To read the past from, in the ear's thread only."""


class Observer:
    """Looks on at one source and does nothing; override what is of interest.

    All is called in the ear's thread, which is the path of sound: nothing here may block or raise. For each block come
    its frames, its scores, the events that they made certain, and then the block itself.
    """

    def frames(self, frames: Frames) -> None:
        """Log-mel frames, one at least."""

    def scores(self, scores: Scores) -> None:
        """Rows of scores, one at least, with their sample numbers."""

    def event(self, event: Event) -> Message:  # noqa: ARG002 - for those who override it
        """An event before it is written; returns what belongs into its message, such as `clip`."""
        return {}

    def told(self, message: Message) -> None:
        """An event's message that is in the journal now; later than `event` while the disk is full."""

    def block(self, block: Block) -> None:
        """Sound that was listened to; a loss is a jump in its `start`."""

    def close(self) -> None:
        """No more comes from this source."""


@dataclass(frozen=True, slots=True)
class Count:
    """Something that has happened so often since the start; a lookout may have a property `counts` of these."""

    name: str
    """Of the metric, without `earwitness_` and `_total`."""
    text: str
    value: int


class Lookout(Protocol):
    """What the daemon opens before its sources and closes after them, to observe each."""

    def observe(self, origin: Origin) -> Observer:
        """An observer for one source; called in the ear's thread as it begins to listen."""

    def update(self, config: Config) -> None:
        """Take over a configuration: before anything is heard, where it may raise, and at every reload, where not."""

    def close(self) -> None:
        """Finish what the observers have left; within half a second, for SIGTERM leaves two in all."""
