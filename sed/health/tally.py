"""What is counted of one source while it is listened to; whoever wants to know reads it."""

from collections import Counter

from sed.health.drift import Drift
from sed.message import Message
from sed.metadata import alerting
from sed.observer import Observer, Origin
from sed.signals import Block, Frames


class Tally(Observer):
    """Counts in the path of sound: additions only, and the drift of one frame in ten."""

    def __init__(self, origin: Origin) -> None:
        """Nothing was heard yet; labels that alert begin at 0, so that the first event of one is seen as a rise."""
        self.origin = origin
        self.samples = 0
        """That were listened to."""
        self.events = Counter(dict.fromkeys(alerting(origin.metadata.rules), 0))
        """Start messages that are in the journal, by label."""
        settings, trained = origin.metadata.frontend, origin.metadata.heard
        self.drift = Drift(trained, settings.hop / settings.sample_rate) if trained is not None else None
        """How far the sound is from what the model knows; None if the model does not say what it was trained on."""

    @property
    def seconds(self) -> float:
        """Of sound that was listened to."""
        return self.samples / self.origin.metadata.frontend.sample_rate

    def frames(self, frames: Frames) -> None:
        """What the model is given."""
        if self.drift is not None:
            self.drift.push(frames)

    def told(self, message: Message) -> None:
        """An event is in the journal."""
        self.events[str(message["label"])] += message["phase"] == "start"

    def block(self, block: Block) -> None:
        """All is done with this one."""
        self.samples += len(block.samples)
